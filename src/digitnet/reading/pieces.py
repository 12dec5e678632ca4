"""Pieces of ink: what hangs together, joined and cut until it may be digits."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.reading.ink import Ink, UInt8
from digitnet.reading.rules import remove_rules

_SPECK = 2  # pens: what is neither wider nor higher is a dot or dirt
_LEAST = 5  # pixels of the picture, likewise: a digit of fewer can't be told
_SHADOW = 1.75  # pens: half of the thickness from which a piece at the border is a shadow or the table
_BLOB = 0.35  # of its size: half of the thickness from which a piece is no stroke but a blot
_FRAMED = 0.3  # of its height: what stands around so high a piece may be the frame of a field
_SIDE = 0.12  # of its height or width: the strip in which a frame's side lies
_DRAWN = 0.85  # of a side's length: what covers so much of it is the side of a frame
_MOST = 2000  # pieces of a picture, the largest: more is a printed page

_NARROWEST_CUT = 0.75  # of a digit's height: what is narrower is one digit
_CUT_STEP = 0.1  # of a digit's height, from one place where a cut is tried to the next
_CUT_REACH = 0.08  # of a digit's height: how far a cut looks for its way to either side
_BEND = 0.05  # pixels of ink that a step of a cut to the side costs: on paper a cut is straight
_LONGEST_CUT = 5  # pens of ink that a cut may cross


@dataclass(frozen=True)
class Piece:
    """Ink in a rectangle of the working picture: `mask` ``(height, width)`` is 1 where the ink is its own."""

    left: int
    top: int
    mask: UInt8

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.mask[0])

    @property
    def height(self) -> int:
        """Rows."""
        return len(self.mask)

    @property
    def right(self) -> int:
        """The first column behind it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height

    @property
    def middle(self) -> float:
        """The column of its middle."""
        return self.left + self.width / 2

    @property
    def area(self) -> int:
        """Pixels of ink."""
        return int(np.count_nonzero(self.mask))


def find_pieces(ink: Ink) -> list[Piece]:
    """List what hangs together, without rules, specks, blots, shadows at the border, and the frames of fields."""
    mask = remove_rules(ink.mask, ink.pen)
    _, labels, table, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    left, top, width, height, area = table.T
    speck = max(_SPECK * ink.pen, _LEAST * ink.scale)
    large = (np.maximum(width, height) >= speck) & (area >= ink.pen**2)
    large[0] = False  # the paper
    chosen = np.flatnonzero(large)
    chosen = chosen[np.argsort(-area[chosen], kind="stable")[:_MOST]]
    distance = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    pieces = []
    for label in chosen:
        rows = slice(top[label], top[label] + height[label])
        columns = slice(left[label], left[label] + width[label])
        own = (labels[rows, columns] == label).astype(np.uint8)
        piece = Piece(int(left[label]), int(top[label]), own)
        half = float((distance[rows, columns] * own).max())
        at_border = (
            min(piece.left, piece.top) == 0 or piece.bottom == mask.shape[0] or piece.right == mask.shape[1]
        )
        if half <= _BLOB * max(piece.width, piece.height) and not (at_border and half > _SHADOW * ink.pen):
            pieces.append(piece)
    return [piece for piece in pieces if not _is_frame(piece, pieces)]


def _is_frame(piece: Piece, pieces: Sequence[Piece]) -> bool:
    """Tell whether a piece is drawn around another, on three sides at least: a pi with a loose leg is none."""
    return _has_sides(piece) and any(
        other.height >= _FRAMED * piece.height
        and piece.left < other.left
        and piece.top < other.top
        and other.right < piece.right
        and other.bottom < piece.bottom
        for other in pieces
    )


def _has_sides(piece: Piece) -> bool:
    high, wide = (max(1, round(_SIDE * side)) for side in (piece.height, piece.width))
    across = piece.mask[:high].max(axis=0), piece.mask[-high:].max(axis=0)
    down = piece.mask[:, :wide].max(axis=1), piece.mask[:, -wide:].max(axis=1)
    return sum(float(side.mean()) >= _DRAWN for side in (*across, *down)) >= 3


def merge(pieces: Sequence[Piece]) -> Piece:
    """Make one piece of several."""
    if len(pieces) == 1:
        return pieces[0]
    left, top = min(piece.left for piece in pieces), min(piece.top for piece in pieces)
    right, bottom = max(piece.right for piece in pieces), max(piece.bottom for piece in pieces)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    for piece in pieces:
        mask[piece.top - top : piece.bottom - top, piece.left - left : piece.right - left] |= piece.mask
    return Piece(left, top, mask)


def cut(piece: Piece, pen: float, high: float) -> tuple[list[Piece], list[float]]:
    """Cut a wide piece wherever two digits may touch.

    Return the parts from left to right and, for each but the first, the pens of ink that the cut before it
    crosses. `high` is the height of a digit in pixels.
    """
    if piece.width < _NARROWEST_CUT * high:
        return [piece], []
    seams = _find_seams(piece.mask, pen, high)
    beside = np.zeros(piece.mask.shape, np.intp)  # how many seams are to the left of each pixel
    for seam, _ in seams:
        beside += np.arange(piece.width) >= seam[:, None]
    parts: list[Piece] = []
    crossed: list[float] = []
    for number in range(len(seams) + 1):
        mask = piece.mask & (beside == number).astype(np.uint8)
        if not mask.any():
            continue
        left, top, width, height = cv2.boundingRect(mask)
        parts.append(Piece(piece.left + left, piece.top + top, mask[top : top + height, left : left + width]))
        if len(parts) > 1:
            crossed.append(seams[number - 1][1] / pen)
    return parts, crossed


def _find_seams(mask: UInt8, pen: float, high: float) -> list[tuple[NDArray[np.intp], float]]:
    """List the seams through ``(rows, columns)`` from left to right: the column in each row, the ink in pixels.

    A seam is the way from top to bottom that crosses least ink within a narrow window, by dynamic programming.
    """
    rows, columns = mask.shape
    reach = max(1, round(_CUT_REACH * high))
    place = np.arange(2 * _CUT_STEP * high, columns - 2 * _CUT_STEP * high, _CUT_STEP * high).astype(np.intp)
    place = place[(place - reach >= 1) & (place + reach < columns)]
    if place.size == 0:
        return []
    window = place[:, None] + np.arange(-reach, reach + 1)  # (seams, width): the columns that each may go through
    ink = mask[:, window].astype(np.float32)  # (rows, seams, width)
    total = np.full((len(place), window.shape[1] + 2), np.inf, np.float32)  # walls at both sides
    total[:, 1:-1] = ink[0]
    step = np.zeros(ink.shape, np.int8)  # where the way to each pixel comes from: -1, 0 or 1
    for row in range(1, rows):
        straight, left, right = total[:, 1:-1], total[:, :-2] + _BEND, total[:, 2:] + _BEND
        best = np.minimum(np.minimum(left, right), straight)
        step[row] = np.where(best == straight, 0, np.where(best == left, -1, 1))
        total[:, 1:-1] = best + ink[row]
    seam = np.empty((rows, len(place)), np.intp)
    at = total[:, 1:-1].argmin(axis=1)
    each = np.arange(len(place))
    for row in range(rows - 1, -1, -1):
        seam[row] = window[each, at]
        at = at + step[row, each, at]
    crossed = np.take_along_axis(mask, seam, axis=1).sum(axis=0)
    seams: list[tuple[NDArray[np.intp], float]] = []
    for way, pixels in zip(seam.T, crossed, strict=True):
        apart = all(np.abs(way - other).mean() > _CUT_STEP * high / 2 for other, _ in seams)
        if pixels <= _LONGEST_CUT * pen and apart:
            seams.append((way, float(pixels)))
    return seams


def draw(piece: Piece, ink: Ink) -> UInt8:
    """Draw the ink of a piece ``(rows, columns)``, 0 to 255 with soft edges, and nothing else that is near it."""
    soft = 1 + round(ink.pen / 4)  # pixels beyond the mask in which a stroke fades out
    margin = 2 * soft
    rows, columns = piece.height + 2 * margin, piece.width + 2 * margin
    top, left = max(0, piece.top - margin), max(0, piece.left - margin)
    place = (
        slice(top, min(ink.mask.shape[0], piece.bottom + margin)),
        slice(left, min(ink.mask.shape[1], piece.right + margin)),
    )
    inside = (
        slice(top - piece.top + margin, place[0].stop - piece.top + margin),
        slice(left - piece.left + margin, place[1].stop - piece.left + margin),
    )
    own = np.zeros((rows, columns), np.uint8)
    own[margin:-margin, margin:-margin] = piece.mask
    near = cv2.dilate(own, np.ones((2 * soft + 1, 2 * soft + 1), np.uint8))
    drawn = np.zeros((rows, columns), np.float32)
    drawn[inside] = ink.darkness[place] * ((near[inside] > ink.mask[place]) | (own[inside] > 0))
    full = float(np.percentile(drawn[own > 0], 75))  # the edges of a stroke are fainter than the stroke
    crop: UInt8 = (np.clip(drawn / full, 0, 1) * 255).astype(np.uint8)
    return crop
