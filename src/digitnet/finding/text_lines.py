"""From connected components to lines of writing, from top to bottom."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitnet.finding.components import Component, join

_LOWEST = 0.4  # of a digit's height: a lower component is a fragment of a digit, a dash or dirt
_HIGHEST = 3.0  # of a digit's height: a higher component is not a digit
_STEEPEST = 0.35  # rows per column: the steepest slant of a line
_NEXT = 6.0  # of a digit's height: the largest distance to the next digit of a line
_APART = 0.5  # of a digit's height: the least distance between the middles of two lines
_FRAGMENT_BELOW = 0.35  # of a digit's height: the largest distance of a fragment over or under its digit
_FRAGMENT_BESIDE = 0.08  # of a digit's height: its largest distance elsewhere


def group_into_lines(components: Sequence[Component], *, one_line: bool = False) -> list[list[Component]]:
    """Group components into lines of writing, which may slant, each from left to right.

    Fragments are joined to the digit they belong to; components much lower or higher than the others are left
    out. With `one_line` all the others form a single line.
    """
    if not components:
        return []
    height = _measure_height(components)
    digits = _join_fragments(
        [component for component in components if _LOWEST * height <= component.height <= _HIGHEST * height],
        [component for component in components if component.height < _LOWEST * height],
        height,
    )
    column = np.array([digit.middle for digit in digits])
    row = np.array([(digit.top + digit.bottom) / 2 for digit in digits])
    level = row - _measure_slant(column, row, height) * column
    order = np.argsort(level, kind="stable")
    breaks = np.flatnonzero((np.diff(level[order]) > _APART * height) & (not one_line)) + 1
    return [sorted((digits[i] for i in line), key=lambda digit: digit.middle) for line in np.split(order, breaks)]


def _measure_height(components: Sequence[Component]) -> float:
    """Measure the height of a digit, in pixels: the median, each component weighted by its height."""
    heights = np.sort([component.height for component in components])
    total = np.cumsum(heights)
    return float(heights[np.searchsorted(total, total[-1] / 2)])


def _join_fragments(digits: list[Component], fragments: Sequence[Component], height: float) -> list[Component]:
    """Join each fragment to the digit that it is over, under or close beside: the bar of a 5 to its bow."""
    joined = list(digits)
    left, right, top, bottom = np.array([(d.left, d.right, d.top, d.bottom) for d in digits]).T
    for fragment in fragments:
        overlap = np.minimum(fragment.right, right) - np.maximum(fragment.left, left)
        across = np.maximum(0, -overlap)
        along = np.maximum(0, np.maximum(fragment.top - bottom, top - fragment.bottom))
        distance = np.where(
            2 * overlap >= fragment.width, along * _FRAGMENT_BESIDE / _FRAGMENT_BELOW, along + across
        )
        nearest = int(distance.argmin())
        if distance[nearest] < _FRAGMENT_BESIDE * height:
            joined[nearest] = join([joined[nearest], fragment])
    return joined


def _measure_slant(column: NDArray[np.float64], row: NDArray[np.float64], height: float) -> float:
    """Measure the slant of the lines, in rows per column: the median over all steps from a digit to the next."""
    slants = []
    for x, y in zip(column, row, strict=True):
        right, down = column - x, row - y
        is_next = (right > 0.2 * height) & (right < _NEXT * height) & (np.abs(down) < _STEEPEST * right)
        if is_next.any():
            nearest = np.where(is_next, np.hypot(right, down), np.inf).argmin()
            slants.append(down[nearest] / right[nearest])
    return float(np.median(slants)) if slants else 0.0
