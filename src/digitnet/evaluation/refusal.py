"""When a model file refuses: the thresholds of "not sure" and of "not a digit"."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from digitnet import metrics

TARGET_ACCURACY = 0.995
"""Accuracy of the accepted answers on the images that the thresholds are chosen on; what is no digit has none."""

PHOTOGRAPHED_ACCURACY = 0.985
"""The same on made photographs, some of whose digits are drawn so that nobody could read them."""

REFUSED_FRACTION = 0.01
"""Fraction of the digits that the threshold of "not a digit" alone would refuse; sure ones never are."""


def choose_sure_threshold(
    confidence: npt.NDArray[np.floating], correct: npt.NDArray[np.bool_], accuracy: float = TARGET_ACCURACY
) -> float:
    """Find the lowest confidence from which on the answers ``(N,)`` reach `accuracy`; below it: not sure."""
    return metrics.coverage_curve(confidence, correct).threshold(accuracy)


def choose_digit_threshold(logits: npt.NDArray[np.float32], classes: int) -> float:
    """Find the score below which REFUSED_FRACTION of these digits lie; below it: not a digit."""
    return float(np.quantile(digit_score(torch.from_numpy(logits), classes).numpy(), REFUSED_FRACTION))


def digit_score(logits: Tensor, classes: int) -> Tensor:
    """Score ``(N,)`` for being a digit at all, from logits ``(N, K)`` or ``(N, K + 1)``; higher is more likely.

    It is the negative energy of the digits' logits, their logsumexp (Liu et al. 2020, arXiv 2010.03759). Where
    there is a logit of "not a digit", it is subtracted, which makes the score the log odds of a digit.
    """
    score = logits[:, :classes].logsumexp(dim=1)
    return score - logits[:, classes] if logits.shape[1] > classes else score


def answer_confidence(logits: Tensor, classes: int) -> Tensor:
    """Probability ``(N,)`` of the most probable digit among all classes, with "not a digit" where there is one.

    So what is surely one digit is never refused as none: both decisions come from one distribution.
    """
    return logits.softmax(dim=1)[:, :classes].amax(dim=1)
