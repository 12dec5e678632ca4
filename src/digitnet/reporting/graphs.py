"""Graphs of numbers: the loss over the steps, the confusion matrix, how far confidence can be believed.

Each function is pure: measurements in, a matplotlib Figure out, nothing shown and nothing kept.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from digitnet.evaluation.curve import smooth
from digitnet.metrics import ReliabilityBin, wilson_interval
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, styled
from digitnet.run_folder import History

Floats = npt.NDArray[np.floating[Any]]
Curve = tuple[str, str, Sequence[int], Floats]  # what it is, its colour, steps, values


def loss_figure(history: History, width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw loss and accuracy over the steps: single batches faint, training smoothed, validation on top."""
    rows, checks = history.training, history.validation
    steps, check_steps = [row.step for row in rows], [row.step for row in checks]
    window = max(3, len(rows) // 20)
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
            left, right = place(figure, 48, 34, 302, 262), place(figure, 498, 34, 300, 262)
        else:
            figure = canvas(360, 556)
            left, right = place(figure, 46, 34, 230, 200), place(figure, 46, 306, 230, 200)
        left.scatter(steps, [row.loss for row in rows], s=5, color=theme.training, alpha=0.45, linewidths=0)
        _draw_curves(left, losses)
        _scale_loss(left, losses)
        _label_ends(left, losses, theme)
        right.scatter(steps, [row.accuracy for row in rows], s=5, color=theme.training, alpha=0.45, linewidths=0)
        _draw_curves(right, accuracies)
        _scale_accuracy(right, accuracies)
        _label_ends(right, accuracies, theme)
    return figure


def reliability_figure(bins: Sequence[ReliabilityBin], width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw how often the network is right against how sure it is: 95% intervals, larger dots for more images."""
    confidence = np.array([row.confidence for row in bins])
    share = np.array([row.accuracy for row in bins])
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
            confidence, share, s=areas, color=theme.training, edgecolors=theme.paper, linewidths=1, zorder=3
        )
        axes.text(0.04, 0.97, "right more often\nthan it thinks", color=theme.muted, va="top")
        axes.text(0.98, 0.04, "right less often\nthan it thinks", color=theme.muted, ha="right")
        axes.set(xlim=(0, 1.03), ylim=(0, 1.03), title="How often it was right", xlabel="how sure it was")
        axes.grid(True, axis="both")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(5))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.0f}%"))
    return figure


def coverage_figure(points: Sequence[tuple[float, float]], width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw how many answers are wrong if only the surest are given; `points` are (coverage, accuracy)."""
    coverage, accuracy = (np.array(values) for values in zip(*points, strict=True))
    side = 400 if width == "wide" else 290
    with styled(theme):
        figure = canvas(side + 70, side + 84)
        axes = place(figure, 50, 34, side, side)
        axes.plot(coverage, 1 - accuracy, color=theme.training, linewidth=2)
        axes.set(
            xlim=(1, min(0.95, float(coverage[accuracy < 1].min(initial=1)) - 0.02)),  # beyond, nothing is wrong
            ylim=(0, max(1.05 * float((1 - accuracy).max()), 1e-4)),
            title="Wrong, of the answers given",
            xlabel="share of the images that it answers, the surest",
        )
        axes.grid(True, axis="both")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.3g}%"))
        axes.yaxis.set_major_locator(MaxNLocator(5))
    return figure


def confusion_figure(
    confusion: npt.NDArray[np.int64], label_names: Sequence[str], width: Width = "wide", theme: Theme = LIGHT
) -> Figure:
    """Draw the confusion matrix ``(K, K)``; only mistakes are shaded: right answers would outshine them."""
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
        axes.set(title="Confusion matrix", xlabel="what the network read", ylabel="what it is")
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
    """Use a logarithmic axis where the loss spans more than a factor of ten; single batches may fall off it."""
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
    """Begin the axis where nine tenths of the measurements lie above, so that the end of the training has room."""
    values = np.concatenate([curve[3] for curve in curves] or [np.zeros(1)])
    low = float(np.quantile(values, 0.1)) if len(values) else 0.0
    room = max(0.01, 1 - low)
    axes.set_ylim(max(0.0, 1 - 1.5 * room), 1 + 0.04 * room)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:.10g}%"))
    axes.set_title("Accuracy")


def _label_ends(axes: Axes, curves: Sequence[Curve], theme: Theme) -> None:
    """Name each curve at its end, in its colour, with its last value; names that would touch are moved apart."""
    drawn = [curve for curve in curves if len(curve[2])]
    to_share = axes.transData + axes.transAxes.inverted()
    heights = [float(np.clip(to_share.transform((steps[-1], values[-1]))[1], 0, 1)) for *_, steps, values in drawn]
    apart = 38 / (axes.get_window_extent().height or 1)
    if len(heights) == 2 and abs(heights[0] - heights[1]) < apart:
        middle = min(max(sum(heights) / 2, apart / 2), 1 - apart / 2)
        upper = int(heights[1] > heights[0])
        heights[upper], heights[1 - upper] = middle + apart / 2, middle - apart / 2
    for (name, colour, _, values), height in zip(drawn, heights, strict=True):
        is_share = axes.get_title(loc="left") == "Accuracy"
        value = f"{100 * values[-1]:.2f}%" if is_share else f"{values[-1]:.3g}"
        axes.text(1.03, height, f"{name}\n{value}", color=colour, transform=axes.transAxes, va="center")
