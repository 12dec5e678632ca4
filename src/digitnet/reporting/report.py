"""The report of a run: one self-contained HTML file, and its figures as PNG files."""

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

    Evaluates the run first if that has not been done. `dataset` saves reading the data again; by default it is
    the one that the run was trained on. Takes about four seconds. Raises RunError when the run is not finished or
    the data is not what it was trained on, and StorageError if a file could not be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()  # before the data is loaded, which takes time
    dataset = run.check_data(dataset) if dataset else run.dataset
    found = collect_findings(run, dataset)
    page = render(found)
    figures = draw_figures(
        found.history, dataset, found.evaluation, found.mistakes, found.filters, found.example
    )  # drawn before any file is written
    with run.locked():
        save_figures(figures, run.path / "figures")
        write_whole(run.path / "report.html", page)
    return run.path / "report.html"


def collect_findings(run: Run, dataset: Dataset) -> Findings:
    """Collect everything that the report shows of a run."""
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
    """Take the first test image that was read correctly, or the very first if there is none."""
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
    """Make the HTML of the page: the same for the same findings."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,  # the names of classes come from the user's data
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(compose(found))
