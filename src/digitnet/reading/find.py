"""From a picture to the digits on it."""

from dataclasses import dataclass
from math import ceil

from digitnet.reading.ink import Ink, UInt8, see_ink
from digitnet.reading.lines import arrange
from digitnet.reading.pieces import Piece, draw, find_pieces, merge
from digitnet.reading.segment import Judge, segment

_PART = 0.15  # of the largest piece's size: what is smaller beside a single digit is dirt


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels of the picture."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Found:
    """A digit on a picture. Its crop ``(rows, columns)`` is its ink alone, 0 for paper and 255 for full ink."""

    box: Box
    crop: UInt8


def find_digits(picture: UInt8, judge: Judge | None = None, count: int | None = None) -> list[list[Found]]:
    """Find digits, as lines from top to bottom, each from left to right; an empty list where nothing is written.

    `picture` is uint8, ``(rows, columns)`` or ``(rows, columns, 3)``, as `open_picture` returns it. A `judge`, the
    network that will read the crops, chooses where touching digits are cut and broken ones joined, by how sure it
    is; without one the forms choose. With a `count` the picture is one field of so many digits and makes one line,
    cut and joined until that many are found, or as near to it as the ink allows.
    """
    ink = see_ink(picture)
    lines = arrange(find_pieces(ink))
    if count is not None and lines:
        lines = [sorted((piece for line in lines for piece in line), key=lambda piece: piece.middle)]
    found = [[_cut_out(digit, ink, picture) for digit in segment(line, ink, judge, count)] for line in lines]
    return [line for line in found if line]


def find_single(picture: UInt8) -> Found | None:
    """Find the digit of a picture that holds one alone: all its ink but dirt and rules, or None."""
    ink = see_ink(picture)
    pieces = find_pieces(ink)
    if not pieces:
        return None
    largest = max(max(piece.width, piece.height) for piece in pieces)
    kept = [piece for piece in pieces if max(piece.width, piece.height) >= _PART * largest]
    return _cut_out(merge(kept), ink, picture)


def _cut_out(digit: Piece, ink: Ink, picture: UInt8) -> Found:
    """Map a piece of the working picture back to the picture, and draw it."""
    rows, columns = picture.shape[:2]
    down, across = ink.mask.shape[0] / rows, ink.mask.shape[1] / columns
    left, top = min(int(digit.left / across), columns - 1), min(int(digit.top / down), rows - 1)
    right, bottom = min(ceil(digit.right / across), columns), min(ceil(digit.bottom / down), rows)
    return Found(Box(left, top, max(1, right - left), max(1, bottom - top)), draw(digit, ink))
