"""Accuracy against cost: training time, and parameters."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox

from digitnet.comparing.collect import Measure, VariantResults
from digitnet.comparing.figures.drawing import Point, draw_mean, head, note, scale_accuracy
from digitnet.comparing.statistics import summarise
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, styled


def front_figure(
    variants: Sequence[VariantResults], measure: Measure = "test", width: Width = "wide", theme: Theme = LIGHT
) -> Figure:
    """Draw mean accuracy against training time and against parameters; the Pareto front is drawn and labelled.

    Variants off the front are labelled where there is room.
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
        head(left, f"{title} time", "bars: 95% interval; line: Pareto front", theme)
        head(right, f"{title} size", "bars: 95% interval; line: Pareto front", theme)
    return figure


def pareto(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Return positions on the Pareto front, by rising cost; of equal points, only the first."""
    front: list[int] = []
    for k in sorted(range(len(costs)), key=lambda k: (costs[k], -values[k], k)):
        if not front or values[k] > values[front[-1]]:
            front.append(k)
    return front


def _draw_front(
    axes: Axes, variants: Sequence[VariantResults], costs: Sequence[float], measure: Measure, theme: Theme
) -> None:
    summaries = [summarise(getattr(variant, measure)) for variant in variants]
    means = [summary.mean for summary in summaries]
    front = pareto(costs, means)
    scale_accuracy(axes, [getattr(variant, measure) for variant in variants])
    _scale_cost(axes, costs)
    axes.plot(
        [costs[k] for k in front],
        [means[k] for k in front],
        color=theme.training,
        drawstyle="steps-post",
        linewidth=1.2,
    )
    for k, summary in enumerate(summaries):
        draw_mean(axes, costs[k], summary, theme.training if k in front else theme.muted)
    others = [k for k in range(len(costs)) if k not in front]
    names = [
        (variants[k].name, (costs[k], means[k]), theme.training if k in front else theme.muted)
        for k in front + others
    ]
    _name_points(axes, names, [(costs[k], means[k]) for k in front])


def _name_points(axes: Axes, names: Sequence[tuple[str, Point, str]], line: Sequence[Point]) -> None:
    """Write names beside their points in this order; leave out those without a free place.

    The obstacles are every point, the steps of the `line` between its points, and earlier names.
    """
    steps = [(*before, after[0], before[1]) for before, after in itertools.pairwise(line)]
    rises = [(after[0], before[1], *after) for before, after in itertools.pairwise(line)]
    corners = np.array([*[(*point, *point) for _, point, _ in names], *steps, *rises]).reshape(-1, 2)
    pixels = axes.transData.transform(corners).reshape(-1, 4)
    taken = [Bbox.from_extents(*box).padded(9 if k < len(names) else 1) for k, box in enumerate(pixels)]
    inside = axes.get_window_extent()
    for name, point, colour in names:
        for offset in ((9, -9), (9, 9), (-9, 9), (-9, -9), (0, 14), (0, -14)):
            text = note(axes, point, name, offset, colour)
            box = text.get_window_extent()
            if inside.x0 < box.x0 and box.x1 < inside.x1 and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            text.remove()


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
    """Choose the unit that keeps a time short; return its name and its seconds."""
    return ("seconds", 1) if seconds < 180 else ("minutes", 60) if seconds < 3 * 3600 else ("hours", 3600)
