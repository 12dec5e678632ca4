"""From a picture to its ink: the desk, the paper, shadows and the colour of the pen are removed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.finding.sheet import find_sheet

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]

FINE = 1600
"""Pixels of a picture's longer side at most: more cost time, and digits are read at 20 pixels."""

DIRT = 0.15
"""Of the largest mark's size: what is smaller is dirt."""

_COARSE = 320  # pixels of the longer side in the first look, and where the paper is estimated: it is smooth
_SMALL = 112  # pixels of the longer side at least: 28 x 28 pixels are enlarged, so that a stroke has an inside
_STROKE_WIDTH = 5  # pixels of a stroke's width that are enough to see its form
_DARKEST_PAPER = 48  # grey level; on darker paper the ratio of ink to paper is noise
_FAINTEST = 0.1  # least fraction of the paper's light that ink absorbs
_BELOW_OTSU = 0.8  # of Otsu's threshold: certainly ink
_FAINT = 0.4  # of Otsu's threshold: ink where it continues a stroke that certainly is
_USUAL = 0.03  # of the longer side: a stroke's width, where the measured ones are those of something else
_ALIKE = 1.7  # ratio of stroke widths that find the same ink
_MUCH = 0.2  # of the picture: where ink covers less, the median is that of the paper
_TWO_CLASSES = 0.75  # of the variance that ink and paper explain
_NOISE = 6  # standard deviations of the paper's grain by which ink is darker


@dataclass(frozen=True)
class Ink:
    """The ink of a picture, at a working size of ``(rows, columns)``."""

    darkness: Float32  # (rows, columns) about 0 for paper, 1 for black
    faint: UInt8  # (rows, columns) 1 for whatever may be ink, 0 for paper
    strong: UInt8  # (rows, columns) 1 for what certainly is
    stroke_width: float  # median, in working pixels
    scale: float  # working pixels per pixel of what was given
    picture_shape: tuple[int, int]  # rows and columns of the picture
    sheet: UInt8 | None = None  # (rows, columns) 1 on the sheet; None where the picture shows nothing else

    @cached_property
    def mask(self) -> UInt8:
        """Ink, 1, and paper, 0: ``(rows, columns)``."""
        return connect(self.faint, self.strong)


def find_ink(picture: UInt8, shape: tuple[int, int] | None = None) -> Ink:
    """Find the ink of a picture, uint8 ``(rows, columns)`` or ``(rows, columns, 3)``, in any light and colour.

    `shape` is the number of rows and columns before the picture was made smaller.

    The channels are weighted to the grey in which ink is darkest; what is darker than the paper is ink. The paper
    is the morphological closing of the picture, which fills whatever is narrower than a window. The window is
    three stroke widths wide, as measured in a first look through a wide window: a narrow one would hollow out the
    strokes of a felt pen, and a wide one takes shadows for ink.
    """
    return next(_find_inks(picture, shape))


def find_inks(picture: UInt8, shape: tuple[int, int] | None = None) -> list[Ink]:
    """Find what may be the ink of a picture: that of `find_ink`, and that of strokes of other widths.

    A digit may be so close that its strokes are wider than the first window: then `find_ink` finds only their
    edges. Or a shadow may be taken for a stroke.
    """
    return list(_find_inks(picture, shape))


def _find_inks(picture: UInt8, shape: tuple[int, int] | None) -> Iterator[Ink]:
    shape = shape or (picture.shape[0], picture.shape[1])
    longest = max(picture.shape[:2])
    first = min(max(longest, _SMALL), _COARSE)
    coarse = _resize(picture, first / longest)
    sheet = find_sheet(coarse)
    weights = _find_channel_weights(coarse, sheet)
    coarse = _to_grey(coarse, weights)
    if sheet is not None:
        coarse = _fill_around(coarse, sheet)
        sheet = cv2.erode(sheet, np.ones((5, 5), np.uint8), borderValue=1).astype(np.uint8)
    found: list[float] = []
    for stroke_width in _guess_stroke_widths(coarse):
        if any(1 / _ALIKE <= stroke_width / other <= _ALIKE for other in found):
            continue
        found.append(stroke_width)
        scale = min(max(_STROKE_WIDTH / stroke_width, 1) * first, FINE, max(longest, _COARSE)) / longest
        fine = _to_grey(_resize(picture, scale), weights)
        darkness = _subtract_paper(fine, coarse, 3 * stroke_width)
        on_sheet = None
        if sheet is not None:
            on_sheet = cv2.resize(sheet, fine.shape[::-1], interpolation=cv2.INTER_NEAREST).astype(np.uint8)
            darkness *= on_sheet
        working_width = stroke_width * scale * longest / first
        yield Ink(darkness, *_threshold(darkness), working_width, scale, shape, on_sheet)


def _guess_stroke_widths(coarse: UInt8) -> Iterator[float]:
    """Yield what the width of strokes may be, in pixels: first as most pictures have it."""
    longest = max(coarse.shape)
    for window in (longest / 4, float(longest)):
        mask = connect(*_threshold(_subtract_paper(coarse, coarse, window)))
        yield measure_stroke_width(mask, inner=True)
        yield measure_stroke_width(mask)
    yield _USUAL * longest


def _resize(picture: UInt8, scale: float) -> UInt8:
    rows, columns = (max(1, round(side * scale)) for side in picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(picture, (columns, rows), interpolation=method).astype(np.uint8, copy=False)


def _fill_around(picture: UInt8, sheet: UInt8) -> UInt8:
    """Replace what is beside the sheet by the sheet's median: its edge then leaves no trace in the paper."""
    return np.where(sheet > 0, picture, np.uint8(np.median(picture[sheet > 0]))).astype(np.uint8)


def _find_channel_weights(picture: UInt8, sheet: UInt8 | None) -> Float32:
    """Find the weight of each channel, negative where ink is lighter than paper, so that ink is dark in the sum.

    Ink covers less than paper, so the longer tail of a channel's values is ink, and the skewness has its sign.
    """
    detail = picture.astype(np.float32)
    detail -= cv2.blur(detail, (max(picture.shape[:2]) // 3,) * 2)
    values = detail.reshape(-1, 1 if detail.ndim == 2 else detail.shape[2])  # (pixels, channels)
    if sheet is not None:
        values = values[cv2.erode(sheet, np.ones((7, 7), np.uint8), borderValue=1).reshape(-1) > 0]
    values = values - values.mean(axis=0)
    skewness = np.cbrt(-(values * values * values).mean(axis=0))  # a power takes twenty times as long
    total = float(np.abs(skewness).sum())
    weights: Float32 = skewness / total if total > 0 else np.full_like(skewness, 1 / len(skewness))
    return weights


def _to_grey(picture: UInt8, weights: Float32) -> UInt8:
    """Add the weighted channels up to grey ``(rows, columns)``; one with a negative weight is inverted first."""
    inverted = float(-255 * weights[weights < 0].sum())
    return cv2.transform(picture, np.append(weights, inverted)[None]).reshape(picture.shape[:2]).astype(np.uint8)


def _subtract_paper(picture: UInt8, coarse: UInt8, window: float) -> Float32:
    """Return the darkness ``(rows, columns)`` of a picture on the paper of `coarse`; `window` is in its pixels."""
    width = 2 * max(1, round(window / 2)) + 1
    paper = cv2.blur(cv2.morphologyEx(coarse, cv2.MORPH_CLOSE, np.ones((width, width), np.uint8)), (width, width))
    paper = cv2.resize(paper, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    darkness = cv2.subtract(paper, picture, dtype=cv2.CV_32F) / np.maximum(paper, _DARKEST_PAPER)
    return darkness.astype(np.float32, copy=False)


def _threshold(darkness: Float32) -> tuple[UInt8, UInt8]:
    """Mark what may be ink, and what certainly is, by Otsu's threshold over all that is darker than the grain."""
    sample = _choose_paper(darkness.ravel()[:: max(1, darkness.size // 100_000)])
    middle = float(np.median(sample))
    grain = 1.4826 * float(np.median(np.abs(sample - middle)))  # a standard deviation, if the grain is normal
    floor = max(_FAINTEST, middle + _NOISE * grain)
    strong = darkness[darkness > floor]
    if strong.size == 0:
        return np.zeros(darkness.shape, np.uint8), np.zeros(darkness.shape, np.uint8)
    levels = np.clip(strong * 255, 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    near = np.ones((3, 3), np.uint8)
    faint, certain = (
        cv2.morphologyEx((darkness > max(floor, part * otsu / 255)).astype(np.uint8), cv2.MORPH_CLOSE, near)
        for part in (_FAINT, _BELOW_OTSU)
    )  # closed, because strokes have hairline breaks
    return faint.astype(np.uint8), certain.astype(np.uint8)


def _choose_paper(sample: Float32) -> Float32:
    """Leave ink out of a sample of darkness ``(n,)`` where there is so much that the rest is not mostly paper.

    Ink and paper are two classes whose means explain most of the variance, as Otsu (1979) measures it; for noise
    they explain 64%.
    """
    levels = np.clip(sample * 255, 0, 255).astype(np.uint8)
    otsu, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    dark = levels > otsu
    share = float(dark.mean())
    if share < _MUCH:
        return sample
    between = share * (1 - share) * float(sample[dark].mean() - sample[~dark].mean()) ** 2
    return sample[~dark] if between > _TWO_CLASSES * float(sample.var()) else sample


def connect(faint: UInt8, strong: UInt8) -> UInt8:
    """Keep the connected parts of `faint` that have something of `strong`: hysteresis, as in Canny (1986)."""
    count, labels = cv2.connectedComponents(faint, connectivity=8)
    kept = np.zeros(count, np.uint8)
    kept[labels[strong > 0]] = 1
    kept[0] = 0  # the paper
    return np.asarray(kept[labels], np.uint8)


def measure_stroke_width(mask: UInt8, *, inner: bool = False) -> float:
    """Measure the width of strokes, in pixels: twice the median distance from their middle to the paper.

    Only marks a quarter as large as the largest count, as there may be more specks than strokes; with `inner` only
    those off the border, unless they are dirt, as others may be a table, a shadow or a dark corner. Each place
    counts by its width, as ruled lines may be longer than strokes.
    """
    _, labels, table, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    size = table[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    size[0] = 0  # the paper
    if inner:
        left, top, width, height = table[:, :4].T
        is_inner = (np.minimum(left, top) > 0) & (left + width < mask.shape[1]) & (top + height < mask.shape[0])
        inner_size = np.where(is_inner, size, 0)
        size = inner_size if inner_size.max() > DIRT * size.max() else size
    large = size >= max(1, size.max() / 4)
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    distance = np.minimum(distance, max(mask.shape) / 2)  # infinite where there is no paper at all
    middle = (distance >= cv2.dilate(distance, np.ones((3, 3), np.uint8))) & large[labels]
    if not middle.any():
        return 1.0
    half = np.sort(distance[middle])
    total = np.cumsum(half)
    return 2 * float(half[np.searchsorted(total, total[-1] / 2)])
