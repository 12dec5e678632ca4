"""The images of a request: JSON, or an .npy file."""

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from pydantic_core import from_json

from digitnet.errors import PictureError
from digitnet.reading.network import Float32
from digitnet.reading.reader import check_images

MOST = 2_048
"""Images of one request, at most."""

_NPY = b"\x93NUMPY"

_HEADERS = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
"""By version of the format; 3.0 differs for structured arrays only."""


def parse_images(content: bytes) -> Float32:
    """Read images ``(n, 28, 28)``, 0 to 255: from ``{"images": [...]}``, or an array as numpy.save writes it.

    Raises PictureError for anything else than images as `Reader.predict_proba` takes them.
    """
    array = _parse_npy(content) if content.startswith(_NPY) else _parse_json(content)
    return check_count(check_images(array))


def check_count(images: Float32) -> Float32:
    """Return the images; raise PictureError for none, and for more than MOST."""
    if not 1 <= len(images) <= MOST:
        raise PictureError.mismatch(
            "images", expected=f"from 1 to {MOST:,}", found=f"{len(images):,}", remedy="Send several requests."
        )
    return images


def parse_object(content: bytes) -> dict[str, Any]:
    """Read a JSON object without NaN and infinity; raise PictureError for anything else."""
    try:
        values = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise PictureError.mismatch(
            "The body", expected="JSON", found=f"something else ({error})", remedy="Send a JSON object."
        ) from error
    if not isinstance(values, dict):
        raise PictureError.mismatch(
            "The body", expected="a JSON object", found=type(values).__name__, remedy='Send {"images": [...]}.'
        )
    return values


def to_array(values: object, name: str) -> npt.NDArray[Any]:
    """Make an array of nested lists; raise PictureError for lists that differ in length."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise PictureError.mismatch(
            name, expected="lists of equal length", found="others", remedy="Send whole images."
        ) from error
    return array


def _parse_json(content: bytes) -> npt.NDArray[Any]:
    values = parse_object(content)
    if "images" not in values:
        found = ", ".join(map(repr, list(values)[:5])) or "no field"
        raise PictureError.mismatch(
            "The body", expected='a field "images"', found=found, remedy='Send {"images": [...]}.'
        )
    return to_array(values["images"], "images")


def _parse_npy(content: bytes) -> npt.NDArray[Any]:
    """Read an .npy file without making anything of the size that its header claims."""
    stream = io.BytesIO(content)
    try:
        shape, is_transposed, kind = _HEADERS[read_magic(stream)](stream)
    except Exception as error:  # numpy evaluates the header as Python, and raises whatever that does
        raise _refuse_npy(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if kind.kind not in "buif":
        raise _refuse_npy(f"an array of {kind}")
    if math.prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise _refuse_npy(f"{len(content) - stream.tell():,} bytes for the shape {shape} of {kind}")
    array = np.frombuffer(content, kind, offset=stream.tell())
    return array.reshape(shape, order="F" if is_transposed else "C")


def _refuse_npy(found: str) -> PictureError:
    return PictureError.mismatch(
        "The body", expected="an array as numpy.save writes it", found=found, remedy="Save it again."
    )
