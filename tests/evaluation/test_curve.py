"""Reading loss curves: each kind is recognised, and every curve has a reading."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import BLOG
from digitnet.evaluation.curve import count_spikes, read_curve, smooth
from digitnet.run_folder import History, TrainingRow, ValidationRow

# Training tells the processor to flush subnormal numbers to zero, and then Hypothesis can't draw any.
LOSSES = st.floats(min_value=0, max_value=1e6, allow_nan=False, allow_subnormal=False)


def history(losses: Sequence[float], validation: Sequence[float] = ()) -> History:
    """Make a history with a training row every 100 steps and evenly spaced validation rows."""
    rows = tuple(
        TrainingRow(step=100 * (k + 1), loss=x, accuracy=0.9, mean_loss=x, mean_accuracy=0.9, learning_rate=0.0005)
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
EXAMPLES = {
    "falling": history(noisy(2 / STEPS), noisy(2.1 / STEPS[4::5])),
    "flat": history(noisy(0.02 + np.exp(-STEPS / 4)), noisy([0.03] * 20)),
    "overfitting": history(noisy(1 / STEPS), noisy([0.3, 0.2, 0.15, 0.1, 0.08, *np.linspace(0.08, 0.25, 15)])),
    "diverging": history(noisy([*(1 / STEPS[:60]), *np.linspace(0.02, 3, 40)]), noisy([0.1] * 20)),
    "short": history([2.0, 1.0, 0.5]),
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_each_kind_of_curve_is_recognised(kind: str) -> None:
    assert read_curve(EXAMPLES[kind], BLOG).kind == kind


@pytest.mark.parametrize("seed", range(20))
def test_noise_around_a_constant_is_flat(seed: int) -> None:
    flat = history(noisy(0.02 + np.exp(-STEPS / 4), seed), noisy([0.03] * 20, seed))

    assert read_curve(flat, BLOG).kind == "flat"


@pytest.mark.parametrize("kind", ["falling", "flat", "overfitting", "diverging"])
def test_the_sentence_names_the_learning_rate_and_has_numbers(kind: str) -> None:
    sentence = read_curve(EXAMPLES[kind], BLOG.replace(learning_rate=0.00123)).sentence

    assert "0.00123" in sentence
    assert sentence.endswith(".")
    assert sum(character.isdigit() for character in sentence) > 10


def test_a_good_rate_is_called_neither_too_high_nor_too_low() -> None:
    assert "neither too high" in read_curve(EXAMPLES["flat"], BLOG).sentence


def test_a_slow_fall_suggests_a_higher_rate() -> None:
    slow = history(noisy(np.linspace(2.3, 1.5, 100), noise=0.001))

    assert "is too low" in read_curve(slow, BLOG).sentence


def test_a_constant_loss_says_that_nothing_was_learned() -> None:
    assert "nothing was learned" in read_curve(history(noisy([2.3] * 40)), BLOG).sentence


def test_jumps_suggest_a_lower_rate() -> None:
    losses = noisy(0.02 + np.exp(-STEPS / 4))
    losses[40] = losses[60] = 2.0

    reading = read_curve(history(losses), BLOG)

    assert "on the high side (2 sudden jumps)" in reading.sentence


def test_a_falling_training_loss_with_a_flat_validation_loss_says_so() -> None:
    reading = read_curve(history(noisy(2 / STEPS), noisy([0.3, 0.1, *[0.05] * 18])), BLOG)

    assert reading.kind == "falling"
    assert "no longer follows" in reading.sentence


def test_a_loss_that_is_not_a_number_diverges() -> None:
    assert read_curve(history([*[1.0] * 20, math.nan]), BLOG).kind == "diverging"


@given(st.lists(LOSSES, max_size=60), st.lists(LOSSES, max_size=20))
def test_every_finite_curve_has_a_reading(losses: list[float], validation: list[float]) -> None:
    reading = read_curve(history(losses, validation), BLOG)

    assert reading.sentence[0].isupper()
    assert "nan" not in reading.sentence


def test_spikes_are_counted_once_each() -> None:
    assert count_spikes([1, 1, 1, 1, 1, 9, 9, 1, 1, 1, 1, 9]) == 2


@given(st.lists(LOSSES, max_size=60), st.integers(min_value=0, max_value=80))
def test_smoothing_keeps_length_and_range(values: list[float], window: int) -> None:
    smoothed = smooth(values, window)

    assert len(smoothed) == len(values)
    if values:
        slack = 1e-9 * max(values)
        assert min(values) - slack <= smoothed.min() <= smoothed.max() <= max(values) + slack


def test_smoothing_leaves_a_straight_line_straight() -> None:
    assert smooth(np.arange(30.0), window=7) == pytest.approx(np.arange(30.0))
