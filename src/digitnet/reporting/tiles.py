"""Images as tiles of one picture: arrays in, arrays out."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap

from digitnet.data.dataset import UInt8

Floats = npt.NDArray[np.floating[Any]]

# Okabe and Ito's blue and vermilion, which colour-blind people can tell apart, on either side of white; an odd
# number of colours has white in the middle
_BLUE_TO_ORANGE = LinearSegmentedColormap.from_list("filters", ["#0072b2", "#fafafa", "#d55e00"], N=511)


def ink(values: UInt8 | Floats) -> UInt8:
    """Draw values as black ink, RGBA ``(..., 4)``; opaque is 255 of bytes, and the maximum of floats.

    The background is transparent, so the same picture suits a light page and, inverted, a dark one.
    """
    picture = np.zeros((*values.shape, 4), dtype=np.uint8)
    largest = 255.0 if values.dtype == np.uint8 else float(values.max(initial=0.0)) or 1.0
    picture[..., 3] = np.rint(np.clip(values / largest, 0, 1) * 255)
    return picture


def tint(weights: Floats) -> UInt8:
    """Colour weights as RGBA ``(..., 4)``: blue is negative, white zero, orange positive."""
    largest = float(np.abs(weights).max(initial=0.0)) or 1.0
    colours: Floats = _BLUE_TO_ORANGE((weights / largest + 1) / 2)  # (..., 4) 0 to 1
    return np.rint(255 * colours).astype(np.uint8)


def sheet(tiles: UInt8, columns: int, gap: int) -> UInt8:
    """Lay out tiles ``(N, rows, columns, 4)`` row by row, `gap` transparent pixels apart."""
    count, height, width, channels = tiles.shape
    lines = math.ceil(count / columns)
    picture = np.zeros((lines * (height + gap) - gap, columns * (width + gap) - gap, channels), dtype=np.uint8)
    for k, tile in enumerate(tiles):
        top, left = (k // columns) * (height + gap), (k % columns) * (width + gap)
        picture[top : top + height, left : left + width] = tile
    return picture


def filter_tiles(weights: Floats) -> UInt8:
    """Colour each filter of a layer ``(out, in, k, k)``: a square mosaic of its slices, one for each input map.

    Returns RGBA ``(out, rows, columns, 4)``.
    """
    coloured = tint(weights)  # (out, in, k, k, 4)
    columns = math.ceil(math.sqrt(weights.shape[1]))
    return np.stack([sheet(slices, columns, gap=1) for slices in coloured])
