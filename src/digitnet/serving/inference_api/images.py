"""The images of a request: JSON, or an .npy file."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from digitnet.data import npy
from digitnet.errors import PictureError
from digitnet.reading.network import Float32
from digitnet.reading.reader import check_images

MOST = 2_048
"""Images of one request, at most."""


def parse_images(content: bytes) -> Float32:
    """Read images ``(n, 28, 28)``, 0 to 255: from ``{"images": [...]}``, or an array as numpy.save writes it.

    Raises PictureError for anything else than images as `Reader.predict_proba` takes them.
    """
    array = _parse_npy(content) if content.startswith(npy.MAGIC) else _parse_json(content)
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
    try:
        return npy.parse(content)
    except ValueError as error:
        raise PictureError.mismatch(
            "The body", expected="an array as numpy.save writes it", found=str(error), remedy="Save it again."
        ) from error
