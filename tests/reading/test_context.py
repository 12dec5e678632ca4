"""A mark beside its neighbours: Bayes' rule, by adding up every case, is the judge."""

from itertools import pairwise, product
from math import exp, isclose, log, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.finding.components import Component
from digitnet.reading import context
from digitnet.reading.candidates import Candidate
from digitnet.reading.context import judge_together
from digitnet.reading.result import Box, Digit

INK = np.ones((20, 10), np.uint8)


def judge(*scores: float, touching: tuple[int, ...] = (), sure: float = 0.9) -> list[Digit]:
    """Judge a line of marks, each a 7 if it is a digit; those of `touching` were cut from the one before."""
    parts = [Component(20 * i, 0, INK, 1.0 if i in touching else None) for i in range(len(scores))]
    digits = [Digit("7", (1.0,), "not sure", score, Box(0, 0, 10, 20), INK, INK) for score in scores]
    chosen = [Candidate(i, i + 1, parts[i], digit) for i, digit in enumerate(digits)]
    return judge_together(chosen, parts, sure)


def add_up(scores: list[float]) -> list[float]:
    """Return the log odds that each mark is a digit, from the sum over all that the line may be."""
    usual = (context._IN_NUMBERS + context._IN_OTHER_WRITING) / 2
    total = [[0.0, 0.0] for _ in scores]
    for share in (context._IN_NUMBERS, context._IN_OTHER_WRITING):
        for marks in product((True, False), repeat=len(scores)):
            prior = prod(share if mark else 1 - share for mark in marks)
            seen = prod(
                1 / (1 + exp(-score)) / usual if mark else 1 / (1 + exp(score)) / (1 - usual)
                for mark, score in zip(marks, scores, strict=True)
            )
            for index, mark in enumerate(marks):
                total[index][mark] += prior * seen
    return [log(digit / other) for other, digit in total]


@given(st.lists(st.floats(-12, 12), min_size=1, max_size=6))
def test_the_odds_are_those_of_bayes_rule(scores: list[float]) -> None:
    found = [digit.score for digit in judge(*scores)]
    assert all(isclose(one, other, abs_tol=1e-6) for one, other in zip(found, add_up(scores), strict=True))


@pytest.mark.parametrize("score", [-7.0, -0.5, 0.0, 2.0, 9.0])
def test_a_lone_mark_is_judged_alone(score: float) -> None:
    (digit,) = judge(score)
    assert isclose(digit.score, score, abs_tol=1e-9)


def test_a_doubtful_mark_is_a_digit_in_a_number_and_none_among_letters() -> None:
    assert judge(9, 1.5, 9)[1].decision == "accepted"
    assert judge(1.5)[0].decision == "not sure"
    assert judge(-6, 3, -6, -6)[1].decision == "not sure"
    assert judge(3)[0].decision == "accepted"


def test_digits_that_touch_are_as_doubtful_as_the_worst_of_them() -> None:
    apart, touching = judge(6, -2, 6), judge(6, -2, 6, touching=(1,))
    assert touching[0].score <= min(apart[0].score, apart[1].score) + 1e-9
    assert touching[2].score == apart[2].score
    assert [digit.decision for digit in touching] == ["not sure", "not sure", "accepted"]


@given(st.lists(st.floats(-40, 40), min_size=2, max_size=8))
def test_surer_neighbours_never_make_a_mark_less_sure(scores: list[float]) -> None:
    first = [judge(*scores[:-1], last)[0].score for last in (-40.0, -3.0, 0.0, 3.0, 40.0)]
    assert all(left <= right + 1e-9 for left, right in pairwise(first))
    assert all(np.isfinite(digit.score) for digit in judge(*scores, touching=tuple(range(1, len(scores)))))
