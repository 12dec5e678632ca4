"""Graphs: loss and accuracy over the steps, confusion matrix, reliability diagram, coverage curve.

Each function is pure: measurements in, a matplotlib Figure out.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from digitnet.evaluation.curve import tell_apart
from digitnet.evaluation.trends import smooth
from digitnet.metrics import ReliabilityBin, wilson_interval
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, styled
from digitnet.reporting.words import percent
from digitnet.run_folder import History, TrainingRow

Floats = npt.NDArray[np.floating[Any]]
Curve = tuple[str, str, Sequence[float], Floats]  # name, colour, steps, values


def loss_figure(history: History, width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw loss and accuracy over the steps: dots as measured, and a line for training that smooths many dots.

    A training measurement is the mean of the steps since the one before, so it is drawn in their middle.
    """
    rows, checks = history.training, history.validation
    steps, check_steps = middles(rows), [float(row.step) for row in checks]
    window = smoothing_window(history)
    losses: list[Curve] = [
        ("training", theme.training, steps, smooth([row.mean_loss for row in rows], window)),
        ("validation", theme.validation, check_steps, np.array([row.validation_loss for row in checks])),
    ]
    accuracies: list[Curve] = [
        ("training", theme.training, steps, smooth([row.mean_accuracy for row in rows], window)),
        ("validation", theme.validation, check_steps, np.array([row.validation_accuracy for row in checks])),
    ]
    with styled(theme):
        if width == "wide":
            figure = canvas(880, 350)
            left, right = place(figure, 58, 34, 292, 262), place(figure, 498, 34, 300, 262)
        else:
            figure = canvas(360, 556)
            left, right = place(figure, 56, 34, 220, 200), place(figure, 56, 306, 220, 200)
        left.scatter(steps, [row.mean_loss for row in rows], s=5, color=theme.training, alpha=0.45, linewidths=0)
        _draw_curves(left, losses)
        _scale_loss(left, losses)
        _label_ends(left, losses, theme)
        right.scatter(
            steps, [row.mean_accuracy for row in rows], s=5, color=theme.training, alpha=0.45, linewidths=0
        )
        _draw_curves(right, accuracies)
        _scale_accuracy(right, accuracies)
        _label_ends(right, accuracies, theme)
    return figure


def smoothing_window(history: History) -> int:
    """Measurements that the line of training averages; below 2, it joins the dots."""
    return len(history.training) // 25


def middles(rows: Sequence[TrainingRow]) -> list[float]:
    """Middle of the steps that each measurement is the mean of: 5.5 for the steps 1 to 10."""
    steps = [0, *(row.step for row in rows)]
    return [(before + 1 + step) / 2 for before, step in itertools.pairwise(steps)]


def reliability_figure(bins: Sequence[ReliabilityBin], width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw accuracy against confidence, with 95% intervals; larger dots hold more images."""
    confidence = np.array([row.confidence for row in bins])
    accuracy = np.array([row.accuracy for row in bins])
    count = np.array([row.count for row in bins])
    ends = [wilson_interval(round(row.accuracy * row.count), row.count) for row in bins]
    side = 400 if width == "wide" else 290
    with styled(theme):
        figure = canvas(side + 70, side + 84)
        axes = place(figure, 50, 34, side, side)
        axes.plot([0, 1], [0, 1], color=theme.muted, linewidth=1, linestyle=(0, (4, 3)))
        axes.vlines(confidence, [e.low for e in ends], [e.high for e in ends], color=theme.training, linewidth=1.5)
        areas = 18 + 160 * np.sqrt(count / count.max(initial=1))
        axes.scatter(
            confidence, accuracy, s=areas, color=theme.training, edgecolors=theme.paper, linewidths=1, zorder=3
        )
        axes.text(0.04, 0.97, "underconfident", color=theme.muted, va="top")
        axes.text(0.98, 0.04, "overconfident", color=theme.muted, ha="right")
        axes.set(xlim=(0, 1.03), ylim=(0, 1.03), title="Accuracy", xlabel="confidence")
        axes.grid(True, axis="both")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(5))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    return figure


def coverage_figure(points: Sequence[tuple[float, float]], width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw the error rate if only the most confident answers are given; `points` are (coverage, accuracy).

    The curve is in-sample: the threshold behind each point is chosen on the answers that it is measured on.
    """
    coverage, accuracy = (np.array(values) for values in zip(*points, strict=True))
    side = 400 if width == "wide" else 290
    with styled(theme):
        figure = canvas(side + 70, side + 84)
        axes = place(figure, 50, 34, side, side)
        axes.plot(coverage, 1 - accuracy, color=theme.training, linewidth=2)
        axes.text(0.98, 0.96, "in-sample", color=theme.muted, ha="right", va="top", transform=axes.transAxes)
        axes.set(
            xlim=(
                1,
                min(0.95, float(coverage[accuracy < 1].min(initial=1)) - 0.02),
            ),  # beyond, no errors
            ylim=(0, max(1.05 * float((1 - accuracy).max()), 1e-4)),
            title="Error among the images it answers",
            xlabel="images answered, the most confident first",
        )
        axes.grid(True, axis="both")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))
        axes.yaxis.set_major_locator(MaxNLocator(5))
    return figure


def confusion_figure(
    confusion: npt.NDArray[np.int64], label_names: Sequence[str], width: Width = "wide", theme: Theme = LIGHT
) -> Figure:
    """Draw the confusion matrix ``(K, K)``; only mistakes are shaded, or the correct answers would hide them."""
    mistakes = confusion - np.diag(np.diag(confusion))
    longest = max(len(name) for name in label_names)
    side, margin = (480, 40 + 7 * longest) if width == "wide" else (270, 36 + 6 * longest)
    dark = mistakes > 0.6 * mistakes.max(initial=1)
    with styled(theme):
        figure = canvas(side + margin + 20, side + margin + 40)
        axes = place(figure, margin, 34, side, side)
        shades = LinearSegmentedColormap.from_list("mistakes", [theme.paper, theme.validation])
        axes.imshow(shades(np.sqrt(mistakes / mistakes.max(initial=1))), interpolation="nearest")
        for (true, predicted), number in np.ndenumerate(confusion):
            if number:
                colour = theme.muted if true == predicted else theme.paper if dark[true, predicted] else theme.ink
                size = {"wide": 9, "narrow": 6.5}[width]
                axes.text(predicted, true, f"{number}", ha="center", va="center", color=colour, fontsize=size)
        positions = range(len(label_names))
        axes.set_xticks(positions, label_names, rotation=90 if longest > 2 else 0)
        axes.set_yticks(positions, label_names)
        axes.tick_params(length=0, labelcolor=theme.ink)
        axes.set(title="Confusion matrix", xlabel="predicted class", ylabel="true class")
        axes.grid(False)
        for edge in np.arange(len(label_names) + 1) - 0.5:
            axes.axhline(edge, color=theme.line, linewidth=0.5)
            axes.axvline(edge, color=theme.line, linewidth=0.5)
        axes.spines["bottom"].set_visible(False)
    return figure


def _draw_curves(axes: Axes, curves: Sequence[Curve]) -> None:
    for _, colour, steps, values in curves:
        mark = "o" if len(steps) <= 40 else ""
        axes.plot(steps, values, color=colour, linewidth=1.8, marker=mark, markersize=2.5)
    last = max((max(steps, default=0) for _, _, steps, _ in curves), default=0)
    axes.set_xlim(0, max(1, last))
    axes.set_xlabel("step")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))


def _scale_loss(axes: Axes, curves: Sequence[Curve]) -> None:
    """Use a logarithmic axis if the loss spans more than a factor of ten; single batches may lie outside."""
    values = np.concatenate([curve[3] for curve in curves] or [np.ones(1)])
    values = values[np.isfinite(values) & (values > 0)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.1, 1.0)
    if high / low > 10:
        axes.set_yscale("log")
        axes.set_ylim(low / 2.5, high * 1.6)
        axes.yaxis.set_major_locator(LogLocator(subs=(1,) if high / low > 300 else (1, 3)))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_title("Loss (logarithmic)")
    else:
        axes.set_ylim(0, high * 1.15)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_title("Loss")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def _scale_accuracy(axes: Axes, curves: Sequence[Curve]) -> None:
    """Start the axis so that nine tenths of the measurements fit, and the end of the training has room."""
    values = np.concatenate([curve[3] for curve in curves] or [np.zeros(1)])
    low = float(np.quantile(values, 0.1)) if len(values) else 0.0
    room = max(0.01, 1 - low)
    bottom = max(0.0, 1 - 1.5 * room)
    axes.set_ylim(bottom, 1 + 0.04 * room)
    axes.yaxis.set_major_locator(FixedLocator(ticks_down_from_1(bottom)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.10g}%"))
    axes.set_title("Accuracy")


def ticks_down_from_1(bottom: float) -> list[float]:
    """Place at most six ticks at round fractions from 1 down to `bottom`, which is from 0 to below 1."""
    steps = (base / 10**decimals for decimals in range(12, 0, -1) for base in (1, 2, 5))
    step = next(step for step in steps if (1 - bottom) / step < 5.5)
    return [1 - k * step for k in range(6) if 1 - k * step > bottom - 1e-9 * step]


def _label_ends(axes: Axes, curves: Sequence[Curve], theme: Theme) -> None:
    """Write the name and last value of each curve at its end, and move labels apart that would overlap."""
    drawn = [curve for curve in curves if len(curve[2])]
    to_axes = axes.transData + axes.transAxes.inverted()
    heights = [float(np.clip(to_axes.transform((steps[-1], values[-1]))[1], 0, 1)) for *_, steps, values in drawn]
    apart = 38 / (axes.get_window_extent().height or 1)
    if len(heights) == 2 and abs(heights[0] - heights[1]) < apart:
        middle = min(max(sum(heights) / 2, apart / 2), 1 - apart / 2)
        upper = int(heights[1] > heights[0])
        heights[upper], heights[1 - upper] = middle + apart / 2, middle - apart / 2
    is_accuracy = axes.get_title(loc="left") == "Accuracy"
    ends = [float(values[-1]) for *_, values in drawn]
    texts = [percent(value) for value in ends] if is_accuracy else tell_apart(*ends)
    for (name, colour, *_), height, text in zip(drawn, heights, texts, strict=True):
        axes.text(1.03, height, f"{name}\n{text}", color=colour, transform=axes.transAxes, va="center")
