"""The sheet of paper in a picture that shows more: its edge, a desk, whatever lies beside it."""

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]

_STROKE = 1 / 24  # of the longer side: a narrower stroke is not seen while the sheet is looked for
_STEP = 9  # grey levels within 3 pixels: light falls off more slowly, a sheet's edge is steeper
_SMALLEST = 0.12  # of the picture: a smaller region is no sheet
_WHOLE = 0.97  # of the picture: a sheet that covers so much is all there is
_FILLED = 0.8  # of its convex hull: a region that covers less is not a sheet
_DARKEST_SHADOW = 0.45  # of the sheet's light
_COLOURED = 0.12  # a shadow dims all channels alike, up to so much of it
_ALIKE = 0.1  # of what lies beside it: where so much is as light as the sheet, it is paper too


def find_sheet(picture: UInt8) -> UInt8 | None:
    """Mark the sheet with 1, 0 elsewhere: ``(rows, columns)``; None where the picture shows nothing else.

    `picture` is small, ``(rows, columns)`` or ``(rows, columns, 3)``, with the sheet larger than a tenth of it.
    Strokes are removed by a closing and an opening; what remains is cut along its steep edges, and of the regions
    the lightest large one is the sheet.
    """
    rows, columns = picture.shape[:2]
    side = 2 * round(_STROKE * max(rows, columns) / 2) + 1
    window = np.ones((side, side), np.uint8)
    bare = cv2.morphologyEx(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, window), cv2.MORPH_OPEN, window)
    bare = cv2.GaussianBlur(bare, (0, 0), 1).reshape(rows, columns, -1)
    steepness = (
        cv2.morphologyEx(bare, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)).reshape(bare.shape).max(axis=2)
    )
    level = bare.mean(axis=2)
    count, labels, table, _ = cv2.connectedComponentsWithStats(
        (steepness <= _STEP).astype(np.uint8), connectivity=4
    )
    best, found = 0.0, None
    for label in range(1, count):
        if table[label, cv2.CC_STAT_AREA] < _SMALLEST * level.size:
            continue
        own = labels == label
        value = float(level[own].mean()) ** 3 * float(own.sum()) ** 0.5
        if value > best:
            best, found = value, own
    if found is None:
        return None
    outlines, _ = cv2.findContours(found.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    if found.sum() < _FILLED * cv2.contourArea(hull):
        return None
    sheet = np.zeros(level.shape, np.uint8)
    cv2.fillConvexPoly(sheet, hull, 1)
    if sheet.mean() > _WHOLE or _is_paper(picture.reshape(rows, columns, -1), sheet):
        return None
    return sheet


def _is_paper(picture: UInt8, sheet: UInt8) -> bool:
    """Tell whether what lies beside the sheet is paper too: as light in some places, or in a shadow."""
    beside, on = picture[sheet == 0], picture[sheet > 0]  # (pixels, channels)
    middle = np.median(on, axis=0)
    if np.mean(np.abs(beside.mean(axis=1) - middle.mean()) <= 2 * _STEP) > _ALIKE:
        return True
    light = np.median(beside, axis=0) / np.maximum(middle, 1)  # of the sheet's, in each channel
    return bool(light.mean() >= _DARKEST_SHADOW and np.ptp(light) <= _COLOURED * light.mean())
