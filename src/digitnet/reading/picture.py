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
from digitnet.reading.formats import HEIC, LARGEST, PDF, Extra, describe_formats, find_extra, identify

UInt8 = NDArray[np.uint8]

_LARGEST_FILE = 2**29  # bytes, 512 MiB: LARGEST pixels of four bytes, and room for metadata
_MOST_PAGES = 10_000  # that are counted: a file could name millions
_KIND_OF_PAGE = 254  # the number of the TIFF field NewSubfileType, whose lowest bit says "a smaller copy"
_DECODERS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "AVIF")
"""Of Pillow's decoders no other is ever tried: rare ones have the vulnerabilities."""


@dataclass(frozen=True)
class Page:
    """A page of a picture, ready to be read."""

    pixels: UInt8  # (rows, columns) grey, or (rows, columns, 3) red, green and blue
    shape: tuple[int, int]  # rows and columns of the picture; `pixels` has fewer where it was decoded smaller
    pages: int = 1  # of the file


Source = str | Path | bytes | BinaryIO | Image.Image | NDArray[np.generic] | Page


def open_picture(source: Source) -> UInt8:
    """Return a picture as uint8: grey ``(rows, columns)``, or red, green and blue ``(rows, columns, 3)``.

    `source` is a path, the bytes of a file, a binary stream such as `sys.stdin.buffer`, a PIL image, or an array
    ``(rows, columns)`` or ``(rows, columns, channels)`` with 1 (grey), 3 (RGB) or 4 (RGBA) channels: uint8, uint16
    of 0 to 65,535, bool, or floating-point of 0 to 1. Transparency is laid over white, and over black under light
    strokes; the orientation is applied, and of several pages the first is taken. Raises PictureError for anything
    else, and for more than `LARGEST` pixels, before any of them is decoded.
    """
    return open_page(source).pixels


def open_page(source: Source, number: int = 1, *, side: int | None = None) -> Page:
    """Open a page of a picture as `open_picture` does; only the files of documents and TIFF have several.

    With `side` a large JPEG is decoded smaller, with at least so many pixels on its longer side: to read one of 12
    megapixels then takes four fifths of the time, and 64 MB less.
    """
    match source:
        case Page() | np.ndarray() | Image.Image() if number > 1:
            raise _lack_page("The picture", number, 1)
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
            return _open_file(io.BytesIO(source), "The bytes", number, side)
        case str() | Path():
            return _open_path(Path(source).expanduser(), number, side)
        case _ if hasattr(source, "read"):
            is_standard = source is getattr(sys.stdin, "buffer", sys.stdin)
            return _open_file(source, "Standard input" if is_standard else "The stream", number, side)
    kinds = "a path, bytes, a binary stream, a PIL image or a numpy array"
    raise _error("The picture", kinds, type(source).__name__, "Give one of these.")


def _make_page(pixels: UInt8, pages: int = 1) -> Page:
    return Page(pixels, (pixels.shape[0], pixels.shape[1]), pages)


def _open_path(path: Path, number: int, side: int | None) -> Page:
    try:
        with path.open("rb") as file:
            return _open_file(file, str(path), number, side)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        found = "a folder" if isinstance(error, IsADirectoryError) else getattr(error, "strerror", None) or error
        raise _error(
            path, _describe_expected(), str(found).lower(), "Check the path and its permissions."
        ) from error


def _open_file(file: BinaryIO, where: str, number: int, side: int | None) -> Page:
    content = file.read(_LARGEST_FILE + 1)
    if not isinstance(content, bytes):
        raise _error(where, "a binary stream", "a stream of text", "Open it in binary mode.")
    if len(content) > _LARGEST_FILE:
        raise _error(where, f"at most {_LARGEST_FILE:,} bytes", "more", "Scale the picture down.")
    if not content:
        raise _error(where, _describe_expected(), "an empty file", "Save it again.")
    extra = find_extra(content)
    if extra and not extra.is_installed:
        raise _error(where, _describe_expected(), *identify(content))
    if extra is PDF:
        return _open_document(content, where, number)
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # _check_size is stricter than Pillow's own warning
            _open_image(content, extra) as picture,
        ):
            frames = _list_pages(content) if picture.format == "TIFF" else [0]
            if number > len(frames):
                raise _lack_page(where, number, len(frames))
            if number > 1:
                picture.seek(frames[number - 1])
            _check_size(picture.height, picture.width, where)
            shape = picture.height, picture.width
            if side:
                _draft(picture, side)
            pixels = _decode(picture, where)
            if pixels.shape[:2] != (picture.height, picture.width):  # the EXIF orientation turned it
                shape = shape[::-1]
            return Page(pixels, shape, len(frames))
    except UnidentifiedImageError as error:
        raise _error(where, _describe_expected(), *identify(content)) from error
    except PictureError:
        raise
    except Image.DecompressionBombError as error:  # of pictures twice as large as Pillow's own limit
        raise _too_large(where, "far more") from error
    except Exception as error:  # damaged pictures have made decoders raise nearly anything
        raise _damaged(where, error) from error


def _open_document(content: bytes, where: str, number: int) -> Page:
    from digitnet.reading.pdf import render_page

    rendering = render_page(content, number, where)
    if number > rendering.pages:
        raise _lack_page(where, number, rendering.pages)
    pixels = np.frombuffer(rendering.pixels, np.uint8).reshape(rendering.rows, rendering.columns, 3)
    return _make_page(pixels.copy(), rendering.pages)


def _open_image(content: bytes, extra: Extra | None) -> Image.Image:
    """Open an encoded picture without decoding it."""
    if extra is HEIC:
        from pillow_heif import HeifImageFile

        return HeifImageFile(io.BytesIO(content))  # itself: registered, it would open files for the whole program
    return Image.open(io.BytesIO(content), formats=_DECODERS)


def _draft(picture: Image.Image, side: int) -> None:
    """Let a JPEG be decoded at a half, a quarter or an eighth, with `side` pixels or more on its longer side."""
    factor = side / max(picture.size)
    if factor < 1 and picture.format != "HEIF":  # whose draft is a preview, perhaps from before it was edited
        picture.draft(None, (ceil(picture.width * factor), ceil(picture.height * factor)))


def _list_pages(content: bytes) -> list[int]:
    """List the frames of a TIFF file that are pages: a smaller copy of one is none.

    What is damaged behind the first page ends the list.
    """
    frames = [0]
    with suppress(Exception), Image.open(io.BytesIO(content), formats=["TIFF"]) as picture:
        for frame in range(1, _MOST_PAGES):  # EOFError at the end; damaged files have made decoders raise anything
            picture.seek(frame)
            if not getattr(picture, "tag_v2", {}).get(_KIND_OF_PAGE, 0) & 1:
                frames.append(frame)
    return frames


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


def _describe_expected() -> str:
    return f"a {describe_formats()} file"


def _check_size(rows: int, columns: int, where: str) -> None:
    if rows * columns > LARGEST:
        raise _too_large(where, f"{columns:,} x {rows:,} = {rows * columns:,}")


def _too_large(where: str, found: str) -> PictureError:
    return _error(where, f"at most {LARGEST:,} pixels", found, "Scale the picture down.")


def _lack_page(where: str, number: int, pages: int) -> PictureError:
    return _error(where, f"at least {number:,} pages", f"{pages:,}", "Name another page.")


def _damaged(where: str, error: Exception) -> PictureError:
    reason = " ".join(str(error).split()) or type(error).__name__  # libheif's have several lines
    found = f"a damaged one ({reason})"
    return _error(where, "a whole picture", found, "Save or copy it again.")


def _error(where: object, expected: str, found: object, remedy: str) -> PictureError:
    return PictureError.mismatch(where, expected=expected, found=found, remedy=remedy)
