"""Tables: their lines are removed wherever they end, and what is written in them stays."""

import cv2
import numpy as np
import pytest

from digitnet.finding.ink import UInt8
from digitnet.finding.tables import remove_tables

ROWS, COLUMNS = (60, 140, 220), (40, 100, 160, 220, 280)


def table(*, tilt: float = 0.0, beyond: int = 0, line: int = 3) -> tuple[UInt8, UInt8]:
    """Draw two rows of four cells with a ring in each, some against a wall: the mask, and the rings alone.

    Its lines go on `beyond` its outer ones by so many pixels.
    """
    rings = np.zeros((280, 320), np.uint8)
    for top in ROWS[:-1]:
        for shift, left in zip((30, 26, 34, 30), COLUMNS, strict=False):
            cv2.ellipse(rings, (left + shift, top + 40), (20, 30), 0, 0, 360, 1, 7)
    mask = rings.copy()
    for row in ROWS:
        cv2.line(mask, (COLUMNS[0] - beyond, row), (COLUMNS[-1] + beyond, row), 1, line)
    for column in COLUMNS:
        cv2.line(mask, (column, ROWS[0] - beyond), (column, ROWS[-1] + beyond), 1, line)
    turn = cv2.getRotationMatrix2D((160, 140), tilt, 1)
    size = mask.shape[::-1]
    drawn, alone = (np.asarray(cv2.warpAffine(one * 255, turn, size), np.uint8) for one in (mask, rings))
    return (drawn > 127).astype(np.uint8), (alone > 127).astype(np.uint8)


@pytest.mark.parametrize("beyond", [0, 25])
@pytest.mark.parametrize("tilt", [0.0, -3.0, 5.0])
def test_what_is_written_in_the_cells_remains(tilt: float, beyond: int) -> None:
    mask, rings = table(tilt=tilt, beyond=beyond)
    left = remove_tables(mask, 7.0)
    assert (left & rings).sum() >= 0.97 * rings.sum()
    _, _, stats, _ = cv2.connectedComponentsWithStats(left, connectivity=8)
    marks = [one for one in stats[1:].tolist() if max(one[2:4]) > 14]  # two stroke widths: the rest is dirt
    assert len(marks) == 8
    assert all(35 <= wide <= 60 and 55 <= high <= 80 for _, _, wide, high, _ in marks)


def test_ones_as_high_as_their_line_are_not_walls() -> None:
    mask = np.zeros((200, 320), np.uint8)
    for row in (60, 140):
        mask[row : row + 3] = 1
    for column in (80, 140, 200, 260):
        mask[60:143, column : column + 7] = 1
    assert (remove_tables(mask, 7.0) == mask).all()


def test_a_single_box_is_no_table() -> None:
    mask = np.zeros((200, 320), np.uint8)
    cv2.rectangle(mask, (40, 40), (280, 160), 1, 3)
    cv2.ellipse(mask, (160, 100), (30, 45), 0, 0, 360, 1, 7)
    assert (remove_tables(mask, 7.0) == mask).all()


def test_paper_without_ink_stays_empty() -> None:
    empty = np.zeros((90, 120), np.uint8)
    assert not remove_tables(empty, 5.0).any()
