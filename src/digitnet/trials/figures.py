"""Figures of a comparison: accuracy by one field, by two, and against what it costs.

Each function is pure: results in, a matplotlib Figure out. Names stand beside what they name, and every mean has
its 95% interval. `measure` says whose images the accuracy is of.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter
from matplotlib.transforms import Bbox

from digitnet.errors import UsageError, nearest
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, styled
from digitnet.reporting.words import percent, plain
from digitnet.trials.collect import VariantResults
from digitnet.trials.statistics import Summary, summarise

Measure = Literal["validation", "test"]
Point = tuple[float, float]


def field_figure(
    variants: Sequence[VariantResults],
    field: str,
    measure: Measure = "test",
    width: Width = "wide",
    theme: Theme = LIGHT,
) -> Figure:
    """Draw accuracy by one field: every seed a dot, in the order of the seeds, and beside them the mean.

    Numbers stand at their distances (logarithmic from a factor of eight on), other values in the order given.
    Variants that agree in their other fields are joined, and named at the end where there are several such lines.
    Raises UsageError for a field that no variant names.
    """
    shown = _finished(variants, field)
    places = _places([variant.fields[field] for variant in shown])
    lines: dict[str, list[VariantResults]] = {}
    for variant in sorted(shown, key=lambda v: places[_text(v.fields[field])]):
        lines.setdefault(_other_fields(variant, field), []).append(variant)
    gap = _smallest_gap(places.values())
    room = gap / (len(lines) + 0.2)
    across, down = (640, 380) if width == "wide" else (360, 340)
    span = across - (196 if len(lines) > 1 else 90)
    crowded = 8 * max(map(len, places), default=0) > span / (len(places) + 0.5)
    with styled(theme):
        figure = canvas(across, down)
        axes = place(figure, 70, 62, span, down - (142 if crowded else 118))
        axes.set_xlim(min(places.values(), default=0) - 0.7 * gap, max(places.values(), default=1) + 0.8 * gap)
        _scale_accuracy(axes, [getattr(variant, measure) for variant in shown])
        for number, (name, line) in enumerate(lines.items()):
            colour = _colours(theme)[number % 4]
            shift = (number - (len(lines) - 1) / 2) * room
            middles = [places[_text(variant.fields[field])] + shift for variant in line]
            means = [
                _draw_seeds(axes, x, getattr(v, measure), room, colour) for x, v in zip(middles, line, strict=True)
            ]
            axes.plot(middles, means, color=colour, linewidth=1, alpha=0.5, zorder=1)
            if len(lines) > 1:
                _note(axes, (middles[-1], means[-1]), name, (10, 0), colour)
            else:
                _note_means(axes, middles, means, theme)
        _name_places(axes, places, crowded)
        axes.set_xlabel(_words(field))
        _head(
            axes, f"{measure.title()} accuracy by {_words(field)}", "dots: seeds; bars: mean, 95% interval", theme
        )
    return figure


def heat_figure(
    variants: Sequence[VariantResults],
    row_field: str,
    column_field: str,
    measure: Measure = "test",
    width: Width = "wide",
    theme: Theme = LIGHT,
) -> Figure:
    """Draw mean accuracy by two fields, stronger for better; outlined is the best on validation.

    A cell holds all seeds of the variants with its two values. Raises UsageError for an unknown field.
    """
    shown = _finished(variants, row_field, column_field)
    rows, columns = (list(_places([v.fields[name] for v in shown])) for name in (row_field, column_field))
    cells: dict[tuple[int, int], list[VariantResults]] = {}
    for variant in shown:
        where = rows.index(_text(variant.fields[row_field])), columns.index(_text(variant.fields[column_field]))
        cells.setdefault(where, []).append(variant)
    summaries = {where: _pool(several, measure) for where, several in cells.items()}
    chosen = max(cells, key=lambda where: _pool(cells[where], "validation").mean, default=None)
    means = [summary.mean for summary in summaries.values()]
    low, high = min(means, default=0.0), max(means, default=1.0)
    margin = 34 + 7 * max(map(len, rows), default=0)
    side = min(
        96 if width == "wide" else 64, ((640 if width == "wide" else 360) - margin - 20) / max(1, len(columns))
    )
    across, down = side * max(1, len(columns)), 52 * max(1, len(rows))
    with styled(theme):
        figure = canvas(round(margin + max(across, 270) + 20), round(down + 122))
        axes = place(figure, margin, 62, round(across), down)
        shades = LinearSegmentedColormap.from_list("accuracy", [theme.paper, theme.training])
        for (row, column), summary in summaries.items():
            share = 0.05 + 0.5 * ((summary.mean - low) / (high - low) if high > low else 0.0)  # ink stays legible
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=shades(share), edgecolor=theme.paper)
            )
            axes.text(column, row - 0.14, percent(summary.mean), ha="center", va="center")
            small = f"± {_half_width(summary)}" if summary.interval else "one seed"
            axes.text(column, row + 0.22, small, ha="center", va="center", fontsize=8)
        if chosen:
            corner = (chosen[1] - 0.47, chosen[0] - 0.47)
            axes.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, edgecolor=theme.validation, linewidth=2.5))
        axes.set(xlim=(-0.5, max(1, len(columns)) - 0.5), ylim=(max(1, len(rows)) - 0.5, -0.5))
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0, labelcolor=theme.ink)
        axes.set(xlabel=_words(column_field), ylabel=_words(row_field))
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        _head(axes, f"{measure.title()} accuracy", "± 95% interval; outline: best on validation", theme)
    return figure


def front_figure(
    variants: Sequence[VariantResults], measure: Measure = "test", width: Width = "wide", theme: Theme = LIGHT
) -> Figure:
    """Draw mean accuracy against training time and against parameters; the Pareto front is drawn and named.

    Names of variants that have a cheaper one as good stand where there is room, or not at all.
    """
    shown = [variant for variant in variants if variant.seeds]
    seconds = [float(np.mean(variant.seconds)) for variant in shown]
    unit, size = _time_unit(max(seconds, default=1.0))
    times = [value / size for value in seconds]
    weights = [float(variant.parameters) for variant in shown]
    with styled(theme):
        if width == "wide":
            figure = canvas(880, 380)
            left, right = place(figure, 64, 62, 350, 258), place(figure, 506, 62, 350, 258)
        else:
            figure = canvas(360, 660)
            left, right = place(figure, 64, 62, 276, 218), place(figure, 64, 378, 276, 218)
        title = f"{measure.title()} accuracy against"
        for axes, costs, what in ((left, times, f"training time, {unit}"), (right, weights, "parameters")):
            _draw_front(axes, shown, costs, measure, theme)
            axes.set_xlabel(what)
        _head(left, f"{title} time", "bars: 95% interval; line: Pareto front", theme)
        _head(right, f"{title} size", "bars: 95% interval; line: Pareto front", theme)
    return figure


def pareto(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Positions on the Pareto front, by rising cost: nothing as cheap is as good, but for an earlier equal."""
    front: list[int] = []
    for k in sorted(range(len(costs)), key=lambda k: (costs[k], -values[k], k)):
        if not front or values[k] > values[front[-1]]:
            front.append(k)
    return front


def _draw_seeds(axes: Axes, x: float, values: Sequence[float], room: float, colour: str) -> float:
    """Draw a variant's mean with its interval at `x` and its seeds left of it; return the mean."""
    summary = summarise(values)
    across = x - room * (np.linspace(0.46, 0.14, len(values)) if len(values) > 1 else np.array([0.3]))
    axes.scatter(across, values, s=16, color=colour, alpha=0.55, linewidths=0, zorder=2)
    _draw_mean(axes, x, summary, colour)
    return summary.mean


def _note_means(axes: Axes, middles: Sequence[float], means: Sequence[float], theme: Theme) -> None:
    """Write each mean to the right, on that side of the line to the next mean where the line does not run."""
    for x, mean, following in zip(middles, means, [*means[1:], math.inf], strict=True):
        _note(axes, (x, mean), percent(mean), (5, -9 if following >= mean else 9), theme.ink)


def _name_places(axes: Axes, places: Mapping[str, float], crowded: bool) -> None:
    axes.set_xticks(list(places.values()), list(places))
    if crowded:
        axes.tick_params(axis="x", labelrotation=20)
        for label in axes.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")


def _draw_mean(axes: Axes, x: float, summary: Summary, colour: str) -> None:
    if summary.interval:
        axes.vlines(x, summary.interval.low, min(1.0, summary.interval.high), color=colour, linewidth=2, zorder=3)
    axes.scatter([x], [summary.mean], s=34, color=colour, marker="D", linewidths=0, zorder=4)


def _draw_front(
    axes: Axes, variants: Sequence[VariantResults], costs: Sequence[float], measure: Measure, theme: Theme
) -> None:
    summaries = [summarise(getattr(variant, measure)) for variant in variants]
    means = [summary.mean for summary in summaries]
    front = pareto(costs, means)
    _scale_accuracy(axes, [getattr(variant, measure) for variant in variants])
    _scale_cost(axes, costs)
    axes.plot(
        [costs[k] for k in front],
        [means[k] for k in front],
        color=theme.training,
        drawstyle="steps-post",
        linewidth=1.2,
    )
    for k, summary in enumerate(summaries):
        _draw_mean(axes, costs[k], summary, theme.training if k in front else theme.muted)
    others = [k for k in range(len(costs)) if k not in front]
    names = [
        (variants[k].name, (costs[k], means[k]), theme.training if k in front else theme.muted)
        for k in front + others
    ]
    _name_points(axes, names, [(costs[k], means[k]) for k in front])


def _name_points(axes: Axes, names: Sequence[tuple[str, Point, str]], line: Sequence[Point]) -> None:
    """Write names beside their points, the first ones first; leave out those for which there is no free place.

    What stands in the way is every point, the steps of the `line` between its points, and earlier names.
    """
    steps = [(*before, after[0], before[1]) for before, after in itertools.pairwise(line)]
    rises = [(after[0], before[1], *after) for before, after in itertools.pairwise(line)]
    corners = np.array([*[(*point, *point) for _, point, _ in names], *steps, *rises]).reshape(-1, 2)
    pixels = axes.transData.transform(corners).reshape(-1, 4)
    taken = [Bbox.from_extents(*box).padded(9 if k < len(names) else 1) for k, box in enumerate(pixels)]
    inside = axes.get_window_extent()
    for name, point, colour in names:
        for offset in ((9, -9), (9, 9), (-9, 9), (-9, -9), (0, 14), (0, -14)):
            text = _note(axes, point, name, offset, colour)
            box = text.get_window_extent()
            if inside.x0 < box.x0 and box.x1 < inside.x1 and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


def _note(axes: Axes, point: Point, text: str, offset: Point, colour: str) -> Annotation:
    """Write beside a point, so many points of type to the right and up."""
    side = "left" if offset[0] > 0 else "right" if offset[0] < 0 else "center"
    return axes.annotate(
        text, point, offset, textcoords="offset points", color=colour, ha=side, va="center", fontsize=9, zorder=5
    )


def _head(axes: Axes, title: str, explanation: str, theme: Theme) -> None:
    axes.set_title(title, pad=24)
    axes.annotate(
        explanation,
        (0, 1),
        (0, 9),
        xycoords="axes fraction",
        textcoords="offset points",
        color=theme.muted,
        fontsize=9,
    )


def _scale_accuracy(axes: Axes, groups: Sequence[Sequence[float]]) -> None:
    """Give the seeds most of the height; the interval of two seeds, often huge, may leave it."""
    values = [value for group in groups for value in group] or [0.0, 1.0]
    low, high = min(values), max(values)
    spread = max(high - low, 0.001)
    ends = [i for group in groups if (i := summarise(group).interval)]
    low = max(low - spread / 2, min([low, *(i.low for i in ends)])) - 0.08 * spread
    high = min(1.0, high + spread / 2, max([high, *(i.high for i in ends)])) + 0.08 * spread
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _scale_cost(axes: Axes, costs: Sequence[float]) -> None:
    low, high = min(costs, default=0.0), max(costs, default=1.0)
    if low > 0 and high / low >= 8:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.5, high * 2)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3) if high / low < 100 else (1,)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.set_xlim(0, 1.3 * high or 1)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: f"{v / 1e6:g}M" if v >= 1e6 else f"{v / 1e3:g}k" if v >= 1e3 else f"{v:.10g}")
    )


def _time_unit(seconds: float) -> tuple[str, int]:
    """Name the unit in which a time is a short number, and its seconds."""
    return ("seconds", 1) if seconds < 180 else ("minutes", 60) if seconds < 3 * 3600 else ("hours", 3600)


def _finished(variants: Sequence[VariantResults], *fields: str) -> list[VariantResults]:
    """Those that have results and these fields; raise UsageError for a field that none of all has."""
    known = {name for variant in variants for name in variant.fields}
    if unknown := [field for field in fields if field not in known]:
        raise UsageError(f"There is no varied field {unknown[0]!r} to draw. {nearest(unknown[0], known)}")
    return [variant for variant in variants if variant.seeds and set(fields) <= variant.fields.keys()]


def _places(values: Sequence[object]) -> dict[str, float]:
    """Place each different value on an axis: numbers in their order and distance, others one by one."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) < len(values) or not numbers:
        return {text: float(k) for k, text in enumerate(dict.fromkeys(map(_text, values)))}
    low, high = min(numbers), max(numbers)
    logarithmic = low > 0 and high / low >= 8
    return {_text(value): math.log10(value) if logarithmic else float(value) for value in sorted(set(numbers))}


def _smallest_gap(places: Iterable[float]) -> float:
    return min((after - before for before, after in itertools.pairwise(sorted(places))), default=1.0)


def _colours(theme: Theme) -> tuple[str, str, str, str]:
    """Four colours, told apart by lightness too; more lines than that repeat them, and are named anyway."""
    return theme.training, theme.validation, theme.ink, theme.muted


def _pool(variants: Sequence[VariantResults], measure: Measure) -> Summary:
    return summarise([value for variant in variants for value in getattr(variant, measure)])


def _half_width(summary: Summary) -> str:
    return f"{50 * (summary.interval.high - summary.interval.low):.2f}" if summary.interval else ""


def _other_fields(variant: VariantResults, field: str) -> str:
    return "\n".join(f"{_words(name)} {_text(value)}" for name, value in variant.fields.items() if name != field)


def _text(value: object) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple | list) else plain(value)


def _words(field: str) -> str:
    return field.replace("_", " ")
