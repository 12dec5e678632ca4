"""Open a picture safely, from wherever it comes: a file, bytes, standard input, a PIL image or an array."""

import io
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from digitnet.errors import PictureError
from digitnet.reading.other_formats import FORMATS, identify

UInt8 = NDArray[np.uint8]

LARGEST = 100_000_000
"""The most pixels of a picture: twice as many as any telephone takes without stitching."""

_LARGEST_FILE = 2**29  # bytes, 512 MiB: LARGEST pixels of four bytes, and room for metadata
_MOST_PAGES = 10_000  # that are counted: a file could name millions
_KIND_OF_PAGE = 254  # the number of the TIFF field NewSubfileType, whose lowest bit says "a smaller copy"
_DECODERS = ("PNG", "JPEG", "BMP", "WEBP", "TIFF")  # no other is ever tried: rare ones have the vulnerabilities
_SUFFIXES = {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".webp", ".tif", ".tiff"}
_PICTURE = f"a {FORMATS} picture"


@dataclass(frozen=True)
class Page:
    """The first page of a picture, ready to be read."""

    pixels: UInt8  # (rows, columns) grey, or (rows, columns, 3) red, green and blue
    shape: tuple[int, int]  # rows and columns of the picture; `pixels` has fewer where it was decoded smaller
    pages: int = 1  # of the file


Source = str | Path | bytes | BinaryIO | Image.Image | NDArray[np.generic] | Page


def is_picture(path: str | Path) -> bool:
    """Tell by the suffix whether a file of a folder is one of the pictures that `open_picture` reads."""
    return Path(path).suffix.lower() in _SUFFIXES


def open_picture(source: Source) -> UInt8:
    """Return a picture as uint8: grey ``(rows, columns)``, or red, green and blue ``(rows, columns, 3)``.

    `source` is a path, the bytes of a file, a binary stream such as `sys.stdin.buffer`, a PIL image, or an array
    ``(rows, columns)`` or ``(rows, columns, channels)`` with 1 (grey), 3 (RGB) or 4 (RGBA) channels: uint8, uint16
    of 0 to 65,535, bool, or floating-point of 0 to 1. Transparency is laid over white, and over black under light
    strokes; the EXIF orientation is applied, and of several pages the first is taken. Raises PictureError for
    anything else, and for more than `LARGEST` pixels, before any of them is decoded.
    """
    return open_first_page(source).pixels


def open_first_page(source: Source, *, side: int | None = None) -> Page:
    """Open a picture as `open_picture` does.

    With `side` a large JPEG is decoded smaller, with at least so many pixels on its longer side: to read one of 12
    megapixels then takes four fifths of the time, and 64 MB less.
    """
    match source:
        case Page():
            return source
        case np.ndarray():
            return _make_page(_from_array(source, "The array"))
        case Image.Image():
            try:
                return _make_page(_decode(source, "The image"))
            except (OSError, SyntaxError, ValueError) as error:  # an image that was opened, but not yet decoded
                raise _damaged("The image", error) from error
        case bytes():
            return _open_file(io.BytesIO(source), "The bytes", side)
        case str() | Path():
            return _open_path(Path(source).expanduser(), side)
        case _ if hasattr(source, "read"):
            is_standard = source is getattr(sys.stdin, "buffer", sys.stdin)
            return _open_file(source, "Standard input" if is_standard else "The stream", side)
    kinds = "a path, bytes, a binary stream, a PIL image or a numpy array"
    raise _error("The picture", kinds, type(source).__name__, "Give one of these.")


def _make_page(pixels: UInt8) -> Page:
    return Page(pixels, (pixels.shape[0], pixels.shape[1]))


def _open_path(path: Path, side: int | None) -> Page:
    try:
        with path.open("rb") as file:
            return _open_file(file, str(path), side)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        found = "a folder" if isinstance(error, IsADirectoryError) else getattr(error, "strerror", None) or error
        raise _error(path, _PICTURE, str(found).lower(), "Check the path and its permissions.") from error


def _open_file(file: BinaryIO, where: str, side: int | None) -> Page:
    content = file.read(_LARGEST_FILE + 1)
    if not isinstance(content, bytes):
        raise _error(where, "a binary stream", "a stream of text", "Open it in binary mode.")
    if len(content) > _LARGEST_FILE:
        raise _error(where, f"at most {_LARGEST_FILE:,} bytes", "more", "Scale the picture down.")
    if not content:
        raise _error(where, _PICTURE, "an empty file", "Save it again.")
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # _check_size is stricter than Pillow's own warning
            Image.open(io.BytesIO(content), formats=_DECODERS) as picture,
        ):
            _check_size(picture.height, picture.width, where)
            shape = picture.height, picture.width
            if side:
                _draft(picture, side)
            pixels = _decode(picture, where)
            if pixels.shape[:2] != (picture.height, picture.width):  # the EXIF orientation turned it
                shape = shape[::-1]
            return Page(pixels, shape, _count_pages(picture))
    except UnidentifiedImageError as error:
        raise _error(where, _PICTURE, *identify(content)) from error
    except PictureError:
        raise
    except Image.DecompressionBombError as error:  # of pictures twice as large as Pillow's own limit
        raise _too_large(where, "far more") from error
    except Exception as error:  # damaged pictures have made decoders raise nearly anything
        raise _damaged(where, error) from error


def _draft(picture: Image.Image, side: int) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth, with `side` pixels or more on its longer side."""
    factor = side / max(picture.size)
    if factor < 1:
        picture.draft(None, (ceil(picture.width * factor), ceil(picture.height * factor)))


def _count_pages(picture: Image.Image) -> int:
    """Count the pages of a TIFF file; any other picture, a photograph with a preview in it for example, is one.

    A smaller copy of a page is none. What is damaged behind the first page ends the count.
    """
    pages = 1
    if picture.format == "TIFF":
        with suppress(Exception):  # EOFError at the end; damaged files have made decoders raise nearly anything
            for number in range(1, _MOST_PAGES):
                picture.seek(number)
                pages += not getattr(picture, "tag_v2", {}).get(_KIND_OF_PAGE, 0) & 1
    return pages


def _decode(picture: Image.Image, where: str) -> UInt8:
    """Decode the pixels of a picture, upright and over white paper; raise PictureError for too many of them."""
    _check_size(picture.height, picture.width, where)
    # each copy of a photograph of 12 megapixels is 36 MB, so nothing is copied without need
    upright = ImageOps.exif_transpose(picture) if ExifTags.Base.Orientation in picture.getexif() else picture
    if upright.mode.startswith("I"):
        return (np.asarray(upright).clip(0, 65_535) // 257).astype(np.uint8)  # 16 bits, whatever holds them
    if upright.mode == "F":
        return _from_array(np.asarray(upright), where)
    if upright.has_transparency_data:
        upright = _lay_on_paper(upright.convert("RGBA"))
    mode = "L" if upright.mode in ("1", "L") else "RGB"
    return np.array(upright if upright.mode == mode else upright.convert(mode))


def _lay_on_paper(picture: Image.Image) -> Image.Image:
    """Lay a transparent picture over white; over black where little but light strokes is visible, as of chalk.

    Where more than half is visible, it is paper with holes, or cut out, and its own ink is seen over white.
    """
    visible = np.asarray(picture.getchannel("A")).mean()  # 0 to 255
    if visible < 255 / 2:
        over_black = _lay_over("black", picture)
        if np.asarray(over_black.convert("L")).mean() > visible / 2:  # all of the light is the strokes'
            return over_black
    return _lay_over("white", picture)


def _lay_over(colour: str, picture: Image.Image) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", picture.size, colour), picture).convert("RGB")


def _from_array(array: NDArray[np.generic], where: str) -> UInt8:
    """Convert an array of any of the kinds that `open_picture` names to uint8."""
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)) or 0 in array.shape:
        shapes = "the shape (rows, columns), or (rows, columns, channels) with 1, 3 or 4 channels"
        raise _error(where, shapes, array.shape, "Give one picture.")
    _check_size(array.shape[0], array.shape[1], where)
    values = _scale(array, where)
    if values.ndim == 3 and values.shape[2] == 4:
        return _decode(Image.fromarray(values), where)
    return np.ascontiguousarray(values[..., 0] if values.ndim == 3 and values.shape[2] == 1 else values)


def _scale(array: NDArray[np.generic], where: str) -> UInt8:
    """Scale the values of an array to uint8."""
    if array.dtype == np.uint8:
        return array.astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return (array.astype(np.uint16) // 257).astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        kinds = "uint8, uint16, bool or floating-point values"
        raise _error(where, kinds, array.dtype, "Convert the array, for example with .astype(numpy.uint8).")
    values = array.astype(np.float32)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        found = f"values from {values.min():g} to {values.max():g}"
        raise _error(where, "floating-point values from 0 to 1", found, "Scale them, or give uint8.")
    return np.rint(values * 255).astype(np.uint8)


def _check_size(rows: int, columns: int, where: str) -> None:
    if rows * columns > LARGEST:
        raise _too_large(where, f"{columns:,} x {rows:,} = {rows * columns:,}")


def _too_large(where: str, found: str) -> PictureError:
    return _error(where, f"at most {LARGEST:,} pixels", found, "Scale the picture down.")


def _damaged(where: str, error: Exception) -> PictureError:
    found = f"a damaged one ({str(error) or type(error).__name__})"
    return _error(where, "a whole picture", found, "Save or copy it again.")


def _error(where: object, expected: str, found: object, remedy: str) -> PictureError:
    return PictureError.mismatch(where, expected=expected, found=found, remedy=remedy)
