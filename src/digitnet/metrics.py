"""Numbers from logits and labels, with numpy alone: no files, no state.

Throughout, N is the number of images and K the number of classes. `logits` are ``(N, K)`` floats before the
softmax; `labels` are ``(N,)`` integers from 0 to K - 1.

This module belongs to the installation without torch, and takes 4 ms to import after numpy. Wilson's interval is
not taken from statsmodels, whose stats.proportion takes 0.6 s and 105 MB to import. Confusion and precision are
not taken from scikit-learn, whose metrics take 0.7 s and 125 MB (AMD EPYC, 2 cores). scipy and scikit-learn are
the oracles in tests/test_metrics.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Interval:
    """A closed 95% confidence interval."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.4f} to {self.high:.4f}"


def softmax(logits: Floats) -> npt.NDArray[np.float64]:
    """Probabilities ``(N, K)`` in [0, 1] whose rows sum to 1; computed in double precision."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)  # no overflow in exp
    exponentials = np.exp(shifted)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def accuracy(logits: Floats, labels: Integers) -> float:
    """Fraction of images whose largest logit is the label's, 0 to 1."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def wilson_interval(correct: int, total: int) -> Interval:
    """95% score interval of a proportion (Wilson 1927); unlike the normal interval, it stays inside [0, 1]."""
    if not 0 <= correct <= total or total == 0:
        raise ValueError(f"expected 0 <= correct <= total and total > 0, found {correct} of {total}")
    z = 1.959963984540054  # the normal distribution's 97.5% point
    proportion = correct / total
    middle = proportion + z * z / (2 * total)
    half = z * np.sqrt(proportion * (1 - proportion) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low, high = float((middle - half) / scale), float((middle + half) / scale)
    return Interval(low if correct else 0.0, high if correct < total else 1.0)  # exact in spite of rounding


def negative_log_likelihood(logits: Floats, labels: Integers) -> float:
    """Mean of -log p(label), natural logarithm: the cross-entropy; 0 is perfect."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_total - shifted[np.arange(len(labels)), labels]))


def confusion_matrix(predicted: Integers, labels: Integers, classes: int) -> npt.NDArray[np.int64]:
    """Counts ``(K, K)``: row is the true class, column the predicted one."""
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def precision(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Per class ``(K,)``: the fraction of the images predicted as k that are k; NaN if none was predicted as k."""
    return _divide(np.diag(confusion), confusion.sum(axis=0))


def recall(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Per class ``(K,)``: the fraction of the images of k that were predicted as k; NaN if there are none."""
    return _divide(np.diag(confusion), confusion.sum(axis=1))


def calibration_error(logits: Floats, labels: Integers, bins: int = 15) -> float:
    """Expected calibration error, 0 to 1, over `bins` equal bins of confidence (Guo et al. 2017, eq. 3)."""
    table = reliability(logits, labels, bins)
    return float(sum(row.count * abs(row.accuracy - row.confidence) for row in table) / len(labels))


@dataclass(frozen=True)
class ReliabilityBin:
    """Images whose confidence falls in one bin: their number, mean confidence and accuracy."""

    count: int
    confidence: float
    accuracy: float


def reliability(logits: Floats, labels: Integers, bins: int = 15) -> list[ReliabilityBin]:
    """Sort images into equal bins of confidence (the largest probability); empty bins are left out."""
    probabilities = softmax(logits)
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)  # a confidence of 1 belongs to the last bin
    return [
        ReliabilityBin(int(inside.sum()), float(confidence[inside].mean()), float(correct[inside].mean()))
        for inside in (index == k for k in range(bins))
        if inside.any()
    ]


@dataclass(frozen=True)
class CoverageCurve:
    """Accuracy when only the most confident answers are given: entry k is about the k + 1 most confident of N."""

    confidence: npt.NDArray[np.float64]  # (N,) of each answer, descending
    accuracy: npt.NDArray[np.float64]  # (N,) fraction correct among the answers up to this one

    def coverage(self, accuracy: float) -> float:
        """Return the largest fraction of the images, 0 to 1, that can be answered with at least this accuracy.

        It is in-sample: the threshold is chosen on the same answers on which coverage and accuracy are measured.
        """
        return self._answered(accuracy) / len(self.confidence)

    def threshold(self, accuracy: float) -> float:
        """Return the lowest confidence from which answers reach `accuracy`; above 1 if no threshold does."""
        count = self._answered(accuracy)
        return float(self.confidence[count - 1]) if count else float(np.nextafter(1.0, 2.0))

    def points(self, count: int) -> tuple[tuple[float, float], ...]:
        """Return at most `count` pairs of coverage and accuracy, from full coverage down, densest near full."""
        total = len(self.confidence)
        answered = total + 1 - np.unique(np.geomspace(1, total, count).round().astype(int))
        return tuple((float(k / total), float(self.accuracy[k - 1])) for k in answered)

    def _answered(self, accuracy: float) -> int:
        """Return the largest number of answers; those of equal confidence are given together or not at all."""
        last_of_equals = np.append(self.confidence[1:] < self.confidence[:-1], True)
        reached = np.flatnonzero((self.accuracy >= accuracy) & last_of_equals)
        return int(reached[-1]) + 1 if len(reached) else 0


def coverage_curve(confidence: Floats, correct: npt.NDArray[np.bool_]) -> CoverageCurve:
    """Measure accuracy against coverage, giving answers by descending confidence ``(N,)``; `correct` is ``(N,)``.

    Also known as the risk-coverage curve (El-Yaniv and Wiener 2010).
    """
    order = np.argsort(-confidence, kind="stable")
    counts = np.arange(1, len(order) + 1)
    return CoverageCurve(confidence[order].astype(np.float64), np.cumsum(correct[order]) / counts)


def _divide(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
