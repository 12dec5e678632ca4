"""The contents of the page: everything that the template shows, as plain values. No files are read or written."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitnet import metrics
from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.evaluation.curve import read_curve
from digitnet.evaluation.evaluate import Evaluation
from digitnet.evaluation.mistakes import Mistake
from digitnet.presets import nearest_preset, to_command
from digitnet.reporting import confidence, words
from digitnet.reporting.blog_runs import is_blog_experiment, place_among, stored_runs, strip_figure
from digitnet.reporting.confusion import mistake_anchor, panels_of, rows_of
from digitnet.reporting.figures import TracedImage
from digitnet.reporting.glossary import Glossary
from digitnet.reporting.graphs import coverage_figure, loss_figure, reliability_figure, smoothing_window
from digitnet.reporting.next_steps import (
    change_one_thing,
    compare_over_seeds,
    look_at_an_image,
    read_a_picture,
)
from digitnet.reporting.pictures import Drawing, Picture, drawing, sample_strips, thumbnail
from digitnet.run_folder import History

MOST_CARDS = 200  # mistakes shown one by one; a bad network makes thousands
FIRST_CARDS = 24  # the others are folded away


@dataclass(frozen=True)
class Findings:
    """Everything about a finished run that the page shows."""

    name: str
    folder: Path
    config: TrainConfig
    history: History
    summary: dict[str, Any]
    environment: dict[str, Any]
    dataset: Dataset
    evaluation: Evaluation
    mistakes: Sequence[Mistake]  # the most confident first
    traced: TracedImage  # of the figures of filters and maps
    reads: dict[str, Any] | None  # of the section "How this network reads a digit"


@dataclass(frozen=True)
class Card:
    """One mistake, ready to show."""

    anchor: str
    index: int
    image: Picture
    true: str
    read: str
    confidence: str
    true_probability: str
    neighbours: tuple[tuple[Picture, str], ...]  # nearest training images with their labels
    disputed: str | None


def compose(found: Findings) -> dict[str, Any]:
    """Make the values of the template, by their names in it."""
    names, evaluation = found.dataset.label_names, found.evaluation
    cards = [card(mistake, found.dataset) for mistake in found.mistakes[:MOST_CARDS]]
    bins = metrics.reliability(evaluation.logits, evaluation.labels)
    reading = read_curve(found.history, found.config)
    in_training = found.history.training[-1].mean_accuracy
    calibration = confidence.describe_calibration(evaluation, found.config, in_training)
    return {
        "name": found.name,
        "config": found.config,
        "label_names": names,
        "accuracy": words.percent(evaluation.accuracy),
        "result": words.describe_result(evaluation, found.config, found.summary, len(found.dataset.train)),
        "blog": beside_the_blog(found) if is_blog_experiment(found.config) else None,
        "facts": facts(found),
        "longest": max(len(name) for name in names),
        "samples": sample_strips(found.dataset.train, names),
        "reading": reading,
        "dots": words.describe_dots(found.config, smoothing_window(found.history)),
        "smoothing": confidence.describe_smoothing(found.config, len(names)),
        "loss": drawing(
            lambda width, theme: loss_figure(found.history, width, theme),
            f"Graphs of loss and accuracy over {found.config.optimisation.steps:,} steps. {reading.sentence}",
        ),
        "cards": (cards[:FIRST_CARDS], cards[FIRST_CARDS:]),
        "mistakes": len(found.mistakes),
        "carded": len(cards),
        "disputed": sum(mistake.disputed is not None for mistake in found.mistakes),
        "confusion": rows_of(evaluation),
        "panels": panels_of(found.mistakes, names, carded=len(cards)),
        "classes": class_rows(evaluation),
        "calibration": calibration,
        "reliability": drawing(
            lambda width, theme: reliability_figure(bins, width, theme),
            f"Graph of accuracy against confidence. {calibration}",
        ),
        "selection": (selection := confidence.describe_coverage(evaluation)),
        "coverage": drawing(
            lambda width, theme: coverage_figure(evaluation.coverage.points(100), width, theme),
            f"Graph of the mistakes among the answers, the most confident first. In-sample. {selection}",
        ),
        "reads": found.reads,
        "settings": words.setting_rows(found.config),
        "preset": nearest_preset(found.config),
        "environment": environment_rows(found.environment),
        "next_steps": [
            look_at_an_image(found.folder, evaluation),
            read_a_picture(found.folder, evaluation),
            change_one_thing(found.config, reading),
            compare_over_seeds(found.config, reading),
        ],
        "glossary": Glossary(),
        "command": found.summary.get("command") or to_command(found.config),
    }


def beside_the_blog(found: Findings) -> tuple[str, Drawing]:
    """Place a run of the blog's recipe among runs of other seeds: a sentence and a strip plot."""
    accuracy, runs = found.evaluation.accuracy, stored_runs().without(found.config.seed)
    sentence = place_among(accuracy, runs)
    return sentence, drawing(
        lambda width, theme: strip_figure(accuracy, runs, width, theme),
        f"Strip plot of test accuracies. {sentence}",
    )


def facts(found: Findings) -> list[tuple[str, str]]:
    """List the key numbers of the run, each with its name."""
    summary = found.summary
    memory = summary.get("peak_memory_bytes")
    return [
        ("Mistakes", f"{len(found.mistakes):,}"),
        ("Validation accuracy", words.percent(summary["validation"]["accuracy"])),
        ("Training time", words.duration(summary["seconds"])),
        ("Images per second", f"{summary['images_per_second']:,.0f}"),
        ("Parameters", f"{summary['parameters']:,}"),
        ("Peak memory", words.size(memory) if memory else "not known"),
    ]


def card(mistake: Mistake, dataset: Dataset) -> Card:
    """Make the card of one mistake."""
    names, train = dataset.label_names, dataset.train
    true, read = names[mistake.true], names[mistake.predicted]
    return Card(
        anchor=mistake_anchor(mistake),
        index=mistake.index,
        image=thumbnail(mistake.image, f"test image {mistake.index}, labelled {true}, read as {read}"),
        true=true,
        read=read,
        confidence=words.percent(mistake.confidence, 1),
        true_probability=words.percent(mistake.probabilities[mistake.true], 1),
        neighbours=tuple(
            (
                thumbnail(train.images[k], f"training image labelled {names[train.labels[k]]}"),
                names[train.labels[k]],
            )
            for k in mistake.neighbours
        ),
        disputed=mistake.disputed,
    )


def class_rows(evaluation: Evaluation) -> list[tuple[str, str, str, str, str]]:
    """List name, images, recall and precision of each class, and the class that it is most often mistaken for."""
    counts, names = evaluation.confusion, evaluation.label_names
    wrong = counts - np.diag(np.diag(counts))
    precision, recall = metrics.precision(counts), metrics.recall(counts)
    return [
        (
            name,
            f"{counts[k].sum():,}",
            words.percent(recall[k]),
            words.percent(precision[k]),
            f"{names[int(wrong[k].argmax())]} ({wrong[k].max():,})" if wrong[k].any() else "none",
        )
        for k, name in enumerate(names)
    ]


def environment_rows(values: dict[str, Any]) -> list[tuple[str, str]]:
    """Flatten environment.json to names and values, without the command, which is shown elsewhere."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += environment_rows(value)
        elif key != "command":
            rows.append((key.replace("_", " "), words.plain(value)))
    return rows
