"""From pieces of ink to lines of them, from top to bottom."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitnet.reading.pieces import Piece, merge

_LOWEST = 0.4  # of a digit's height: what is lower is a fragment of a digit, a dash or dirt
_HIGHEST = 3.0  # of a digit's height: what is higher is no digit
_STEEPEST = 0.35  # rows a column: how far a line of writing may slant
_NEXT = 6.0  # of a digit's height: how far away the next digit of a line may be
_APART = 0.5  # of a digit's height: lines have their middles further apart
_FRAGMENT_BELOW = 0.35  # of a digit's height: how far a fragment may be over or under its digit
_FRAGMENT_BESIDE = 0.08  # of a digit's height: how far it may be away elsewhere


def arrange(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Arrange pieces as lines of writing, also slanting ones, each from left to right.

    Fragments are joined to the digit they belong to; what has not about the height of the others is left out.
    """
    if not pieces:
        return []
    high = measure_height(pieces)
    digits = _join_fragments(
        [piece for piece in pieces if _LOWEST * high <= piece.height <= _HIGHEST * high],
        [piece for piece in pieces if piece.height < _LOWEST * high],
        high,
    )
    column = np.array([piece.middle for piece in digits])
    row = np.array([(piece.top + piece.bottom) / 2 for piece in digits])
    level = row - _measure_slant(column, row, high) * column
    order = np.argsort(level, kind="stable")
    breaks = np.flatnonzero(np.diff(level[order]) > _APART * high) + 1
    return [sorted((digits[i] for i in line), key=lambda piece: piece.middle) for line in np.split(order, breaks)]


def measure_height(pieces: Sequence[Piece]) -> float:
    """Measure how high digits are, in pixels: the median, in which a piece counts as much as it is high."""
    heights = np.sort([piece.height for piece in pieces])
    counted = np.cumsum(heights)
    return float(heights[np.searchsorted(counted, counted[-1] / 2)])


def _join_fragments(digits: list[Piece], fragments: Sequence[Piece], high: float) -> list[Piece]:
    """Join the bar of a 5 to its bow: a fragment over, under or right beside a digit is its own."""
    joined = list(digits)
    left, right, top, bottom = np.array([(p.left, p.right, p.top, p.bottom) for p in digits]).T
    for fragment in fragments:
        overlap = np.minimum(fragment.right, right) - np.maximum(fragment.left, left)
        across = np.maximum(0, -overlap)
        along = np.maximum(0, np.maximum(fragment.top - bottom, top - fragment.bottom))
        distance = np.where(
            2 * overlap >= fragment.width, along * _FRAGMENT_BESIDE / _FRAGMENT_BELOW, along + across
        )
        nearest = int(distance.argmin())
        if distance[nearest] < _FRAGMENT_BESIDE * high:
            joined[nearest] = merge([joined[nearest], fragment])
    return joined


def _measure_slant(column: NDArray[np.float64], row: NDArray[np.float64], high: float) -> float:
    """Measure the slant of writing, rows a column: the median over the ways from each piece to the next."""
    slants = []
    for x, y in zip(column, row, strict=True):
        right, down = column - x, row - y
        is_next = (right > 0.2 * high) & (right < _NEXT * high) & (np.abs(down) < _STEEPEST * right)
        if is_next.any():
            nearest = np.where(is_next, np.hypot(right, down), np.inf).argmin()
            slants.append(down[nearest] / right[nearest])
    return float(np.median(slants)) if slants else 0.0
