"""A mark is judged beside its neighbours: in a number it is a digit more often than among letters."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digitnet.finding.components import Component
from digitnet.reading.candidates import Candidate
from digitnet.reading.result import Digit

Float64 = npt.NDArray[np.float64]

_IN_NUMBERS = 0.97  # probability that a mark of a number is a digit
_IN_OTHER_WRITING = 0.1  # that a mark of other writing is one, or cannot be told from one
_NUMBERS = 0.5  # of lines are numbers
_CERTAIN = 30.0  # log odds beyond which nothing changes


def judge_together(chosen: Sequence[Candidate], parts: Sequence[Component], sure: float) -> list[Digit]:
    """Decide about the marks of a line, from left to right, given what the network says of all of them.

    `parts` are those of the line, and `sure` is the least confidence of an accepted digit. The line is a number or
    other writing, which nobody knows: each mark's odds are those of a mixture of the two, by Bayes' rule. Where
    digits were cut apart, the cut is right only if all of them are digits, so none is likelier than that.
    """
    scores = _combine(np.array([one.digit.score for one in chosen], np.float64).clip(-_CERTAIN, _CERTAIN))
    for touching in _list_touching(chosen, parts):
        scores[touching] = _to_log_odds(-np.logaddexp(0, -scores[touching]).sum())
    return [_judge(one.digit, float(score), sure) for one, score in zip(chosen, scores, strict=True)]


def _combine(scores: Float64) -> Float64:
    """Return the log odds ``(n,)`` that each mark of a line is a digit, given those ``(n,)`` of each alone."""
    usual = _NUMBERS * _IN_NUMBERS + (1 - _NUMBERS) * _IN_OTHER_WRITING
    ratio = np.exp(scores) * (1 - usual) / usual  # how much likelier the mark is if it is a digit
    shares, often = np.array([_NUMBERS, 1 - _NUMBERS]), np.array([_IN_NUMBERS, _IN_OTHER_WRITING])
    likelihood = often[:, None] * ratio + (1 - often)[:, None]  # (2, n) of each mark in a number, in other writing
    weight = np.log(shares) + np.log(likelihood).sum(axis=1)  # (2,) of the whole line
    weight = np.exp(weight - weight.max())
    digit = (weight[:, None] * often[:, None] * ratio / likelihood).sum(axis=0)
    other = (weight[:, None] * (1 - often)[:, None] / likelihood).sum(axis=0)
    return np.asarray(np.log(digit) - np.log(other), np.float64)


def _list_touching(chosen: Sequence[Candidate], parts: Sequence[Component]) -> Iterator[slice]:
    """Yield runs of two marks or more that were cut apart."""
    first = 0
    for mark in range(1, len(chosen) + 1):
        between = parts[chosen[mark - 1].end : chosen[mark].first + 1] if mark < len(chosen) else []
        if not any(part.crossed is not None for part in between):
            if mark - first > 1:
                yield slice(first, mark)
            first = mark


def _to_log_odds(logarithm: float) -> float:
    """Turn the logarithm of a probability into its log odds."""
    return float(np.clip(logarithm - np.log(-np.expm1(min(logarithm, -1e-12))), -_CERTAIN, _CERTAIN))


def _judge(digit: Digit, score: float, sure: float) -> Digit:
    judged = replace(digit, score=score)
    if judged.confidence >= sure:
        return replace(judged, decision="accepted")
    return replace(judged, decision="not a digit" if digit.decision == "not a digit" else "not sure")
