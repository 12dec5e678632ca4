"""What occlusion found, as colours on the ink of an image; a frame around a part of a picture."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap
from PIL import Image

from digitnet.data.dataset import UInt8
from digitnet.pages.png import data_uri
from digitnet.reporting.pictures import DARK_SCREEN, Drawing, Picture, picture
from digitnet.reporting.style import DARK, LIGHT, Theme

Floats = npt.NDArray[np.float64]

_PALE = {LIGHT: "#c3c4bf", DARK: "#666b74"}
"""Ink that means nothing: nearer to the paper than the colours, so that lightness tells their strength too."""

_LONGEST_SIDE = 480
"""Pixels of a photograph inside the page."""


@dataclass(frozen=True)
class Frame:
    """A rectangle on a picture, in percent of its width and height."""

    left: float
    top: float
    width: float
    height: float


def frame(left: float, top: float, width: float, height: float, shape: tuple[int, ...]) -> Frame:
    """Make the frame of a rectangle in pixels on a picture of this shape ``(rows, columns, ...)``."""
    rows, columns = shape[:2]
    across, down = 100 / columns, 100 / rows
    return Frame(*(round(value, 3) for value in (left * across, top * down, width * across, height * down)))


def tinted_ink(image: UInt8, values: Floats, alt: str) -> Drawing:
    """Colour the ink of an image ``(rows, columns)`` by values of -1 (blue) over 0 (pale) to 1 (orange)."""
    light, dark = (picture(_tint(image, values, theme), alt) for theme in (LIGHT, DARK))
    return Drawing(sources=((DARK_SCREEN, dark),), fallback=light)


def scale_bar(lowest: float, alt: str) -> Drawing:
    """Draw the colours of `tinted_ink` from `lowest`, -1 or 0, to 1 side by side."""
    values = np.linspace(lowest, 1, 64)[None]
    return tinted_ink(np.full(values.shape, 255, np.uint8), values, alt)


def photograph(pixels: UInt8, alt: str) -> Picture:
    """Make a picture, as small as the page needs it, of grey ``(rows, columns)`` or RGB ``(rows, columns, 3)``."""
    image = Image.fromarray(pixels)
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return Picture(data_uri(buffer.getvalue(), "image/jpeg"), alt, *image.size)


def _tint(image: UInt8, values: Floats, theme: Theme) -> UInt8:
    colours = LinearSegmentedColormap.from_list("drop", [theme.training, _PALE[theme], theme.validation], N=511)
    tinted: UInt8 = np.rint(255 * colours((np.clip(values, -1, 1) + 1) / 2)).astype(np.uint8)  # (..., 4)
    tinted[..., 3] = image
    return tinted
