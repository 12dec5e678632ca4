"""The path through a line: digits may share a stroke, and what was cut from one is never left out."""

import cv2
import numpy as np
import pytest

from digitnet.reading.result import Box, Digit
from digitnet.reading.stages import find_digits
from reading.paper import UInt8, lay


def count_holes(ink: UInt8) -> int:
    """Count the regions of paper that ink surrounds."""
    paper = np.pad((ink < 90).astype(np.uint8), 1, constant_values=1)
    return cv2.connectedComponents(paper, connectivity=4)[0] - 2


def know_zeros(ink: UInt8, box: Box) -> Digit:
    """Answer that a mark is a zero if it has one hole and no bits of others, and else no digit."""
    score = 8.0 if count_holes(ink) == 1 and box.width <= 0.85 * box.height else -8.0
    return Digit("0", (1.0,), "accepted" if score > 0 else "not a digit", score, box, ink, ink)


def know_strokes(ink: UInt8, box: Box) -> Digit:
    """Answer that a narrow mark is surely a one, and anything else perhaps a digit."""
    score = 8.0 if box.width < 0.35 * box.height else -4.0
    return Digit("1", (1.0,), "accepted" if score > 0 else "not a digit", score, box, ink, ink)


@pytest.mark.parametrize("count", [2, 3])
def test_zeros_that_share_their_sides_are_read_as_zeros(count: int) -> None:
    cover = np.zeros((160, 110 + 52 * count), np.uint8)
    for number in range(count):
        cv2.ellipse(cover, (80 + 52 * number, 80), (28, 42), 0, 0, 360, 255, 7)
    (line,) = find_digits(lay(cover / 255), know_zeros, sure=0.5).digits
    assert "".join(digit.text for digit in line) == "0" * count


def test_of_a_plus_the_upright_stroke_is_not_read_alone() -> None:
    cover = np.zeros((200, 200), np.uint8)
    cv2.line(cover, (100, 40), (100, 160), 255, 9)
    cv2.line(cover, (40, 100), (160, 100), 255, 9)
    lines = find_digits(lay(cover / 255), know_strokes, sure=0.5).digits
    assert all(digit.decision != "accepted" for line in lines for digit in line)
