"""A row for each variant, or for each pair: a dot for each seed, and below them the mean with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from digitnet.comparing.collect import Measure
from digitnet.comparing.compare import Comparison, values_of
from digitnet.comparing.figures.drawing import DOT, head, span_of
from digitnet.comparing.statistics import points, signed_points, summarise
from digitnet.metrics import Interval
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, spread_dots, styled
from digitnet.reporting.words import percent

_MARKS = "dots: seeds; bars: mean, 95% interval"

_ROW, _NAME, _DOTS, _MEAN = 60, 14, 33, 48
"""Height of a row in pixels, and how far below its top its parts lie."""


@dataclass(frozen=True)
class _Row:
    name: str
    values: Sequence[float]  # one for each seed
    mean: float
    interval: Interval | None
    text: str  # the mean
    colour: str
    weight: str = "normal"  # of the name


def variant_figure(
    comparison: Comparison, measure: Measure = "test", width: Width = "wide", theme: Theme = LIGHT
) -> Figure:
    """Draw the accuracy of each variant: its seeds, and their mean; the one that validation chose is in bold."""
    rows = []
    for variant in comparison.variants:
        if values := getattr(variant.results, measure):
            name, summary = variant.results.name, summarise(values)
            weight = "bold" if name == comparison.chosen else "normal"
            text = percent(summary.mean)
            rows.append(_Row(name, values, summary.mean, summary.interval, text, theme.training, weight))
    with styled(theme):
        figure, axes = _draw_rows(rows, span_of([row.values for row in rows], most=1.0), width, theme)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        head(axes, f"{measure.title()} accuracy", _MARKS, theme)
        _write_below(axes, "bold: the best on validation", theme)
    return figure


def difference_figure(comparison: Comparison, width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw the difference of each pair on the test images, in percentage points, with a line at zero.

    Real differences have another colour than the rest. Pairs without a common seed are left out.
    """
    results = {variant.results.name: variant.results for variant in comparison.variants}
    rows = []
    for pair in comparison.pairs:
        if (d := pair.difference) is None:
            continue
        first, second = (values_of(results[name], "test", pair.seeds) for name in (pair.first, pair.second))
        values = [one - other for one, other in zip(first, second, strict=True)]
        text = signed_points(d.mean) + (f" ± {points(d.half_width)}" if d.interval else "")
        colour = theme.training if pair.verdict == "real" else theme.muted
        rows.append(_Row(pair.name, values, d.mean, d.interval, text, colour))
    with styled(theme):
        figure, axes = _draw_rows(rows, span_of([[0.0], *(row.values for row in rows)]), width, theme)
        axes.axvline(0, color=theme.ink, linewidth=1.2, zorder=1)
        axes.xaxis.set_major_formatter(FuncFormatter(_write_tick))
        head(axes, "Differences in test accuracy", f"{_MARKS}; blue: real", theme)
        _write_below(axes, "percentage points; right of 0, the first is better", theme)
    return figure


def _draw_rows(rows: Sequence[_Row], ends: tuple[float, float], width: Width, theme: Theme) -> tuple[Figure, Axes]:
    """Draw rows below each other, over an axis from the first to the second of the `ends`."""
    across, down = 880 if width == "wide" else 358, _ROW * max(1, len(rows))
    span = across - 34 - 8 * max((len(row.text) for row in rows), default=0)
    figure = canvas(across, 62 + down + 52)
    axes = place(figure, 14, 62, span, down)
    axes.set(xlim=ends, ylim=(down, 0), yticks=[])  # down the axes, pixels
    axes.xaxis.set_major_locator(MaxNLocator(5 if width == "wide" else 4))
    axes.grid(axis="x")
    pixel = (ends[1] - ends[0]) / span
    for k, row in enumerate(rows):
        dots, mean = k * _ROW + _DOTS, k * _ROW + _MEAN
        letters = int((across - 14) / (8.7 if row.weight == "bold" else 7.5))  # their usual widths in pixels
        name = row.name if len(row.name) <= letters else f"{row.name[: letters - 1]}…"
        axes.text(
            ends[0], k * _ROW + _NAME, name, va="center", color=theme.ink, fontweight=row.weight, zorder=5,
            bbox={"facecolor": theme.paper, "edgecolor": "none", "pad": 1},
        )  # fmt: skip
        shifts = spread_dots([value / pixel for value in row.values], DOT)
        axes.scatter(
            row.values, [dots + s for s in shifts], s=16, color=row.colour, alpha=0.55, linewidths=0, zorder=2
        )
        if row.interval:
            axes.hlines(mean, row.interval.low, row.interval.high, color=row.colour, linewidth=2, zorder=3)
        axes.scatter([row.mean], [mean], s=34, color=row.colour, marker="D", linewidths=0, zorder=4)
        axes.annotate(
            row.text, (1, mean), (8, 0), xycoords=axes.get_yaxis_transform(), textcoords="offset points",
            va="center",
        )  # fmt: skip
    return figure, axes


def _write_below(axes: Axes, text: str, theme: Theme) -> None:
    axes.annotate(
        text, (0, 0), (0, -28), xycoords="axes fraction", textcoords="offset points", color=theme.muted, fontsize=9
    )


def _write_tick(difference: float, position: int) -> str:
    return f"{100 * difference:+.3g}".replace("-", "\N{MINUS SIGN}") if difference else "0"
