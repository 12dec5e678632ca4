"""Ruled lines, squares and margins, thin and straight from border to border, are taken away from the ink."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.reading.ink import UInt8

_THICKEST = 1.6  # pens: a rule is no thicker
_SLANT = np.radians(12)  # a photograph is held no more askew
_BEND = 1.2  # pens: how far a rule may leave the straight line
_COVER = 0.5  # of a rule's length at least is free of digits that hide it
_EDGE = 3  # pixels of the working picture: how near to the border a rule begins and ends
_MOST = 400  # lines that are looked at: squared paper has some hundred each way


def remove_rules(mask: UInt8, pen: float) -> UInt8:
    """Return the mask without rules, 1 for ink and 0 for paper, both ``(rows, columns)``; `pen` is in pixels.

    Where a digit crosses a rule or runs along it, the ink is thicker than the rule, and stays: so are staves taken
    out of printed music (Fujinaga, 1988).
    """
    lying = _find_rules(mask, pen)
    standing = _find_rules(np.ascontiguousarray(mask.T), pen).T
    return mask & ~(lying | standing)


def _find_rules(mask: UInt8, pen: float) -> UInt8:
    """Mark with 1 the rules that lead from the left border to the right one, found by the Hough transform."""
    rules = np.zeros_like(mask)
    columns = mask.shape[1]
    thickness = _measure_thickness(mask)
    thin = ((thickness > 0) & (thickness <= _THICKEST * pen + 1)).astype(np.uint8)
    level = np.pi / 2  # the normal of a lying line points down
    votes = max(1, round(columns * _COVER / 3))  # a rule is some pixels thick and bent, so it shares its votes
    lines = cv2.HoughLines(thin, 1, np.radians(0.5), votes, min_theta=level - _SLANT, max_theta=level + _SLANT)
    if lines is None:
        return rules
    y, x = np.nonzero(thin)
    for rho, theta in lines[:_MOST].reshape(-1, 2):
        near = np.abs(x * np.cos(theta) + y * np.sin(theta) - rho) <= _BEND * pen + 1
        covered = np.bincount(x[near], minlength=columns) > 0
        if covered.mean() < _COVER or not (covered[: _EDGE + 1].any() and covered[-1 - _EDGE :].any()):
            continue
        own = thickness[y[near], x[near]]
        bare = own <= 1.5 * np.median(own) + 1  # no digit's ink is on it
        rules[y[near][bare], x[near][bare]] = 1
        y, x = y[~near], x[~near]
    return rules


def _measure_thickness(mask: UInt8) -> NDArray[np.int32]:
    """Count for each pixel of ink how many of its column hang together with it; 0 for paper."""
    above = mask.astype(np.int32)
    below = above.copy()
    for row in range(1, len(mask)):
        above[row] *= above[row - 1] + 1
        below[-1 - row] *= below[-row] + 1
    return above + below - mask
