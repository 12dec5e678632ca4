"""The lines of tables, which lead from one to another and not to the border, are removed from the ink.

A table is two level lines, one above the other, that at least three walls join: no digit has so many straight
strokes, and a row of ones seldom ends at two lines, as thick as they are. Gatos et al. 2005, "Automatic table
detection in document images", find tables by such crossings.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.finding.ink import UInt8
from digitnet.finding.ruled_lines import measure_thickness

_THICKEST = 1.6  # stroke widths: a table's line is no thicker
_SLANT = np.radians(8)  # the largest tilt of a photograph
_LONG = 0.12  # of the picture's width: the least length of a level line
_GAP = 1.0  # stroke widths: the widest gap in a line
_LOWEST = 5.0  # stroke widths: the least height of a row
_WIDE = 1.5  # of a row's height: the least width of a table
_LEAN = 0.16  # of a row's height: how far a wall may lean to either side
_LEANS = 17  # tried
_WALL = 0.95  # of a wall's length: at least so much has ink
_WALLS = 3  # of a table, at least
_APART = 0.2  # of a row's height: the least distance of two walls
_ALIKE = 1.8  # times as thick as the level lines, or as thin: a wall is no more
_MOST = 200  # level lines that are examined

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Level:
    """A straight, nearly level line from the column `left` to the column before `right`."""

    left: int
    right: int
    start: float  # row at column 0
    slope: float  # rows per column
    thickness: float  # pixels

    def row(self, column: Array) -> Array:
        """Row at a column."""
        return self.start + self.slope * column


@dataclass(frozen=True)
class _Wall:
    """A straight line between two level ones."""

    column: float  # half way up
    lean: float  # columns from its upper to its lower end
    thickness: float  # pixels


def remove_tables(mask: UInt8, stroke_width: float) -> UInt8:
    """Return the mask ``(rows, columns)`` without the lines of tables, 1 for ink and 0 for paper.

    Where a digit crosses a line or runs along it, the ink is thicker than the line, and stays.
    """
    thickness = measure_thickness(mask)
    levels = _find_levels(mask, thickness, stroke_width)
    left = mask.copy()
    for upper, lower, walls in _find_rows(mask, levels, stroke_width):
        for level in (upper, lower):
            _erase_level(left, thickness, level)
        for wall in walls:
            _erase_wall(left, mask, upper, lower, wall)
    return left


def _find_levels(mask: UInt8, thickness: NDArray[np.int32], stroke_width: float) -> list[_Level]:
    """Find long, thin, straight lines that are nearly level, from top to bottom."""
    rows, columns = mask.shape
    thin = ((thickness > 0) & (thickness <= _THICKEST * stroke_width + 1)).astype(np.uint8)
    level, least = np.pi / 2, max(8, round(_LONG * columns))
    lines = cv2.HoughLines(
        thin, 1, np.radians(0.5), least // 2, min_theta=level - _SLANT, max_theta=level + _SLANT
    )
    if lines is None:
        return []
    near = np.asarray(cv2.dilate(mask, np.ones((3, 1), np.uint8)), np.uint8)
    every = np.arange(columns)
    rho, theta = lines[:_MOST].reshape(-1, 2).astype(float).T
    starts, slopes = rho / np.sin(theta), -1 / np.tan(theta)
    places = np.rint(starts[:, None] + slopes[:, None] * every).astype(np.intp)  # (lines, columns): rows
    inside = (places >= 0) & (places < rows)
    places = places.clip(0, rows - 1)
    covered = inside & (near[places, every] > 0)
    found: list[_Level] = []
    for index in np.flatnonzero(_may_be_long(covered, _GAP * stroke_width, least)):
        start, slope, at = float(starts[index]), float(slopes[index]), places[index]
        for left, right in _list_runs(covered[index], _GAP * stroke_width):
            own = thickness[at[left:right], every[left:right]]
            if right - left < least or not (own > 0).any():
                continue
            usual = float(np.median(own[own > 0]))
            if usual > _THICKEST * stroke_width + 1:
                continue
            line = _Level(left, right, start, slope, usual)
            if not any(_is_beside(line, other) for other in found):
                found.append(line)
    return sorted(found, key=lambda one: float(one.row(np.array((one.left + one.right) / 2))))


def _may_be_long(covered: NDArray[np.bool_], gap: float, least: int) -> NDArray[np.bool_]:
    """Tell which of `covered` ``(lines, columns)`` may have so long a run: most of a digit's lines have none."""
    window = np.ones((1, 2 * int(gap) + 1), np.uint8)
    reached = cv2.dilate(covered.astype(np.uint8), window) > 0  # no gap is left within a run
    sofar: NDArray[np.intp] = np.cumsum(reached, axis=1)
    before: NDArray[np.intp] = np.maximum.accumulate(np.where(reached, 0, sofar), axis=1)  # the run began
    return np.asarray((sofar - before).max(axis=1) >= least)


def _list_runs(covered: NDArray[np.bool_], gap: float) -> Iterator[tuple[int, int]]:
    """Yield the first index and the index after the last of runs, in which gaps are at most so wide."""
    places = np.flatnonzero(covered)
    if places.size:
        breaks = np.flatnonzero(np.diff(places) > gap + 1)
        for first, last in pairwise([-1, *breaks.tolist(), len(places) - 1]):
            yield int(places[first + 1]), int(places[last]) + 1


def _is_beside(line: _Level, other: _Level) -> bool:
    """Tell whether two lines are of the same ink."""
    left, right = max(line.left, other.left), min(line.right, other.right)
    if left >= right:
        return False
    ends = np.array([left, right - 1], float)
    return float(np.abs(line.row(ends) - other.row(ends)).min()) <= 1.5 * max(line.thickness, other.thickness) + 1


def _find_rows(
    mask: UInt8, levels: list[_Level], stroke_width: float
) -> Iterator[tuple[_Level, _Level, list[_Wall]]]:
    """Yield the rows of tables: the lines above and below, and the walls between them."""
    near = np.asarray(cv2.dilate(mask, np.ones((1, 3), np.uint8)), np.uint8)
    for index, upper in enumerate(levels):
        for lower in levels[index + 1 :]:
            left, right = max(upper.left, lower.left), min(upper.right, lower.right)
            middle = np.array((left + right) / 2)
            height = float(lower.row(middle) - upper.row(middle))
            if height < _LOWEST * stroke_width or right - left < _WIDE * height:
                continue
            walls = _find_walls(near, mask, upper, lower, (left, right), stroke_width)
            if len(walls) >= _WALLS:
                yield upper, lower, walls
                break


def _find_walls(
    near: UInt8, mask: UInt8, upper: _Level, lower: _Level, between: tuple[int, int], stroke_width: float
) -> list[_Wall]:
    """Find straight lines that lead from `upper` to `lower`; `near` is the mask, a pixel wider on both sides."""
    rows, columns = mask.shape
    x = np.arange(*between, dtype=float)
    height = float((lower.row(x) - upper.row(x)).mean())
    down = np.linspace(0, 1, max(2, round(height)))[:, None]  # (t, 1)
    y = np.rint(upper.row(x) + down * (lower.row(x) - upper.row(x))).astype(np.intp).clip(0, rows - 1)  # (t, x)
    leans = np.linspace(-_LEAN, _LEAN, _LEANS) * height
    covered = np.stack(
        [
            near[y, np.rint(x + (down - 0.5) * lean).astype(np.intp).clip(0, columns - 1)].mean(axis=0)
            for lean in leans
        ]
    )  # (leans, x)
    best = covered.max(axis=0)
    usual = max(upper.thickness, lower.thickness)
    walls: list[_Wall] = []
    for place in np.argsort(-best, kind="stable"):
        if best[place] < _WALL:
            break
        same = np.flatnonzero(covered[:, place] == best[place])
        wall = _Wall(float(x[place]), float(leans[same[len(same) // 2]]), usual)
        if any(abs(wall.column - other.column) < _APART * height for other in walls):
            continue
        thickness = _measure_wall(mask, upper, lower, wall)
        if thickness <= _ALIKE * usual + 1 and usual <= _ALIKE * thickness + 1:
            walls.append(_Wall(wall.column, wall.lean, thickness))
    return walls


def _measure_wall(mask: UInt8, upper: _Level, lower: _Level, wall: _Wall) -> float:
    """Measure the usual thickness of a wall."""
    top, bottom, column = _trace_wall(upper, lower, wall)
    runs = [_find_run(mask, y, column(y)) for y in range(top, bottom + 1)]
    widths = [run[1] - run[0] for run in runs if run]
    return float(np.median(widths)) if widths else 0.0


def _trace_wall(upper: _Level, lower: _Level, wall: _Wall) -> tuple[int, int, Callable[[int], int]]:
    """Return a wall's first and last row, and what tells its column in any."""
    top, bottom = (float(level.row(np.array(wall.column))) for level in (upper, lower))
    slope = wall.lean / max(bottom - top, 1)
    return round(top), round(bottom), lambda y: round(wall.column + (y - (top + bottom) / 2) * slope)


def _find_run(mask: UInt8, row: int, column: int) -> tuple[int, int] | None:
    """Find the run of ink at a place or beside it: first column, and column after the last."""
    rows, columns = mask.shape
    if not 0 <= row < rows:
        return None
    line = mask[row]
    for left in (column, column - 1, column + 1):
        if 0 <= left < columns and line[left]:
            right = left + 1
            while left > 0 and line[left - 1]:
                left -= 1
            while right < columns and line[right]:
                right += 1
            return left, right
    return None


def _erase_level(left: UInt8, thickness: NDArray[np.int32], level: _Level) -> None:
    """Erase a level line where it is no thicker than usual."""
    most = 1.5 * level.thickness + 1
    x = np.arange(level.left, level.right)
    reach = int(np.ceil(most / 2)) + 1
    y = np.rint(level.row(x.astype(float))).astype(np.intp)
    for down in range(-reach, reach + 1):
        at = y + down
        inside = (at >= 0) & (at < len(left))
        thin = thickness[at[inside], x[inside]] <= most
        left[at[inside][thin], x[inside][thin]] = 0


def _erase_wall(left: UInt8, mask: UInt8, upper: _Level, lower: _Level, wall: _Wall) -> None:
    """Erase a wall where it is no thicker than usual, as far as it goes on, and where it meets the level lines."""
    top, bottom, column = _trace_wall(upper, lower, wall)
    most = 1.5 * wall.thickness + 1
    for row in range(top, bottom + 1):
        _erase_run(left, _find_run(mask, row, column(row)), row, most)
    slope = wall.lean / max(bottom - top, 1)
    for rows in (range(top - 1, -1, -1), range(bottom + 1, len(mask))):  # beyond the row, until it ends
        x = column(rows.start) + 0.5
        for row in rows:
            x += rows.step * slope
            run = _find_run(mask, row, int(x))
            if run is None:
                break
            if _erase_run(left, run, row, most):
                x = (run[0] + run[1]) / 2
    for level, row in ((upper, top), (lower, bottom)):
        high, wide = round(level.thickness / 2) + 1, round(wall.thickness / 2) + 1
        side = max(0, column(row) - wide)
        left[max(0, row - high) : row + high + 1, side : column(row) + wide + 1] = 0


def _erase_run(left: UInt8, run: tuple[int, int] | None, row: int, most: float) -> bool:
    """Erase a run of ink that is at most so wide, and tell whether it is."""
    if run is None or run[1] - run[0] > most:
        return False
    left[row, run[0] : run[1]] = 0
    return True
