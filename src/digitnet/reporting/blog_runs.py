"""The blog's one figure, and one run, among many runs of the same program: how far a single run can mislead."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from matplotlib.figure import Figure

from digitnet.config import TrainConfig
from digitnet.presets import preset
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, spread_dots, styled
from digitnet.reporting.words import RUNNING, percent

BLOG_ACCURACY = 0.9922  # what the blog post reports for its one run


@dataclass(frozen=True)
class BlogRuns:
    """Test accuracies of the preset `blog`, each of another seed."""

    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]

    def without(self, seed: int) -> "BlogRuns":
        """Leave out the run of a seed."""
        kept = [(other, value) for other, value in zip(self.seeds, self.accuracies, strict=True) if other != seed]
        return BlogRuns(tuple(other for other, _ in kept), tuple(value for _, value in kept))

    def below(self, accuracy: float) -> int:
        """Count the runs with a lower accuracy."""
        return sum(value < accuracy for value in self.accuracies)


@cache
def stored_runs() -> BlogRuns:
    """Read the runs that came with digitnet; `make docs` copies them from benchmarks/results/blog.json."""
    values = json.loads((Path(__file__).parent / "blog_runs.json").read_text(encoding="utf-8"))
    return BlogRuns(tuple(values["seeds"]), tuple(values["accuracies"]))


def is_blog_experiment(config: TrainConfig) -> bool:
    """Tell whether a run used the blog's recipe, whatever its seed and device."""
    return set(config.differences(preset("blog"))) <= RUNNING | {"seed"}


def place_among(accuracy: float, runs: BlogRuns) -> str:
    """Say where the blog's figure and a run's accuracy lie among runs with other seeds."""
    values, points = runs.accuracies, 100 * typical_difference(runs.accuracies)
    return (
        f"The blog reports {percent(BLOG_ACCURACY)}, from one run. {len(values)} runs of the same program with "
        f"other seeds reach {percent(mean(values))} on average (standard deviation {100 * stdev(values):.2f} "
        f"points), from {percent(min(values))} to {percent(max(values))}. The blog's figure is above "
        f"{_count(runs.below(BLOG_ACCURACY), len(values))} of them, and this run's is above "
        f"{_count(runs.below(accuracy), len(values))}. By chance alone, two runs differ by {points:.2f} points on "
        "average, so one run says little about a recipe."
    )


def _count(some: int, total: int) -> str:
    return "none" if some == 0 else "all" if some == total else f"{some}"


def typical_difference(values: Sequence[float]) -> float:
    """Mean difference of two of the values: Gini's mean difference."""
    array = np.array(values)
    return float(np.abs(array[:, None] - array).sum() / (len(array) * (len(array) - 1)))


def strip_figure(accuracy: float, runs: BlogRuns, width: Width = "wide", theme: Theme = LIGHT) -> Figure:
    """Draw each run as a dot on one axis, with the blog's figure and this run marked."""
    across, height = (620, 122) if width == "wide" else (340, 122)
    values = np.array(runs.accuracies)
    low, high = min(*runs.accuracies, accuracy, BLOG_ACCURACY), max(*runs.accuracies, accuracy, BLOG_ACCURACY)
    margin = 0.1 * (high - low)
    with styled(theme):
        figure = canvas(across, height)
        axes = place(figure, 16, 50, across - 32, 36)
        pixel = (high - low + 2 * margin) / (across - 32)
        axes.scatter(values, spread_dots(values / pixel, 7), s=30, color=theme.muted, alpha=0.7, linewidths=0)
        marks = [(BLOG_ACCURACY, "the blog", theme.validation), (accuracy, "this run", theme.training)]
        middle = (low + high) / 2
        marks.sort(reverse=accuracy + BLOG_ACCURACY < 2 * middle)  # so that no line crosses a name
        for (value, name, colour), level in zip(marks, (1.1, 1.6), strict=True):
            axes.axvline(value, 0, level + 0.1, color=colour, linewidth=1.5, clip_on=False)
            side, shift = ("left", 0.006) if value < middle else ("right", -0.006)
            axes.text(
                value + shift * (high - low), level, f"{name} {percent(value)}", color=colour, ha=side,
                transform=axes.get_xaxis_transform(), fontweight="bold",
            )  # fmt: skip
        axes.set(xlim=(low - margin, high + margin), ylim=(-18, 18), yticks=[])
        axes.grid(False)
        ticks = np.arange(math.ceil(1_000 * (low - margin)), 1_000 * (high + margin)) / 1_000
        axes.set_xticks(ticks, [f"{100 * tick:.1f}%" for tick in ticks])
    return figure
