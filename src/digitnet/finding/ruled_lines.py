"""Ruled lines, thin and straight from border to border, are removed from the ink by the Hough transform."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.finding.ink import UInt8

_THICKEST = 1.6  # stroke widths: a ruled line is no thicker
_SLANT = np.radians(12)  # the largest tilt of a photograph
_BEND = 1.2  # stroke widths: how far a ruled line may leave the straight line
_COVER = 0.5  # of a ruled line's length: at least so much is not hidden by digits
_EDGE = 3  # working pixels: the largest distance between a ruled line's ends and the border
_MOST = 400  # lines that are examined: squared paper has some hundred each way


def remove_ruled_lines(mask: UInt8, stroke_width: float) -> UInt8:
    """Return the mask without ruled lines, 1 for ink and 0 for paper; both are ``(rows, columns)``.

    Where a digit crosses a ruled line or runs along it, the ink is thicker than the line, and stays: staves are
    removed from printed music in the same way (Fujinaga, 1988).
    """
    across = _find_ruled_lines(mask, stroke_width)
    down = _find_ruled_lines(np.ascontiguousarray(mask.T), stroke_width).T
    return mask & ~(across | down)


def _find_ruled_lines(mask: UInt8, stroke_width: float) -> UInt8:
    """Mark with 1 the ruled lines that lead from the left border to the right one."""
    ruled = np.zeros_like(mask)
    columns = mask.shape[1]
    thickness = _measure_thickness(mask)
    thin = ((thickness > 0) & (thickness <= _THICKEST * stroke_width + 1)).astype(np.uint8)
    level = np.pi / 2  # the normal of a horizontal line points down
    votes = max(1, round(columns * _COVER / 3))  # a ruled line, thick and bent, spreads its votes over some lines
    lines = cv2.HoughLines(thin, 1, np.radians(0.5), votes, min_theta=level - _SLANT, max_theta=level + _SLANT)
    if lines is None:
        return ruled
    y, x = np.nonzero(thin)
    for rho, theta in lines[:_MOST].reshape(-1, 2):
        near = np.abs(x * np.cos(theta) + y * np.sin(theta) - rho) <= _BEND * stroke_width + 1
        covered = np.bincount(x[near], minlength=columns) > 0
        if covered.mean() < _COVER or not (covered[: _EDGE + 1].any() and covered[-1 - _EDGE :].any()):
            continue
        own = thickness[y[near], x[near]]
        bare = own <= 1.5 * np.median(own) + 1  # thicker where a digit's ink is on it
        ruled[y[near][bare], x[near][bare]] = 1
        y, x = y[~near], x[~near]
    return ruled


def _measure_thickness(mask: UInt8) -> NDArray[np.int32]:
    """Measure for each pixel of ink the length of the vertical run of ink that it is in; 0 for paper."""
    above = mask.astype(np.int32)
    below = above.copy()
    for row in range(1, len(mask)):
        above[row] *= above[row - 1] + 1
        below[-1 - row] *= below[-row] + 1
    return above + below - mask
