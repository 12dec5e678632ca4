"""Fixtures of these tests: a finished run whose mistakes are known, and its report.

No conftest.py, for that name belongs to the one above, from which tests import.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import Evaluation, load_evaluation
from digitnet.reporting.report import make_report
from digitnet.run_folder import Run

WRONG = {3: 8, 13: 8, 20: 1, 45: 6, 57: 1}
"""Position in the test split: what is read there instead of the label; 3 and 13 are both a 3 read as 8."""


def logits_with_known_mistakes(dataset: Dataset) -> np.ndarray:
    """Answers that are correct except at WRONG, the later ones more confident."""
    logits = np.zeros((len(dataset.test), dataset.classes), np.float32)
    logits[np.arange(len(logits)), dataset.test.labels] = 5
    for order, (index, read) in enumerate(WRONG.items()):
        logits[index] = 0
        logits[index, read] = 2 + order
    return logits


@pytest.fixture(scope="session")
def judged(trained: Path, drawn: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the finished run with answers that are known."""
    path = tmp_path_factory.mktemp("judged") / "run <1> & more"  # a name that must be escaped
    shutil.copytree(trained, path)
    np.save(path / "test_logits.npy", logits_with_known_mistakes(drawn))
    environment = json.loads((path / "environment.json").read_text())
    (path / "environment.json").write_text(json.dumps({**environment, "unheard_of": {"deep": [1, None]}}))
    return Run(path)


@pytest.fixture(scope="session")
def evaluation(judged: Run, drawn: Dataset) -> Evaluation:
    """What the answers amount to."""
    return load_evaluation(judged, drawn)


@pytest.fixture(scope="session")
def report(judged: Run, drawn: Dataset) -> Path:
    """The page."""
    return make_report(judged, drawn)
