"""Ruled lines, thin and straight from border to border, are removed from the ink by the Hough transform."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.finding.ink import UInt8

_THICKEST = 1.6  # stroke widths: a ruled line is no thicker
_SLANT = np.radians(12)  # the largest tilt of a photograph
_BEND = 1.2  # stroke widths: how far a ruled line may leave the straight line
_COVER = 0.5  # of a ruled line's length: at least so much is not hidden by digits
_EDGE = 3  # working pixels: the largest distance between a ruled line's ends and the border
_BEYOND = 0.6  # of a ruled line's length: every other mark is shorter along it
_FINE = 0.5  # of the stroke width: of a line so fine less is asked, that
_BEYOND_FINE = 0.75  # of its length is more than every other mark's
_WHOLE = 0.9  # of its length has ink, its own or a digit's: the feet of digits side by side leave gaps
_TIMES = 2.0  # as long as the highest mark is high: no digit has so long a level stroke, even where digits touch
_THINNER = 0.3  # of the stroke width: a line so thin is no stroke of the pen
_NARROW = 0.6  # of the stroke width: along a line so narrow, a stroke of the pen stands out
_DARK = 0.9  # of a ruled line's length certainly is ink; of a fainter line, what certainly is belongs to digits
_MOST = 400  # lines that are examined: squared paper has some hundred each way


@dataclass(frozen=True)
class _Line:
    """A ruled line; its masks are ``(rows, columns)``."""

    all: UInt8  # 1 for all ink along the line
    bare: UInt8  # 1 where no digit's ink is on it
    thickness: float  # pixels


def remove_ruled_lines(mask: UInt8, strong: UInt8, stroke_width: float) -> UInt8:
    """Return the mask without ruled lines, 1 for ink and 0 for paper; all are ``(rows, columns)``.

    `strong` marks what certainly is ink: of a line that mostly is not, only the rest is removed.

    Where a digit crosses a ruled line or runs along it, the ink is thicker than the line, and stays: staves are
    removed from printed music in the same way (Fujinaga, 1988). A line needs evidence, since the stem of a digit
    that fills the picture leads from border to border too: it goes on far beyond every other mark, or it is
    thinner than the pen.
    """
    bare = mask.copy()
    for turned, certain, left in ((mask, strong, bare), (np.ascontiguousarray(mask.T), strong.T, bare.T)):
        lines = _find_ruled_lines(turned, stroke_width)
        ruled = np.zeros_like(turned)
        for line in lines:
            ruled |= line.bare
        if not lines:
            continue
        wide, high = (side / turned.shape[1] for side in _measure_extent(turned & ~ruled, stroke_width))
        is_level = turned is mask and 0 < high <= 1 / _TIMES
        for line in lines:
            thickness = line.thickness / stroke_width
            there = line.all.any(axis=0)
            if there.mean() < _WHOLE:
                continue
            goes_beyond = wide <= (_BEYOND_FINE if thickness <= _FINE else _BEYOND)
            if goes_beyond or (is_level and thickness <= _NARROW) or thickness <= _THINNER:
                dark = np.asarray((line.all & certain).any(axis=0))
                if dark[there].mean() < _DARK:
                    left &= ~(line.all & ~certain)
                if dark[there].mean() >= _DARK or thickness <= _NARROW:
                    left &= ~line.bare
    return bare


def _measure_extent(mask: UInt8, stroke_width: float) -> tuple[int, int]:
    """Measure the width of the widest mark and the height of the highest, 0 if there is none."""
    _, _, table, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    size = table[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    wide, high = size[size.max(axis=1) > 3 * stroke_width].max(axis=0, initial=0)
    return int(wide), int(high)


def _find_ruled_lines(mask: UInt8, stroke_width: float) -> list[_Line]:
    """Find the lines that lead from the left border to the right one."""
    found: list[_Line] = []
    columns = mask.shape[1]
    thickness = measure_thickness(mask)
    thin = ((thickness > 0) & (thickness <= _THICKEST * stroke_width + 1)).astype(np.uint8)
    level = np.pi / 2  # the normal of a horizontal line points down
    votes = max(1, round(columns * _COVER / 3))  # a ruled line, thick and bent, spreads its votes over some lines
    lines = cv2.HoughLines(thin, 1, np.radians(0.5), votes, min_theta=level - _SLANT, max_theta=level + _SLANT)
    if lines is None:
        return found
    y, x = np.nonzero(thin)
    every_y, every_x = np.nonzero(mask)
    for rho, theta in lines[:_MOST].reshape(-1, 2):
        near = np.abs(x * np.cos(theta) + y * np.sin(theta) - rho) <= _BEND * stroke_width + 1
        covered = np.bincount(x[near], minlength=columns) > 0
        if covered.mean() < _COVER or not (covered[: _EDGE + 1].any() and covered[-1 - _EDGE :].any()):
            continue
        own = thickness[y[near], x[near]]
        thinnest = np.full(columns, len(mask))  # in each column
        np.minimum.at(thinnest, x[near], own)
        usual = float(np.median(thinnest[covered]))
        bare = own <= 1.5 * usual + 1  # thicker where a digit's ink is on it
        line = _Line(np.zeros_like(mask), np.zeros_like(mask), usual)
        beside = np.abs(every_x * np.cos(theta) + every_y * np.sin(theta) - rho) <= _BEND * stroke_width + 1
        line.all[every_y[beside], every_x[beside]] = 1
        line.bare[y[near][bare], x[near][bare]] = 1
        found.append(line)
        y, x = y[~near], x[~near]
    return found


def measure_thickness(mask: UInt8) -> NDArray[np.int32]:
    """Measure for each pixel of ink the length of the vertical run of ink that it is in; 0 for paper."""
    above = mask.astype(np.int32)
    below = above.copy()
    for row in range(1, len(mask)):
        above[row] *= above[row - 1] + 1
        below[-1 - row] *= below[-row] + 1
    return above + below - mask
