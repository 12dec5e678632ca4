"""Parts of the figures: means with their intervals, labels, titles, and positions of values.

Names are written beside their points, and every mean has its 95% interval.
"""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator, PercentFormatter

from digitnet.comparing.collect import VariantResults
from digitnet.comparing.statistics import Summary, summarise
from digitnet.errors import UsageError, nearest
from digitnet.reporting.style import Theme
from digitnet.reporting.words import plain

Point = tuple[float, float]


DOT = 4.5
"""Distance of two dots of seeds that lie beside each other, in pixels."""


def draw_mean(axes: Axes, x: float, summary: Summary, colour: str) -> None:
    """Draw a mean as a diamond at `x`, and its 95% interval as a bar."""
    if summary.interval:
        axes.vlines(x, summary.interval.low, min(1.0, summary.interval.high), color=colour, linewidth=2, zorder=3)
    axes.scatter([x], [summary.mean], s=34, color=colour, marker="D", linewidths=0, zorder=4)


def note(axes: Axes, point: Point, text: str, offset: Point, colour: str) -> Annotation:
    """Write beside a point, `offset` points of type to the right and up."""
    side = "left" if offset[0] > 0 else "right" if offset[0] < 0 else "center"
    return axes.annotate(
        text, point, offset, textcoords="offset points", color=colour, ha=side, va="center", fontsize=9, zorder=5
    )


def head(axes: Axes, title: str, explanation: str, theme: Theme) -> None:
    """Write the title, and under it what the marks mean."""
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


def scale_accuracy(axes: Axes, groups: Sequence[Sequence[float]]) -> None:
    """Scale the vertical axis to the accuracies of each group."""
    axes.set_ylim(span_of(groups, most=1.0))
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def span_of(groups: Sequence[Sequence[float]], most: float = math.inf) -> tuple[float, float]:
    """Return the ends of an axis that shows every seed; the interval of two seeds, often huge, may be cut off."""
    values = [value for group in groups for value in group] or [0.0, 1.0]
    low, high = min(values), max(values)
    spread = max(high - low, 0.001)
    ends = [i for group in groups if (i := summarise(group).interval)]
    low = max(low - spread / 2, min([low, *(i.low for i in ends)])) - 0.08 * spread
    high = min(most, high + spread / 2, max([high, *(i.high for i in ends)])) + 0.08 * spread
    return low, high


def finished(variants: Sequence[VariantResults], *fields: str) -> list[VariantResults]:
    """Return variants with results and these fields; raise UsageError for a field that no variant has."""
    known = {name for variant in variants for name in variant.fields}
    if unknown := [field for field in fields if field not in known]:
        raise UsageError(f"There is no varied field {unknown[0]!r} to draw. {nearest(unknown[0], known)}")
    return [variant for variant in variants if variant.seeds and set(fields) <= variant.fields.keys()]


def are_numbers(values: Sequence[object]) -> bool:
    """Tell whether values lie on a scale; all others are categories, through which no line runs."""
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def place_values(values: Sequence[object]) -> dict[str, float]:
    """Place each different value on an axis: numbers to scale, others at equal distances.

    Lists of numbers are ordered by length, then by content; other values keep their order.
    """
    if not are_numbers(values):
        lists = [tuple(value) for value in values if isinstance(value, tuple | list)]
        lists.sort(key=lambda value: (len(value), value))
        ordered = lists if len(lists) == len(values) else values
        return {text: float(k) for k, text in enumerate(dict.fromkeys(map(text_of, ordered)))}
    numbers = [value for value in values if isinstance(value, int | float)]
    low, high = min(numbers), max(numbers)
    logarithmic = low > 0 and high / low >= 8
    return {text_of(value): math.log10(value) if logarithmic else float(value) for value in sorted(set(numbers))}


def text_of(value: object) -> str:
    """Write a value as the figures show it: ``16-32``, ``1,000``."""
    return "-".join(map(str, value)) if isinstance(value, tuple | list) else plain(value)


def words_of(field: str) -> str:
    """Write the name of a field in words."""
    return field.replace("_", " ")
