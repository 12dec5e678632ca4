"""The report of a run: one HTML file that needs nothing else, and its figures as PNG files."""

from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from torch import nn

from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import Evaluation, load_evaluation
from digitnet.evaluation.explain import activations, filters
from digitnet.evaluation.mistakes import find_mistakes
from digitnet.files import write_whole
from digitnet.metrics import softmax
from digitnet.reporting.figures import Example, draw_figures, save_figures
from digitnet.reporting.page import Findings, compose
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network


def make_report(run: Run | Path | str, dataset: Dataset | None = None) -> Path:
    """Write ``report.html`` and ``figures/*.png`` into a finished run's folder; return the path of the page.

    Evaluates the run first where that was not done yet. `dataset` saves reading the data again; by default it is
    the one that the run was trained on. Takes about four seconds. Raises RunError when the run is not finished or
    the data is not what it was trained on, and StorageError where the disk refuses.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()  # before the data takes its time
    dataset = run.check_data(dataset) if dataset else run.dataset
    found = find_out(run, dataset)
    page = render(found)
    figures = draw_figures(
        found.history, dataset, found.evaluation, found.mistakes, found.filters, found.example
    )  # drawn before anything is written
    with run.locked():
        save_figures(figures, run.path / "figures")
        write_whole(run.path / "report.html", page)
    return run.path / "report.html"


def find_out(run: Run, dataset: Dataset) -> Findings:
    """Collect all that the report says about a run."""
    evaluation = load_evaluation(run, dataset)
    network = load_network(run)
    return Findings(
        name=run.path.resolve().name,
        config=run.config,
        history=run.history,
        summary=run.summary,
        environment=run.environment,
        dataset=dataset,
        evaluation=evaluation,
        mistakes=find_mistakes(evaluation.logits, dataset),
        filters=filters(network),
        example=choose_example(network, dataset, evaluation),
    )


def choose_example(network: nn.Module, dataset: Dataset, evaluation: Evaluation) -> Example:
    """Follow the first test image that was read correctly, or the very first if none was."""
    index = int(np.argmax(evaluation.logits.argmax(axis=1) == evaluation.labels))
    image = dataset.test.images[index]
    return Example(
        index=index,
        image=image,
        label=int(dataset.test.labels[index]),
        maps=activations(network, image),
        probabilities=tuple(float(p) for p in softmax(evaluation.logits[index : index + 1])[0]),
    )


def render(found: Findings) -> str:
    """Make the page; pure, and the same page for the same findings."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # a folder of images names its classes as it likes
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(compose(found))
