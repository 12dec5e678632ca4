"""The figures of a run as PNG files, for a README, a talk or the run's folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from digitnet.data.dataset import Dataset, UInt8
from digitnet.evaluation.evaluate import Evaluation
from digitnet.evaluation.layers import Layer, filters_of, maps_of
from digitnet.evaluation.mistakes import Mistake
from digitnet.files import make_folder, write_whole
from digitnet.metrics import reliability
from digitnet.reporting.galleries import activation_figure, filter_figure, mistakes_figure, sample_figure
from digitnet.reporting.graphs import confusion_figure, coverage_figure, loss_figure, reliability_figure
from digitnet.reporting.style import to_png
from digitnet.run_folder import History

__all__ = [
    "TracedImage",
    "activation_figure",
    "confusion_figure",
    "coverage_figure",
    "draw_figures",
    "filter_figure",
    "loss_figure",
    "mistakes_figure",
    "reliability_figure",
    "sample_figure",
    "save_figures",
]


@dataclass(frozen=True)
class TracedImage:
    """One test image with what each layer makes of it, and the probabilities."""

    image: UInt8  # (rows, columns)
    layers: Sequence[Layer]
    probabilities: tuple[float, ...]  # (K,)


def draw_figures(
    history: History,
    dataset: Dataset,
    evaluation: Evaluation,
    mistakes: Sequence[Mistake],
    traced: TracedImage,
) -> dict[str, Figure]:
    """Draw every figure of a run, keyed by file name; filters and activations need a network with convolutions."""
    names = dataset.label_names
    figures = {
        "samples": sample_figure(dataset.train, names),
        "loss": loss_figure(history),
        "mistakes": mistakes_figure(mistakes, names),
        "confusion": confusion_figure(evaluation.confusion, names),
        "reliability": reliability_figure(reliability(evaluation.logits, evaluation.labels)),
        "coverage": coverage_figure(evaluation.coverage.points(100)),
    }
    if filters := filters_of(traced.layers):
        maps = maps_of(traced.layers)
        figures["filters"] = filter_figure(filters)
        figures["activations"] = activation_figure(traced.image, maps, traced.probabilities, names)
    return figures


def save_figures(figures: dict[str, Figure], folder: Path) -> list[Path]:
    """Write each figure to ``folder/NAME.png``; raise StorageError if that fails."""
    make_folder(folder)
    return [save_figure(figure, folder / f"{name}.png") for name, figure in figures.items()]


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG, whole or not at all; raise StorageError if that fails."""
    write_whole(path, to_png(figure))
    return path
