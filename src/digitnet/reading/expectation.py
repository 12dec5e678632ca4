"""What the text is expected to look like: the digits' probabilities, given that it matches a pattern."""

import heapq
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from digitnet.errors import UsageError
from digitnet.reading.result import Digit, Line
from digitnet.wording import option

TRIES = 20_000
"""Texts that are tried, the most probable first: all of four digits; of longer lines, all that can matter."""

ALL_TEXTS = 100_000
"""Most texts of a number of digits that are all tried, to see whether any matches: a twentieth of a second."""

ALMOST_NOTHING = 1e-9
"""Least probability of a label, so that a label the network excludes is still found where nothing else matches."""


def compile_pattern(expect: str | re.Pattern[str]) -> re.Pattern[str]:
    """Compile a regular expression; raise UsageError where it is not one."""
    try:
        return re.compile(expect)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"{option('expect')} {expect}: expected a regular expression, found {error}. An example: [0-9]{{4}}"
        ) from error


def check_count(pattern: re.Pattern[str], labels: Sequence[str], *, single: bool, digits: int | None) -> None:
    """Raise UsageError when no text of as many digits as a line has can match."""
    count = 1 if single else digits
    if count and not _can_match(pattern, tuple(labels), count):
        texts, said = ("1 digit", "single") if single else (f"{count} digits", "digits")
        raise UsageError.mismatch(
            f"{option('expect')} {pattern.pattern}",
            expected=f"a regular expression for {texts}, as {option(said)} says",
            found=f"one that no {texts.replace('1 digit', 'digit')} can match",
            remedy="Correct one of the two.",
        )


@cache
def _can_match(pattern: re.Pattern[str], labels: tuple[str, ...], count: int) -> bool:
    """Tell whether any text of so many labels matches; True where that takes too long to find out."""
    low, high = _width(pattern)
    if not count * min(map(len, labels)) <= high or not low <= count * max(map(len, labels)):
        return False
    if len(labels) ** count > ALL_TEXTS:
        return True
    return any(pattern.fullmatch("".join(text)) for text in product(labels, repeat=count))


def _width(pattern: re.Pattern[str]) -> tuple[int, float]:
    """Return bounds of how long a text is that matches.

    Only the parser of `re` knows them, and it is not public: where it is not found, every length is possible.
    """
    parser = getattr(re, "_parser", None)
    if parser is None:
        return 0, math.inf
    low, high = parser.parse(pattern.pattern, pattern.flags).getwidth()
    return low, high


def expect_match(line: Line, pattern: re.Pattern[str], labels: Sequence[str], sure: float) -> Line:
    """Replace the probabilities of each digit by those given that `pattern` matches the whole text of `line`.

    By Bayes' rule, taking the digits as independent: texts that do not match get probability 0, and the others
    are scaled to sum to 1. A digit is accepted when its confidence then reaches `sure`; no digit is accepted when
    none of the TRIES most probable texts matches.
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
    return replace(digit, decision="accepted") if digit.confidence >= sure else _unsure(digit)


def _unsure(digit: Digit) -> Digit:
    return digit if digit.decision == "not a digit" else replace(digit, decision="not sure")


def _most_probable(probabilities: npt.NDArray[np.float64]) -> Iterator[tuple[list[int], float]]:
    """Yield the TRIES most probable choices of a label for each row, as indices of labels, with their probability.

    Best first: a choice is a rank for each row. It is followed by the choices with one rank increased by 1, at or
    after the row that was increased last, so that none comes twice.
    """
    order = np.argsort(-probabilities, axis=1)
    cost = -np.log(np.take_along_axis(probabilities, order, axis=1))
    heap = [(float(cost[:, 0].sum()), (0,) * len(probabilities), 0)]
    for _ in range(TRIES):
        if not heap:
            return
        total, ranks, last = heapq.heappop(heap)
        yield [int(order[row, rank]) for row, rank in enumerate(ranks)], math.exp(-total)
        for row in range(last, len(ranks)):
            if (rank := ranks[row] + 1) < cost.shape[1]:
                increased = (*ranks[:row], rank, *ranks[row + 1 :])
                heapq.heappush(heap, (float(total + cost[row, rank] - cost[row, rank - 1]), increased, row))
