"""Where touching digits may be cut apart: along the seams that cross the least ink."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.finding.components import Component
from digitnet.finding.ink import UInt8

_NARROWEST = 0.75  # of a digit's height: a narrower component is one digit
_LOWEST = 2.5  # stroke widths: a lower component is a dash or a bar, not digits that touch
_STEP = 0.1  # of a digit's height, from one place where a cut is tried to the next
_REACH = 0.08  # of a digit's height: how far a seam may stray to either side
_BEND = 0.05  # cost, in pixels of ink, of a step to the side: on paper a seam is straight
_LONGEST = 5  # stroke widths of ink that a seam may cross

Seam = NDArray[np.intp]
"""The column of a seam in each row: ``(rows,)``."""


def cut_apart(component: Component, stroke_width: float, height: float) -> list[Component]:
    """Cut a wide component wherever two digits may touch, into parts from left to right.

    `height` is a digit's, in pixels.
    """
    if component.width < _NARROWEST * height or component.height < _LOWEST * stroke_width:
        return [component]
    seams = _find_seams(component.mask, stroke_width, height)
    region = np.zeros(component.mask.shape, np.intp)  # how many seams are to the left of each pixel
    for seam, _ in seams:
        region += np.arange(component.width) >= seam[:, None]
    parts: list[Component] = []
    for number in range(len(seams) + 1):
        mask = component.mask & (region == number).astype(np.uint8)
        if not mask.any():
            continue
        left, top, width, high = cv2.boundingRect(mask)
        own = mask[top : top + high, left : left + width]
        crossed = seams[number - 1][1] / stroke_width if parts else None
        parts.append(Component(component.left + left, component.top + top, own, crossed))
    return parts


def _find_seams(mask: UInt8, stroke_width: float, height: float) -> list[tuple[Seam, float]]:
    """List the seams through ``(rows, columns)`` from left to right, each with the ink it crosses, in pixels.

    A seam is the path of least cost from top to bottom within a narrow window, by dynamic programming (Avidan and
    Shamir, 2007).
    """
    rows, columns = mask.shape
    reach = max(1, round(_REACH * height))
    place = np.arange(2 * _STEP * height, columns - 2 * _STEP * height, _STEP * height).astype(np.intp)
    place = place[(place - reach >= 1) & (place + reach < columns)]
    if place.size == 0:
        return []
    window = place[:, None] + np.arange(-reach, reach + 1)  # (seams, width): the columns open to each seam
    ink = mask[:, window].astype(np.float32)  # (rows, seams, width)
    cost = np.full((len(place), window.shape[1] + 2), np.inf, np.float32)  # with a wall at either side
    cost[:, 1:-1] = ink[0]
    step = np.zeros(ink.shape, np.int8)  # the step that led to each pixel from the row above: -1, 0 or 1
    for row in range(1, rows):
        straight, left, right = cost[:, 1:-1], cost[:, :-2] + _BEND, cost[:, 2:] + _BEND
        best = np.minimum(np.minimum(left, right), straight)
        step[row] = np.where(best == straight, 0, np.where(best == left, -1, 1))
        cost[:, 1:-1] = best + ink[row]
    paths = np.empty((rows, len(place)), np.intp)
    at, each = cost[:, 1:-1].argmin(axis=1), np.arange(len(place))
    for row in range(rows - 1, -1, -1):
        paths[row] = window[each, at]
        at = at + step[row, each, at]
    crossed = np.take_along_axis(mask, paths, axis=1).sum(axis=0)
    seams: list[tuple[Seam, float]] = []
    for seam, pixels in zip(paths.T, crossed, strict=True):
        apart = all(np.abs(seam - other).mean() > _STEP * height / 2 for other, _ in seams)
        if pixels <= _LONGEST * stroke_width and apart:
            seams.append((seam, float(pixels)))
    return seams
