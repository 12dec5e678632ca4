"""Evaluate a finished run on all of its test images, in the order of the file."""

import io
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from digitnet import metrics
from digitnet.data.dataset import Dataset
from digitnet.errors import RunError
from digitnet.files import write_whole
from digitnet.frames import to_frame
from digitnet.networks.predict import predict_logits
from digitnet.pages import notebook
from digitnet.run_folder import Run
from digitnet.tracking.tracker import Tracker
from digitnet.training.checkpoint import load_network

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Evaluation:
    """The logits for a labelled set of images, and the metrics computed from them."""

    logits: npt.NDArray[np.float32]  #: (N, K)
    labels: npt.NDArray[np.uint8]  #: (N,)
    label_names: tuple[str, ...]  #: (K,)

    def __repr__(self) -> str:
        return f"<Evaluation: {self.accuracy:.2%} of {self.images:,} images>"

    @property
    def images(self) -> int:
        """Number of images, N."""
        return len(self.labels)

    @property
    def correct(self) -> int:
        """Number of images read correctly."""
        return int((self.logits.argmax(axis=1) == self.labels).sum())

    @property
    def right(self) -> int:
        """Old name of `correct`."""
        warnings.warn("Evaluation.right is now called correct", DeprecationWarning, stacklevel=2)
        return self.correct

    @property
    def accuracy(self) -> float:
        """Fraction of images read correctly, 0 to 1."""
        return self.correct / self.images

    @property
    def interval(self) -> metrics.Interval:
        """95% Wilson interval of the accuracy."""
        return metrics.wilson_interval(self.correct, self.images)

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """Counts ``(K, K)``: row is the true class, column the predicted one."""
        return metrics.confusion_matrix(self.logits.argmax(axis=1), self.labels, len(self.label_names))

    @cached_property
    def coverage(self) -> metrics.CoverageCurve:
        """Accuracy against coverage, by descending confidence; in-sample, see `CoverageCurve.coverage`."""
        confidence = metrics.softmax(self.logits).max(axis=1)
        return metrics.coverage_curve(confidence, self.logits.argmax(axis=1) == self.labels)

    @property
    def classes(self) -> list[dict[str, Any]]:
        """Label, number of images, precision and recall of each class; None where a number is not defined."""
        precision, recall = metrics.precision(self.confusion), metrics.recall(self.confusion)
        return [
            {
                "label": name,
                "images": int(self.confusion[k].sum()),
                "precision": _number(precision[k]),
                "recall": _number(recall[k]),
            }
            for k, name in enumerate(self.label_names)
        ]

    def to_frame(self) -> "DataFrame":
        """Make a table of `classes`; needs pandas."""
        return to_frame(self.classes)

    def _repr_html_(self) -> str:
        return notebook.block(repr(self), notebook.table(self.classes))

    def to_json(self) -> dict[str, Any]:
        """All metrics as plain values: the content of evaluation.json."""
        return {
            "accuracy": self.accuracy,
            "interval_95": [self.interval.low, self.interval.high],
            "correct": self.correct,
            "right": self.correct,  # old name of "correct", for one more version
            "images": self.images,
            "negative_log_likelihood": metrics.negative_log_likelihood(self.logits, self.labels),
            "calibration_error": metrics.calibration_error(self.logits, self.labels),
            "coverage": {str(wanted): self.coverage.coverage(wanted) for wanted in (0.999, 0.9999)},
            "classes": self.classes,
            "confusion": self.confusion.tolist(),
        }


def evaluate(run: Run | Path | str, dataset: Dataset | None = None) -> Evaluation:
    """Evaluate a finished run on all of its test images, and save the results in the run folder.

    Writes evaluation.json, test_logits.npy, and "test" in summary.json. `dataset` saves loading the data again; by
    default it is the run's own. Raises RunError when the run is not finished, or was trained on other data.
    """
    run = run if isinstance(run, Run) else Run(run)
    summary = run.summary
    dataset = run.check_data(dataset) if dataset else run.dataset
    logits = predict_logits(load_network(run), dataset.test.images, dataset.classes)
    evaluation = Evaluation(logits, dataset.test.labels, dataset.label_names)
    with run.locked():
        buffer = io.BytesIO()
        np.save(buffer, logits, allow_pickle=False)
        write_whole(run.path / "test_logits.npy", buffer.getvalue())
        run.write_json("evaluation.json", evaluation.to_json())
        test = {k: v for k, v in evaluation.to_json().items() if k not in ("classes", "confusion")}
        run.write_json("summary.json", {**summary, "test": test})
    run.cache["evaluation"] = evaluation
    tracker: Tracker = run.cache.get("tracker", Tracker())  # of a run that was trained just now
    tracker.add_test(run)
    return evaluation


def load_evaluation(run: Run, dataset: Dataset) -> Evaluation:
    """Load what `evaluate` saved; evaluate if it has not been called yet."""
    run.check_data(dataset)
    if isinstance(cached := run.cache.get("evaluation"), Evaluation):
        return cached
    file = run.path / "test_logits.npy"
    if not file.is_file():
        return evaluate(run, dataset)
    try:
        logits = np.load(file, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise RunError(f"{file}: can't be read ({error}). Run: digitnet evaluate {run.path}") from error
    expected = (len(dataset.test), dataset.classes)
    if logits.shape != expected:
        raise RunError.mismatch(
            file, expected=f"shape {expected}", found=logits.shape, remedy=f"Run: digitnet evaluate {run.path}"
        )
    return Evaluation(logits, dataset.test.labels, dataset.label_names)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)  # JSON has no NaN
