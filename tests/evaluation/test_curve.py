"""Reading loss curves: each kind is recognised, and every curve has a reading."""

import math
import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import BLOG
from digitnet.evaluation.curve import read_curve, tell_apart
from digitnet.run_folder import History, TrainingRow, ValidationRow

# Training tells the processor to flush subnormal numbers to zero, and then Hypothesis can't draw any.
LOSSES = st.floats(min_value=0, max_value=1e6, allow_nan=False, allow_subnormal=False)


def history(
    losses: Sequence[float], validation: Sequence[float] = (), rates: Sequence[float] = (), accuracy: float = 0.9
) -> History:
    """Make a history with a training row every 100 steps and evenly spaced validation rows."""
    rows = tuple(
        TrainingRow(
            step=100 * (k + 1),
            loss=x,
            accuracy=accuracy,
            mean_loss=x,
            mean_accuracy=accuracy,
            learning_rate=rates[k] if rates else 0.0005,
        )
        for k, x in enumerate(losses)
    )
    last = 100 * len(rows)
    validation_rows = tuple(
        ValidationRow(step=last * (k + 1) // len(validation), validation_loss=x, validation_accuracy=0.9)
        for k, x in enumerate(validation)
    )
    return History(rows, validation_rows)


def noisy(values: Sequence[float], seed: int = 0, noise: float = 0.03) -> list[float]:
    """Multiply values by 1 plus Gaussian noise."""
    return list(np.array(values) * (1 + noise * np.random.default_rng(seed).standard_normal(len(values))))


STEPS = np.arange(1, 101)
FALLING_RATES = list(np.linspace(0.01, 0.0001, 100))
EXAMPLES = {
    "improving": history(noisy(2 / STEPS), noisy(2.1 / STEPS[4::5])),
    "settled": history(noisy(0.02 + np.exp(-STEPS / 4)), noisy([0.03] * 20)),
    "ended": history(noisy(0.02 + np.exp(-STEPS / 4)), noisy([0.02] * 20), FALLING_RATES),
    "overfitting": history(noisy(1 / STEPS), noisy([0.3, 0.2, 0.15, 0.1, 0.08, *np.linspace(0.08, 0.25, 15)])),
    "jumping": history([*[2.0, 1.0, 0.5, 0.4], *np.linspace(0.4, 1.5, 16), *(1.5 / STEPS[:80])]),
    "diverging": history(noisy([*(1 / STEPS[:60]), *np.linspace(0.02, 3, 40)]), noisy([0.1] * 20)),
    "stuck": history(noisy([3.7, *[math.log(10)] * 20], noise=0.001), accuracy=0.1),
    "short": history([2.0, 1.0, 0.5]),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_of_curve_is_recognised(kind: str) -> None:
    assert read_curve(EXAMPLES[kind], BLOG).kind == kind


@pytest.mark.parametrize("seed", range(20))
def test_noise_around_a_constant_is_no_trend(seed: int) -> None:
    flat = history(noisy(0.02 + np.exp(-STEPS / 4), seed), noisy([0.03] * 20, seed))

    assert read_curve(flat, BLOG).kind == "settled"


def test_the_conclusion_comes_first() -> None:
    reading = read_curve(EXAMPLES["overfitting"], BLOG)

    assert reading.conclusion.startswith("Stop earlier")
    assert reading.sentence == f"{reading.conclusion}. {reading.evidence}"


@pytest.mark.parametrize("kind", ["improving", "settled", "ended", "overfitting", "jumping", "diverging", "stuck"])
def test_the_evidence_names_the_learning_rate_and_has_numbers(kind: str) -> None:
    evidence = read_curve(EXAMPLES[kind], BLOG.replace(learning_rate=0.00123)).evidence

    assert "0.00123" in evidence
    assert evidence.endswith(".")
    assert sum(character.isdigit() for character in evidence) > 6


@pytest.mark.parametrize("kind", EXAMPLES)
def test_one_change_is_proposed_that_a_run_can_take(kind: str) -> None:
    field, value = read_curve(EXAMPLES[kind], BLOG).change

    assert BLOG.replace(**{field: value}).differences(BLOG) == [field]


def test_the_flat_end_of_a_falling_rate_does_not_say_that_more_steps_are_useless() -> None:
    reading = read_curve(EXAMPLES["ended"], BLOG)

    assert "might still help" in reading.conclusion
    assert "fell towards 0" in reading.evidence
    assert reading.change == ("steps", 20_000)


def test_a_falling_rate_with_a_validation_loss_far_above_the_training_loss_needs_no_more_steps() -> None:
    reading = read_curve(history(noisy(0.02 + np.exp(-STEPS / 4)), noisy([0.2] * 20), FALLING_RATES), BLOG)

    assert reading.kind == "settled"
    assert "0.020 on training images and 0.20 on validation images" in reading.evidence


def test_without_validation_nothing_is_said_of_it() -> None:
    for kind in ("improving", "ended"):
        curve = EXAMPLES[kind]
        reading = read_curve(History(curve.training, curve.validation[:1]), BLOG)

        assert reading.kind == kind
        assert "validation" not in reading.sentence


def test_a_good_rate_is_called_neither_too_high_nor_too_low() -> None:
    assert "neither too high" in read_curve(EXAMPLES["settled"], BLOG).sentence


def test_a_slow_fall_suggests_a_higher_rate() -> None:
    reading = read_curve(history(noisy(np.linspace(2.3, 1.5, 100), noise=0.001)), BLOG)

    assert "is too low" in reading.sentence and "a higher rate" in reading.conclusion
    assert reading.change == ("learning_rate", 0.0015)


def test_a_constant_loss_says_that_nothing_was_learned() -> None:
    assert "Nothing was learned" in read_curve(history(noisy([2.3] * 40)), BLOG).sentence


@pytest.mark.parametrize(("factor", "side"), [(100, "high"), (0.01, "low")])
def test_where_nothing_was_learned_a_rate_far_from_the_presets_is_to_blame(factor: float, side: str) -> None:
    rate = BLOG.optimisation.learning_rate
    reading = read_curve(EXAMPLES["stuck"], BLOG.replace(learning_rate=factor * rate))

    assert reading.conclusion == f"The rate is too {side}: nothing was learned"
    assert reading.change == ("learning_rate", rate)


def test_too_few_measurements_for_a_curve_are_enough_to_see_that_nothing_was_learned() -> None:
    assert read_curve(history([3.7, 2.3, 2.3, 2.3], accuracy=0.1), BLOG).kind == "stuck"


def test_jumps_suggest_a_lower_rate() -> None:
    losses = noisy(0.02 + np.exp(-STEPS / 4))
    losses[40] = losses[60] = 2.0

    reading = read_curve(history(losses), BLOG)

    assert reading.kind == "jumping"
    assert "jumped 2 times" in reading.evidence


def test_a_loss_that_rises_while_the_rate_is_highest_and_recovers_later_has_too_high_a_rate() -> None:
    reading = read_curve(EXAMPLES["jumping"], BLOG.replace(learning_rate=0.3))

    assert reading.conclusion.startswith("The rate is too high")
    assert reading.change == ("learning_rate", 0.1)


def test_a_falling_training_loss_with_a_flat_validation_loss_says_so() -> None:
    reading = read_curve(history(noisy(2 / STEPS), noisy([0.3, 0.1, *[0.05] * 18])), BLOG)

    assert reading.kind == "settled"
    assert "no longer falls" in reading.evidence


def test_a_loss_that_is_not_a_number_diverges() -> None:
    assert read_curve(history([*[1.0] * 20, math.nan]), BLOG).kind == "diverging"


CURVES = st.lists(LOSSES, max_size=60)
CHECKS = st.lists(LOSSES, max_size=20)


@given(CURVES, CHECKS, st.booleans(), st.floats(0, 1))
def test_every_finite_curve_has_a_reading(
    losses: list[float], validation: list[float], falls: bool, accuracy: float
) -> None:
    rates = list(np.linspace(0.01, 0.0001, len(losses))) if falls else []
    reading = read_curve(history(losses, validation, rates, accuracy), BLOG)

    assert reading.conclusion[0].isupper() and len(reading.conclusion) < 60
    assert reading.evidence[0].isupper() and reading.evidence.endswith(".")
    assert "nan" not in reading.sentence
    assert BLOG.replace(**dict([reading.change])).differences(BLOG) == [reading.change[0]]


COMPARED = re.compile(
    r"from (?P<a>{0}) (?:up )?to (?P<b>{0})|with (?P<c>{0}), and has risen to (?P<d>{0}) since"
    r"|is (?P<e>{0}) on .* and (?P<f>{0}) on|is (?P<g>{0}), where (?P<h>{0})".format(r"[\d.,]*\d(?:e[+-]\d+)?")
)


@given(st.lists(LOSSES, min_size=8, max_size=40), st.lists(LOSSES, min_size=4, max_size=20), st.booleans())
def test_two_numbers_that_are_set_against_each_other_never_look_the_same(
    losses: list[float], validation: list[float], falls: bool
) -> None:
    rates = list(np.linspace(0.01, 0.0001, len(losses))) if falls else []
    evidence = read_curve(history(losses, validation, rates), BLOG).evidence

    for found in COMPARED.finditer(evidence):
        before, after = (text for text in found.groups() if text is not None)
        assert before != after


@given(LOSSES, st.floats(0.9, 1.1))
def test_numbers_are_told_apart_unless_they_agree_to_four_digits(value: float, factor: float) -> None:
    one, other = value, factor * value
    shown = tell_apart(one, other)

    assert [float(text.replace(",", "")) for text in shown] == pytest.approx([one, other], rel=0.051)
    if shown[0] == shown[1]:
        assert one == pytest.approx(other, rel=0.001)
    else:
        assert (one < other) == (float(shown[0].replace(",", "")) < float(shown[1].replace(",", "")))


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ((0.13, 0.14), ("0.13", "0.14")),
        ((0.1304, 0.1261), ("0.130", "0.126")),
        ((0.13052, 0.13048), ("0.13", "0.13")),
        ((0.02, 2.3), ("0.020", "2.3")),
        ((0.0996, 0.1002), ("0.0996", "0.100")),
        ((0, 0.000063, 123_456), ("0", "0.000063", "123,456")),
        ((0.1, 1_234_567), ("1.0e-01", "1.2e+06")),
    ],
)
def test_no_more_digits_are_written_than_it_takes(values: tuple[float, ...], shown: tuple[str, ...]) -> None:
    assert tell_apart(*values) == shown
