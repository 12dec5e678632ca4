"""A mark is judged beside its neighbours: among digits it is one more often than among letters."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digitnet.finding.components import Component
from digitnet.reading.candidates import Candidate
from digitnet.reading.result import Digit

Float64 = npt.NDArray[np.float64]

# A logistic regression on made lines of numbers and of other writing, both equally often, with the shipped model:
# from which of the two is a mark of this score? Half the marks of numbers score 10 or more, half the others 0 or
# less. benchmarks/line_evidence.py fits it anew.
_SLOPE, _SHIFT = 0.71, 3.9
_LEAST, _MOST = -2.0, 4.0  # log odds that one mark says of its line: a bad cut may be in a number too
_IN_NUMBERS = 2.0  # log odds by which a mark is a digit more often in a number than where the network was trained
_IN_OTHER_WRITING = 0.1  # of the probability remains there
_CERTAIN = 30.0  # log odds beyond which nothing changes


def judge_together(chosen: Sequence[Candidate], parts: Sequence[Component], sure: float) -> list[Digit]:
    """Decide about the marks of a line, from left to right, given what the network says of all of them.

    `parts` are those of the line, and `sure` is the least confidence of an accepted digit. Nobody knows whether
    the line is a number or other writing; its marks tell, by Bayes' rule. Where digits were cut apart, the cut is
    right only if all of them are digits, so none is likelier than that.
    """
    scores = _combine(np.array([one.digit.score for one in chosen], np.float64).clip(-_CERTAIN, _CERTAIN))
    for touching in _list_touching(chosen, parts):
        scores[touching] = _to_log_odds(-np.logaddexp(0, -scores[touching]).sum())
    return [_judge(one.digit, float(score), sure) for one, score in zip(chosen, scores, strict=True)]


def _combine(scores: Float64) -> Float64:
    """Return the log odds ``(n,)`` that each mark of a line is a digit, given those ``(n,)`` of each alone.

    A lone mark's are its own.
    """
    if len(scores) == 1:
        return scores
    number = _to_probability((_SLOPE * scores - _SHIFT).clip(_LEAST, _MOST).sum())  # that the line is one
    in_number, elsewhere = _to_probability(scores + _IN_NUMBERS), _IN_OTHER_WRITING * _to_probability(scores)
    digit = (number * in_number + (1 - number) * elsewhere).clip(1e-13, 1 - 1e-13)
    return np.asarray(np.log(digit) - np.log1p(-digit))


def _to_probability(log_odds: npt.ArrayLike) -> Float64:
    return np.asarray(1 / (1 + np.exp(-np.asarray(log_odds, np.float64))))


def _list_touching(chosen: Sequence[Candidate], parts: Sequence[Component]) -> Iterator[slice]:
    """Yield runs of two marks or more that were cut apart."""
    first = 0
    for mark in range(1, len(chosen) + 1):
        if mark < len(chosen):
            begin = chosen[mark].first
            between = parts[min(chosen[mark - 1].end, begin) : begin + 1]  # they may share a part
        else:
            between = []
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
