"""From a picture to its ink: paper, shadows and the colour of the pen are taken out of it."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

_COARSE = 320  # pixels of the longer side in the first look, and where the paper is estimated: it is smooth
_FINE = 1600  # pixels of the longer side at most: more costs time, and digits are read at 20 pixels
_PEN = 5  # pixels of a stroke's width that are enough to see its form
_DARKEST_PAPER = 48  # in darker places the ratio of ink to paper is noise
_FAINTEST = 0.1  # the share of the paper's light that ink takes at least
_BELOW_OTSU = 0.8  # of Otsu's threshold: faint places of a stroke are ink too
_NOISE = 6  # ink stands so many deviations of the paper's grain above it


@dataclass(frozen=True)
class Ink:
    """What was written, at a working size of ``(rows, columns)``."""

    darkness: Float32  # 0 for paper, 1 where no light is left
    mask: UInt8  # 1 for ink, 0 for paper
    pen: float  # the width of a stroke, in working pixels
    scale: float  # working pixels for each pixel of the picture


def see_ink(picture: UInt8) -> Ink:
    """Find the ink of a picture, uint8 ``(rows, columns)`` or ``(rows, columns, 3)``, in any light and colour.

    Ink is what darkens one of the colours of the paper around it, or lightens it where the paper is dark. The
    paper is the morphological closing: the picture without whatever is narrower than a window. The window is four
    times as wide as the pen, which is measured in a first look through a wide one: a small window would hollow
    out the strokes of a felt pen, and a wide one takes shadows for ink.
    """
    longest = max(picture.shape[:2])
    coarse = _resize(picture, _COARSE / longest)
    dark_paper = _is_light_on_dark(coarse)
    coarse = 255 - coarse if dark_paper else coarse
    darkness = _subtract_paper(coarse, coarse, max(coarse.shape[:2]) / 4)
    pen = _measure_pen(_separate(darkness))
    scale = min(max(_PEN / pen, 1) * _COARSE, _FINE, max(longest, _COARSE)) / longest
    fine = _resize(picture, scale)
    fine = 255 - fine if dark_paper else fine
    darkness = _subtract_paper(fine, coarse, 4 * pen)
    return Ink(darkness, _separate(darkness), pen * scale * longest / _COARSE, scale)


def _resize(picture: UInt8, scale: float) -> UInt8:
    rows, columns = (max(1, round(side * scale)) for side in picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (columns, rows), interpolation=method).astype(np.uint8, copy=False)


def _is_light_on_dark(picture: UInt8) -> bool:
    """Tell by the skewness of the grey: ink is less than paper, so the longer tail is ink."""
    grey = (picture if picture.ndim == 2 else picture.mean(axis=2)).astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _COARSE / 6)
    return bool(((detail - detail.mean()) ** 3).mean() > 0)


def _subtract_paper(picture: UInt8, coarse: UInt8, window: float) -> Float32:
    """Return the darkness ``(rows, columns)`` of a picture on the paper of `coarse`; `window` is in its pixels."""
    width = 2 * max(1, round(window / 2)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))
    paper = cv2.GaussianBlur(cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, kernel), (0, 0), width / 4)
    paper = cv2.resize(paper, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    taken = cv2.subtract(paper, picture).astype(np.float32) / np.maximum(paper, _DARKEST_PAPER)
    return (taken if taken.ndim == 2 else taken.max(axis=2)).astype(np.float32, copy=False)


def _separate(darkness: Float32) -> UInt8:
    """Separate ink (1) from paper (0): Otsu's threshold over all that stands out of the paper's grain."""
    sample = darkness.ravel()[:: max(1, darkness.size // 100_000)]
    middle = float(np.median(sample))
    grain = 1.4826 * float(np.median(np.abs(sample - middle)))
    floor = max(_FAINTEST, middle + _NOISE * grain)
    strong = darkness[darkness > floor]
    if strong.size == 0:
        return np.zeros(darkness.shape, np.uint8)
    levels = np.clip(strong * 255, 0, 255).astype(np.uint8)
    between, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    return (darkness > max(floor, _BELOW_OTSU * between / 255)).astype(np.uint8)


def _measure_pen(mask: UInt8) -> float:
    """Measure the width of strokes, in pixels: the median along the middle of the strokes."""
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    middle = (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & (mask > 0)
    return 2 * float(np.median(distance[middle])) if middle.any() else 1.0
