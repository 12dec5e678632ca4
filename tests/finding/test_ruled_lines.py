"""Ruled lines: removed with evidence, and never a digit's stem."""

import cv2
import numpy as np
import pytest

from digitnet.finding.ink import UInt8
from digitnet.finding.ruled_lines import remove_ruled_lines


def strip(*stems: int, high: int = 80) -> UInt8:
    """Draw a strip of marks that all reach from its top to its bottom: rings, and stems at these columns."""
    mask = np.zeros((high, 300), np.uint8)
    for middle in (40, 150, 260):
        cv2.ellipse(mask, (middle, high // 2), (22, high // 2 - 3), 0, 0, 360, 1, 7)
    for column in stems:
        mask[:, column : column + 7] = 1
    return mask


def test_a_stem_as_high_as_the_picture_is_kept_among_digits_as_high() -> None:
    mask = strip(95, 205)
    assert (remove_ruled_lines(mask, mask, 7.0) == mask).all()


@pytest.mark.parametrize("turned", [False, True])
def test_a_line_that_goes_on_far_beyond_the_digits_is_removed(turned: bool) -> None:
    mask = np.zeros((200, 300), np.uint8)
    cv2.ellipse(mask, (150, 100), (22, 34), 0, 0, 360, 1, 7)
    digit = mask.copy()
    mask[150:153] = 1
    if turned:
        mask, digit = np.ascontiguousarray(mask.T), digit.T
    assert (remove_ruled_lines(mask, mask, 7.0) == digit).all()


def test_ink_that_certainly_is_stays_under_a_faint_line() -> None:
    digit = np.zeros((200, 300), np.uint8)
    cv2.ellipse(digit, (150, 100), (22, 34), 0, 0, 360, 1, 7)
    ruled = digit.copy()
    ruled[98:101] = 1  # through the middle of the digit
    assert (remove_ruled_lines(ruled, digit, 7.0) == digit).all()


def test_a_line_under_digits_that_touch_one_another_and_it_is_removed() -> None:
    mask = np.zeros((130, 300), np.uint8)
    for middle in (70, 118, 166, 214):
        cv2.ellipse(mask, (middle, 60), (24, 38), 0, 0, 360, 1, 7)
    digits = mask.copy()
    mask[101:104] = 1  # from border to border, and at the feet of all four
    bare = remove_ruled_lines(mask, mask, 7.0)
    assert not bare[101:104, :40].any()
    assert not bare[101:104, 240:].any()
    assert (bare & digits).sum() >= 0.98 * digits.sum()
    assert cv2.connectedComponents(bare)[0] == 2


def test_of_a_faint_narrow_line_nothing_is_left_where_it_is_darker() -> None:
    digit = np.zeros((200, 300), np.uint8)
    cv2.ellipse(digit, (150, 100), (22, 34), 0, 0, 360, 1, 7)
    ruled, certain = digit.copy(), digit.copy()
    ruled[150:153] = 1
    certain[150:153, 40:120] = 1
    assert (remove_ruled_lines(ruled, certain, 7.0) == digit).all()


@pytest.mark.parametrize(("width", "is_removed"), [(3, True), (7, False)])
def test_the_side_of_a_form_is_removed_and_a_tall_stem_is_kept(width: int, is_removed: bool) -> None:
    mask = np.zeros((100, 300), np.uint8)
    for middle in (90, 160, 230):
        cv2.ellipse(mask, (middle, 50), (22, 32), 0, 0, 360, 1, 7)  # 71 of 100 pixels high
    digits = mask.copy()
    mask[:, 40 : 40 + width] = 1
    expected = digits if is_removed else mask
    assert (remove_ruled_lines(mask, mask, 7.0) == expected).all()
