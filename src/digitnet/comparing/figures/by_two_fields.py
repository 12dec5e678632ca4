"""Mean accuracy by two fields: a heat map."""

from collections import Counter
from collections.abc import Sequence

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from digitnet.comparing.collect import Measure, VariantResults
from digitnet.comparing.figures.drawing import finished, head, place_values, text_of, words_of
from digitnet.comparing.statistics import Summary, summarise
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, styled
from digitnet.reporting.words import percent


def heat_figure(
    variants: Sequence[VariantResults],
    row_field: str,
    column_field: str,
    measure: Measure = "test",
    width: Width = "wide",
    theme: Theme = LIGHT,
) -> Figure:
    """Draw mean accuracy by two fields, in a stronger colour for better; the best on validation is outlined.

    A cell holds all seeds of the variants with its two values. Raises UsageError for an unknown field.
    """
    shown = finished(variants, row_field, column_field)
    rows, columns = (list(place_values([v.fields[name] for v in shown])) for name in (row_field, column_field))
    cells: dict[tuple[int, int], list[VariantResults]] = {}
    for variant in shown:
        where = (
            rows.index(text_of(variant.fields[row_field])),
            columns.index(text_of(variant.fields[column_field])),
        )
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
            strength = 0.05 + 0.5 * (
                (summary.mean - low) / (high - low) if high > low else 0.0
            )  # text stays legible
            axes.add_patch(
                Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=shades(strength), edgecolor=theme.paper)
            )
            axes.text(column, row - 0.14, percent(summary.mean), ha="center", va="center")
            ends = summary.interval
            small = f"± {50 * (ends.high - ends.low):.2f}" if ends else "one seed"
            axes.text(column, row + 0.22, small, ha="center", va="center", fontsize=8)
        if chosen:
            corner = (chosen[1] - 0.47, chosen[0] - 0.47)
            axes.add_patch(Rectangle(corner, 0.94, 0.94, fill=False, edgecolor=theme.validation, linewidth=2.5))
        axes.set(xlim=(-0.5, max(1, len(columns)) - 0.5), ylim=(max(1, len(rows)) - 0.5, -0.5))
        axes.set_xticks(range(len(columns)), columns)
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(length=0, labelcolor=theme.ink)
        axes.set(xlabel=words_of(column_field), ylabel=words_of(row_field))
        axes.grid(False)
        axes.spines["bottom"].set_visible(False)
        head(axes, f"{measure.title()} accuracy", "± 95% interval; outline: best on validation", theme)
    return figure


def is_crossed(variants: Sequence[VariantResults], row_field: str, column_field: str) -> bool:
    """Tell whether every value of one field was tried with every value of the other, all equally often.

    Only then does a heat map compare like with like.
    """
    shown = finished(variants, row_field, column_field)
    cells = Counter((text_of(v.fields[row_field]), text_of(v.fields[column_field])) for v in shown)
    rows, columns = ({cell[k] for cell in cells} for k in (0, 1))
    full = len(cells) == len(rows) * len(columns) and len(set(cells.values())) == 1
    return full and len(rows) > 1 and len(columns) > 1


def _pool(variants: Sequence[VariantResults], measure: Measure) -> Summary:
    return summarise([value for variant in variants for value in getattr(variant, measure)])
