"""What a text is known to look like, put to use: probabilities given that it matches."""

import heapq
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from digitnet.errors import UsageError
from digitnet.reading.answer import Digit, Line

TRIES = 20_000
"""Texts that are tried, the most probable first: all of four digits, and beyond that all that can matter."""

ALMOST_NOTHING = 1e-9
"""The least probability of a label, so that what seemed impossible is still found where nothing else matches."""


def compile_pattern(expect: str | re.Pattern[str]) -> re.Pattern[str]:
    """Compile a regular expression; raise UsageError where it is none."""
    try:
        return re.compile(expect)
    except re.error as fault:
        raise UsageError(
            f"--expect {expect}: expected a regular expression, found {fault}. An example: [0-9]{{4}}"
        ) from fault


def expect_match(line: Line, pattern: re.Pattern[str], labels: Sequence[str], sure: float) -> Line:
    """Give each digit of `line` its probabilities under the condition that `pattern` matches the whole text.

    By Bayes' rule, the digits taken as independent: a text that does not match has probability 0, and the others
    share the whole. A digit is accepted when its probability then reaches `sure`; where none of the TRIES most
    probable texts matches, none is.
    """
    before = np.array([digit.probabilities for digit in line.digits]).clip(ALMOST_NOTHING)  # (n, K)
    after = np.zeros_like(before)
    for chosen, probability in _most_probable(before):
        if pattern.fullmatch("".join(labels[k] for k in chosen)):
            after[np.arange(len(chosen)), chosen] += probability
    if not after.any():
        return Line(tuple(_unsure(digit) for digit in line.digits))
    after /= after.sum(axis=1, keepdims=True)
    return Line(tuple(_relabel(d, row.tolist(), labels, sure) for d, row in zip(line.digits, after, strict=True)))


def _relabel(digit: Digit, probabilities: list[float], labels: Sequence[str], sure: float) -> Digit:
    digit = replace(digit, label=labels[int(np.argmax(probabilities))], probabilities=tuple(probabilities))
    if digit.decision == "not a digit":
        return digit
    return replace(digit, decision="accepted") if digit.probability >= sure else _unsure(digit)


def _unsure(digit: Digit) -> Digit:
    return digit if digit.decision == "not a digit" else replace(digit, decision="not sure")


def _most_probable(probabilities: npt.NDArray[np.float64]) -> Iterator[tuple[list[int], float]]:
    """Yield the TRIES most probable choices of a label for each row, as places of labels, with their probability.

    Best first: a choice is a list of ranks, and each is followed by those that fall one rank further in one place,
    at or after the last place that fell, so that none comes twice.
    """
    order = np.argsort(-probabilities, axis=1)
    cost = -np.log(np.take_along_axis(probabilities, order, axis=1))
    start = (0,) * len(probabilities)
    heap = [(float(cost[:, 0].sum()), start, 0)]
    for _ in range(TRIES):
        if not heap:
            return
        total, ranks, moved = heapq.heappop(heap)
        yield [int(order[place, rank]) for place, rank in enumerate(ranks)], math.exp(-total)
        for place in range(moved, len(ranks)):
            if (rank := ranks[place] + 1) < cost.shape[1]:
                fallen = (*ranks[:place], rank, *ranks[place + 1 :])
                heapq.heappush(heap, (float(total + cost[place, rank] - cost[place, rank - 1]), fallen, place))
