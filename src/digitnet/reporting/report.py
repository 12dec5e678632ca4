"""The report of a run: one self-contained HTML file, and its figures as PNG files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import nn

from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import Evaluation, load_evaluation
from digitnet.evaluation.layers import trace_layers
from digitnet.evaluation.mistakes import Mistake, find_mistakes
from digitnet.files import write_whole
from digitnet.metrics import softmax
from digitnet.reporting.figures import TracedImage, draw_figures, save_figures
from digitnet.reporting.how_it_reads import Example, describe_reading
from digitnet.reporting.page import Findings, compose
from digitnet.reporting.template import fill
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network


def make_report(run: Run | Path | str, dataset: Dataset | None = None) -> Path:
    """Write ``report.html`` and ``figures/*.png`` into a finished run's folder; return the path of the page.

    Evaluates the run first if that has not been done. `dataset` saves reading the data again; by default it is
    the one that the run was trained on. Takes about four seconds. Raises RunError when the run is not finished or
    the data is not what it was trained on, and StorageError if a file could not be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()  # before the data is loaded, which takes time
    dataset = run.check_data(dataset) if dataset else run.dataset
    found = collect_findings(run, dataset)
    page = render(found)
    figures = draw_figures(  # before any file is written
        found.history, dataset, found.evaluation, found.mistakes, found.traced
    )
    with run.locked():
        save_figures(figures, run.path / "figures")
        write_whole(run.path / "report.html", page)
    return run.path / "report.html"


def collect_findings(run: Run, dataset: Dataset) -> Findings:
    """Collect everything that the report shows of a run."""
    evaluation = load_evaluation(run, dataset)
    network = load_network(run)
    mistakes = find_mistakes(evaluation.logits, dataset)
    return Findings(
        name=run.path.resolve().name,
        folder=run.path,
        config=run.config,
        history=run.history,
        summary=run.summary,
        environment=run.environment,
        dataset=dataset,
        evaluation=evaluation,
        mistakes=mistakes,
        traced=trace_first_correct(network, dataset, evaluation),
        reads=describe_reading(
            network, run.config, choose_examples(dataset, evaluation, mistakes), dataset.label_names
        ),
    )


def choose_examples(
    dataset: Dataset, evaluation: Evaluation, mistakes: Sequence[Mistake], correct: int = 8, wrong: int = 4
) -> list[Example]:
    """Take the first test image of each class that was read correctly, then the most confident mistakes."""
    predicted, names = evaluation.logits.argmax(axis=1), dataset.label_names
    probabilities = softmax(evaluation.logits)
    found = [np.flatnonzero((predicted == k) & (evaluation.labels == k))[:1] for k in range(len(names))]
    first = [int(index) for indices in found for index in indices][:correct]
    chosen = [*first, *(mistake.index for mistake in mistakes[:wrong])]
    return [
        Example(
            image=dataset.test.images[index],
            title=names[evaluation.labels[index]],
            note=""
            if (is_correct := predicted[index] == evaluation.labels[index])
            else f"read as {names[predicted[index]]}",
            is_wrong=not is_correct,
            probabilities=tuple(float(p) for p in probabilities[index]),
        )
        for index in chosen or [0]
    ]


def trace_first_correct(network: nn.Module, dataset: Dataset, evaluation: Evaluation) -> TracedImage:
    """Follow the first test image that was read correctly, or the very first if there is none."""
    index = int(np.argmax(evaluation.logits.argmax(axis=1) == evaluation.labels))
    image = dataset.test.images[index]
    return TracedImage(
        image=image,
        layers=trace_layers(network, image[None]),
        probabilities=tuple(float(p) for p in softmax(evaluation.logits[index : index + 1])[0]),
    )


def render(found: Findings) -> str:
    """Make the HTML of the page: the same for the same findings."""
    return fill("report.html.jinja", compose(found))
