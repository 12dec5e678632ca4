"""Pixels as the bytes of a PNG file, and those as a part of a page, which then needs no second file."""

import base64
import io

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]


def enlarge(picture: UInt8, factor: int) -> UInt8:
    """Repeat each pixel `factor` times both ways, so that it stays a sharp square on any screen."""
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def png(picture: UInt8) -> bytes:
    """Encode a picture as PNG: grey ``(rows, columns)``, or RGBA ``(rows, columns, 4)``.

    28 x 28 pixels take about 300 bytes.
    """
    from PIL import Image  # only where something is drawn: loading data does without

    if picture.ndim == 2:
        image = Image.fromarray(picture, "L")
    elif picture[..., :3].any():
        image = Image.fromarray(picture, "RGBA")
    else:
        image = Image.fromarray(picture[..., [0, 3]].copy(), "LA")  # black ink alone
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Encode bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
