"""Logits and labels in, numbers out. numpy only, no files, no state.

Throughout, N is the number of images and K the number of classes. `logits` are ``(N, K)`` floats before the
softmax; `labels` are ``(N,)`` integers from 0 to K - 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Integers = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Interval:
    """A 95% interval, with its ends included."""

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
    """Share of images whose largest logit is the label's, 0 to 1."""
    return float(np.mean(logits.argmax(axis=1) == labels))


def wilson_interval(right: int, total: int) -> Interval:
    """95% score interval of a share (Wilson 1927); unlike the normal one it stays inside [0, 1]."""
    if not 0 <= right <= total or total == 0:
        raise ValueError(f"expected 0 <= right <= total and total > 0, found {right} of {total}")
    z = 1.959963984540054  # the normal distribution's 97.5% point
    share = right / total
    middle = share + z * z / (2 * total)
    half = z * np.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    low, high = float((middle - half) / scale), float((middle + half) / scale)
    return Interval(low if right else 0.0, high if right < total else 1.0)  # exact where rounding would miss it


def negative_log_likelihood(logits: Floats, labels: Integers) -> float:
    """Mean of -log p(label) in nats: the loss that training minimises; 0 is perfect."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return float(np.mean(log_total - shifted[np.arange(len(labels)), labels]))


def confusion_matrix(predicted: Integers, labels: Integers, classes: int) -> npt.NDArray[np.int64]:
    """Counts ``(K, K)``: row is the true class, column the predicted one."""
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def precision(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Per class ``(K,)``: of the images called k, the share that is k; NaN where none was called k."""
    return _share(np.diag(confusion), confusion.sum(axis=0))


def recall(confusion: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Per class ``(K,)``: of the images that are k, the share that was called k; NaN where there are none."""
    return _share(np.diag(confusion), confusion.sum(axis=1))


def calibration_error(logits: Floats, labels: Integers, bins: int = 15) -> float:
    """Expected calibration error, 0 to 1, over `bins` equal bins of confidence (Guo et al. 2017, eq. 3)."""
    table = reliability(logits, labels, bins)
    return float(sum(row.count * abs(row.accuracy - row.confidence) for row in table) / len(labels))


@dataclass(frozen=True)
class ReliabilityBin:
    """Images whose confidence falls in one bin: how sure the network was, and how right."""

    count: int
    confidence: float
    accuracy: float


def reliability(logits: Floats, labels: Integers, bins: int = 15) -> list[ReliabilityBin]:
    """Sort images into equal bins of confidence (the largest probability); empty bins are left out."""
    probabilities = softmax(logits)
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)  # a confidence of 1 belongs to the last bin
    return [
        ReliabilityBin(int(inside.sum()), float(confidence[inside].mean()), float(right[inside].mean()))
        for inside in (index == k for k in range(bins))
        if inside.any()
    ]


@dataclass(frozen=True)
class CoverageCurve:
    """How often answers are right if only the surest are given: entry k is about the k + 1 surest of N."""

    confidence: npt.NDArray[np.float64]  # (N,) of each answer, falling
    accuracy: npt.NDArray[np.float64]  # (N,) share that is right among the answers down to this one

    def coverage(self, accuracy: float) -> float:
        """Largest share of the images, 0 to 1, that can be answered with at least this accuracy."""
        return self._answered(accuracy) / len(self.confidence)

    def threshold(self, accuracy: float) -> float:
        """Least confidence from which on answers reach `accuracy`; above 1 when no threshold does."""
        count = self._answered(accuracy)
        return float(self.confidence[count - 1]) if count else float(np.nextafter(1.0, 2.0))

    def points(self, count: int) -> tuple[tuple[float, float], ...]:
        """At most `count` pairs of coverage and accuracy from full coverage down, closest where it is full."""
        total = len(self.confidence)
        answered = total + 1 - np.unique(np.geomspace(1, total, count).round().astype(int))
        return tuple((float(k / total), float(self.accuracy[k - 1])) for k in answered)

    def _answered(self, accuracy: float) -> int:
        """The most answers that can be given; equal confidences are given together or not at all."""
        last_of_its_equals = np.append(self.confidence[1:] < self.confidence[:-1], True)
        reached = np.flatnonzero((self.accuracy >= accuracy) & last_of_its_equals)
        return int(reached[-1]) + 1 if len(reached) else 0


def coverage_curve(confidence: Floats, right: npt.NDArray[np.bool_]) -> CoverageCurve:
    """Order answers by their confidence ``(N,)``, and count how many are `right` from the surest on.

    Also known as the risk-coverage curve (El-Yaniv and Wiener 2010).
    """
    order = np.argsort(-confidence, kind="stable")
    counts = np.arange(1, len(order) + 1)
    return CoverageCurve(confidence[order].astype(np.float64), np.cumsum(right[order]) / counts)


def _share(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.asarray(np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0))
