"""Small images to one picture, and a picture to the bytes of a PNG file: arrays in, arrays or bytes out."""

import base64
import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image

from digitnet.data.dataset import UInt8

Floats = npt.NDArray[np.floating[Any]]

# Okabe & Ito's blue and vermilion, which people who see few colours tell apart, on either side of white; an odd
# number of colours has white as its middle
_BLUE_TO_ORANGE = LinearSegmentedColormap.from_list("filters", ["#0072b2", "#fafafa", "#d55e00"], N=511)


def ink(values: UInt8 | Floats) -> UInt8:
    """Turn strengths into black ink ``(..., 4)`` RGBA on nothing; bytes are full at 255, floats at their largest.

    The paper shines through, so the same picture suits a light page and, inverted, a dark one.
    """
    picture = np.zeros((*values.shape, 4), dtype=np.uint8)
    largest = 255.0 if values.dtype == np.uint8 else float(values.max(initial=0.0)) or 1.0
    picture[..., 3] = np.rint(np.clip(values / largest, 0, 1) * 255)
    return picture


def tint(weights: Floats) -> UInt8:
    """Colour weights ``(..., 4)`` RGBA: negative blue, zero white, positive orange, full at the largest of all."""
    largest = float(np.abs(weights).max(initial=0.0)) or 1.0
    colours: Floats = _BLUE_TO_ORANGE((weights / largest + 1) / 2)  # (..., 4) 0 to 1
    return np.rint(255 * colours).astype(np.uint8)


def sheet(tiles: UInt8, columns: int, gap: int) -> UInt8:
    """Lay tiles ``(N, rows, columns, 4)`` out row by row, `gap` transparent pixels apart."""
    count, height, width, channels = tiles.shape
    lines = math.ceil(count / columns)
    picture = np.zeros((lines * (height + gap) - gap, columns * (width + gap) - gap, channels), dtype=np.uint8)
    for k, tile in enumerate(tiles):
        top, left = (k // columns) * (height + gap), (k % columns) * (width + gap)
        picture[top : top + height, left : left + width] = tile
    return picture


def filter_tiles(weights: Floats) -> UInt8:
    """Colour each filter of a layer ``(out, in, k, k)``: a square mosaic of its slices, one for each input map.

    Gives ``(out, rows, columns, 4)`` RGBA; one slice alone is its own mosaic.
    """
    coloured = tint(weights)  # (out, in, k, k, 4)
    columns = math.ceil(math.sqrt(weights.shape[1]))
    return np.stack([sheet(slices, columns, gap=1) for slices in coloured])


def enlarge(picture: UInt8, factor: int) -> UInt8:
    """Repeat each pixel `factor` times both ways, so that it stays a crisp square on any screen."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def png(picture: UInt8) -> bytes:
    """Encode a picture ``(rows, columns, 4)`` RGBA as PNG: 28 x 28 pixels of black ink take about 300 bytes."""
    is_black = not picture[..., :3].any()
    image = Image.fromarray(picture[..., [0, 3]].copy(), "LA") if is_black else Image.fromarray(picture, "RGBA")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Write bytes as an address that holds its own content, so that a page needs no second file."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
