"""Trends of a training, measured: spikes, rises and smoothed curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.evaluation.trends import count_spikes, rise_on_the_way, smooth

# Training tells the processor to flush subnormal numbers to zero, and then Hypothesis can't draw any.
LOSSES = st.floats(min_value=0, max_value=1e6, allow_nan=False, allow_subnormal=False)


def test_spikes_are_counted_once_each() -> None:
    assert count_spikes([1, 1, 1, 1, 1, 9, 9, 1, 1, 1, 1, 9]) == 2


def test_losses_far_below_the_first_jump_by_chance() -> None:
    assert count_spikes([2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.1, 0.01]) == 0


def test_a_rise_is_found_between_its_bottom_and_its_top() -> None:
    losses = np.array([2, 1, 0.5, 0.5, 1, 1.5, 1.5, 1, 0.5, 0.2, 0.1, 0.1])
    found = rise_on_the_way(losses)

    assert found is not None
    top, rise = found
    assert (top, rise.before, rise.after) == (5, 0.5, 1.5)


@given(st.lists(LOSSES, min_size=8, max_size=60))
def test_a_loss_that_only_falls_has_no_rise(losses: list[float]) -> None:
    assert rise_on_the_way(np.array(sorted(losses, reverse=True))) is None


@given(st.lists(LOSSES, max_size=60), st.integers(min_value=0, max_value=80))
def test_smoothing_keeps_length_range_and_both_ends(values: list[float], window: int) -> None:
    smoothed = smooth(values, window)

    assert len(smoothed) == len(values)
    if values:
        slack = 1e-9 * max(values)
        assert min(values) - slack <= smoothed.min() <= smoothed.max() <= max(values) + slack
        assert (smoothed[0], smoothed[-1]) == (values[0], values[-1])


def test_smoothing_leaves_a_straight_line_straight() -> None:
    assert smooth(np.arange(30.0), window=7) == pytest.approx(np.arange(30.0))
