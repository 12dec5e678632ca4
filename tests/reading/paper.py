"""Pages that are drawn: what is written, on what paper, in what light."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from digitnet.reading.result import Box, Digit
from digitnet.reading.stages import find_digits

UInt8 = NDArray[np.uint8]
Cover = NDArray[np.float64]  # (rows, columns): how much of each pixel ink covers, 0 to 1

FONT = cv2.FONT_HERSHEY_SIMPLEX


def write(lines: Sequence[str], *, high: int = 42, pen: int = 4, apart: float = 1.0) -> tuple[Cover, list[Box]]:
    """Write lines of digits `high` pixels high, `apart` times the usual way from each to the next.

    Return the cover, and the box of each digit: the rectangle around it when it is written alone.
    """
    scale = high / 21  # the font's digits are 21 units high
    step = round(20 * scale * apart)
    shape = (round(high * (1.9 * len(lines) + 1)), 2 * high + step * max(map(len, lines)))
    page = np.zeros(shape, np.uint8)
    boxes = []
    for row, line in enumerate(lines):
        for column, digit in enumerate(line):
            alone = np.zeros(shape, np.uint8)
            place = (high + step * column, round(high * (1.9 * row + 1.7)))
            cv2.putText(alone, digit, place, FONT, scale, 255, pen, cv2.LINE_AA)
            left, top, width, height = cv2.boundingRect((alone > 127).astype(np.uint8))
            boxes.append(Box(left, top, width, height))
            page = np.maximum(page, alone)
    return page / 255, boxes


def lay(cover: Cover, *, paper: Sequence[float] = (225, 225, 225), ink: Sequence[float] = (40, 40, 40)) -> UInt8:
    """Return the picture ``(rows, columns, 3)`` of ink on paper, each of one colour (red, green, blue)."""
    return np.rint(np.array(paper) * (1 - cover[..., None]) + np.array(ink) * cover[..., None]).astype(np.uint8)


def shade(picture: UInt8, darkest: float) -> UInt8:
    """Dim the light from the upper left, where it is full, to the lower right corner."""
    rows, columns = picture.shape[:2]
    way = (np.arange(rows)[:, None] / rows + np.arange(columns) / columns) / 2
    return (picture * (1 - (1 - darkest) * way)[..., None]).astype(np.uint8)


def grain(picture: UInt8, deviation: float) -> UInt8:
    """Add the noise of a camera."""
    noise = np.random.default_rng(5).normal(0, deviation, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def rule(picture: UInt8, *, step: int, colour: Sequence[float], squared: bool = False, thick: int = 1) -> UInt8:
    """Rule the paper from border to border; the ink over it stays on top."""
    ruled = picture.copy()
    for offset in range(thick):
        ruled[step // 2 + offset :: step] = colour
        if squared:
            ruled[:, step // 2 + offset :: step] = colour
    return np.minimum(picture, ruled)


def turn(picture: UInt8, degrees: float) -> UInt8:
    """Turn the picture around its middle; its corners get the colour of the paper at its borders."""
    rows, columns = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((columns / 2, rows / 2), degrees, 1.0)
    return cv2.warpAffine(picture, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def indifferent(ink: UInt8, box: Box) -> Digit:
    """Answer, in the network's place, that every candidate is surely a digit, so that the forms alone decide."""
    return Digit("0", (1.0,), "accepted", 50.0, box, ink, ink)


def find(picture: UInt8, count: int | None = None) -> list[list[Digit]]:
    """Find digits by their forms alone."""
    return find_digits(picture, indifferent, sure=0.5, count=count).digits


def find_single(picture: UInt8) -> Digit | None:
    """Find the one digit of a picture."""
    lines = find_digits(picture, indifferent, sure=0.5, single=True).digits
    return lines[0][0] if lines else None


def flat(lines: Sequence[Sequence[Digit]]) -> list[Box]:
    """List the boxes of all lines, in the order of reading."""
    return [found.box for line in lines for found in line]


def agree(one: Box, other: Box, *, pixels: float) -> bool:
    """Tell whether each side of a box is about where the other's is."""
    corners = [(b.left, b.top, b.left + b.width, b.top + b.height) for b in (one, other)]
    return max(abs(a - b) for a, b in zip(*corners, strict=True)) <= pixels
