"""A mark beside its neighbours: Bayes' rule, with products of odds, is the judge."""

import json
from itertools import pairwise
from math import exp, isclose, prod
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.files import sha256
from digitnet.finding.components import Component
from digitnet.reading.candidates import Candidate
from digitnet.reading.context import _SHIFT, _SLOPE, judge_together
from digitnet.reading.network import SHIPPED
from digitnet.reading.result import Box, Digit

INK = np.ones((20, 10), np.uint8)


def judge(*scores: float, touching: tuple[int, ...] = (), sure: float = 0.9) -> list[Digit]:
    """Judge a line of marks, each a 7 if it is a digit; those of `touching` were cut from the one before."""
    parts = [Component(20 * i, 0, INK, 1.0 if i in touching else None) for i in range(len(scores))]
    digits = [Digit("7", (1.0,), "not sure", score, Box(0, 0, 10, 20), INK, INK) for score in scores]
    chosen = [Candidate(i, i + 1, parts[i], digit) for i, digit in enumerate(digits)]
    return judge_together(chosen, parts, sure)


@given(st.lists(st.floats(-12, 12), min_size=2, max_size=6))
def test_the_odds_are_those_of_bayes_rule(scores: list[float]) -> None:
    ratios = [
        exp(max(-2.0, min(4.0, _SLOPE * score - _SHIFT))) for score in scores
    ]  # of a number to other writing
    number = prod(ratios) / (prod(ratios) + 1)
    for score, digit in zip(scores, judge(*scores), strict=True):
        odds, boosted = exp(score), exp(score + 2)
        expected = number * boosted / (boosted + 1) + (1 - number) * 0.1 * odds / (odds + 1)
        assert isclose(1 / (1 + exp(-digit.score)), expected, abs_tol=1e-9)


def test_what_a_score_says_of_its_line_was_fitted_with_the_shipped_model() -> None:
    results = Path(__file__).parents[2] / "benchmarks" / "results"
    fitted = json.loads((results / "line-evidence.json").read_text())
    assert fitted["model_sha256"] == sha256(SHIPPED.read_bytes())
    assert (round(fitted["slope"], 2), round(fitted["shift"], 2)) == (_SLOPE, _SHIFT)


@pytest.mark.parametrize("score", [-7.0, -0.5, 0.0, 2.0, 9.0])
def test_a_lone_mark_is_judged_alone(score: float) -> None:
    (digit,) = judge(score)
    assert isclose(digit.score, score, abs_tol=1e-9)


def test_a_doubtful_mark_is_a_digit_in_a_number_and_none_among_letters() -> None:
    assert judge(10, 1.5, 10)[1].decision == "accepted"
    assert judge(1.5)[0].decision == "not sure"
    assert judge(-6, 7, -6, -6)[1].decision == "not sure"
    assert judge(7)[0].decision == "accepted"


def test_digits_that_touch_are_as_doubtful_as_the_worst_of_them() -> None:
    apart, touching = judge(9, 0, 9, 9, 9), judge(9, 0, 9, 9, 9, touching=(1,))
    assert touching[0].score <= min(apart[0].score, apart[1].score) + 1e-9
    assert touching[2].score == apart[2].score
    assert [digit.decision for digit in touching] == ["not sure"] * 2 + ["accepted"] * 3


@given(st.lists(st.floats(-40, 40), min_size=2, max_size=8))
def test_surer_neighbours_never_make_a_mark_less_sure(scores: list[float]) -> None:
    first = [judge(*scores[:-1], last)[0].score for last in (-40.0, -3.0, 0.0, 3.0, 40.0)]
    assert all(left <= right + 1e-9 for left, right in pairwise(first))
    assert all(np.isfinite(digit.score) for digit in judge(*scores, touching=tuple(range(1, len(scores)))))
