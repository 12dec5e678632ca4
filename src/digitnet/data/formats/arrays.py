"""What people mean by arrays of images and labels: their shapes, ranges and ways to count."""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import Split, UInt8
from digitnet.data.formats.label_names import check_label_names
from digitnet.data.raw import DIGITS, OnMessage, Part, pair
from digitnet.errors import DataError

Array = npt.NDArray[Any]

_GREY = np.array([0.299, 0.587, 0.114], np.float32)
"""The luma of red, green and blue (ITU-R BT.601), as Pillow converts."""

_SMALL_WHITE = 16
"""Where no value is larger, this is what the images call ink: scikit-learn's digits have 17 levels."""


def to_splits(
    parts: Mapping[Part, tuple[Array, Array]],
    names: tuple[str, ...] | None,
    where: object,
    on_message: OnMessage,
    places: Mapping[Part, object] | None = None,
    counts_classes: bool = False,
) -> tuple[dict[Part, Split], tuple[str, ...]]:
    """Make splits of the images and labels of each part, and name the classes.

    `names` are those that the files give. Without any they are the ten digits, or as many numbers as there are
    classes with `counts_classes`. `where` is the data set for messages, and `places` are its parts. Raises
    DataError for what has no meaning, or two.
    """
    if names is not None:
        check_label_names(names, where)
    places = {part: f"{part} in {where}" for part in parts} | dict(places or {})
    images = to_images({part: both[0] for part, both in parts.items()}, where, places, on_message)
    found = {part: _to_whole(both[1], f"The labels of {places[part]}") for part, both in parts.items()}
    if names is None and counts_classes:
        highest = max(int(values.max()) for values in found.values())
        names = tuple(map(str, range(min(max(highest, 0), 255) + 1)))
    labels, classes = _to_labels(found, names, where, places, on_message)
    return {part: pair(images[part], labels[part], classes, places[part]) for part in parts}, classes


def to_images(
    parts: Mapping[Part, Array], where: object, places: Mapping[Part, object], on_message: OnMessage
) -> dict[Part, UInt8]:
    """Make greyscale images ``(N, rows, columns)`` uint8 of each part.

    Images may be ``(N, rows, columns)``, with an axis of 1 channel or of 3 or 4 colours, first or last, or ``(N,
    pixels)`` of square images. Bytes are kept, and whole numbers of 0 to 255; fractions of 0 to 1 or of -1 to 1
    are scaled, and numbers of 0 to 16. Raises DataError for others.
    """
    shaped = {part: _to_grey(values, f"The images of {places[part]}") for part, values in parts.items()}
    wide = [values for values in shaped.values() if values.dtype != np.uint8]
    bytes_high = max((int(values.max()) for values in shaped.values() if values.dtype == np.uint8), default=0)
    for values in wide:
        _check_finite(values, where)
    fractions = [values for values in wide if _is_fraction(values)]
    others = [values for values in wide if not _is_fraction(values)]
    is_signed = any(values.min() < 0 for values in fractions)
    if is_signed and all(values.max() <= 0 for values in fractions):
        raise _refuse_range(fractions[0], f"The images of {where}")
    high = max([float(values.max()) for values in others] + [bytes_high])
    is_small = bool(others) and 1 < high <= _SMALL_WHITE
    if fractions:
        on_message(f"{where} has values from {'-1' if is_signed else '0'} to 1: they become 0 to 255.")
    if is_small:
        on_message(f"{where} has values from 0 to {high:g}: they are multiplied by 255 / {_SMALL_WHITE}.")
    return {
        part: _scale(values, is_signed, is_small, f"The images of {places[part]}")
        for part, values in shaped.items()
    }


def _check_finite(values: Array, where: object) -> None:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise _refuse_range(values, f"The images of {where}")


def _is_fraction(values: Array) -> bool:
    return values.dtype.kind in "bf" and values.min() >= -1 and values.max() <= 1


def _scale(values: Array, is_signed: bool, is_small: bool, where: str) -> UInt8:
    if _is_fraction(values):
        scaled = (values + 1.0) * 127.5 if is_signed else values * 255.0
    elif is_small:
        scaled = values * (255 / _SMALL_WHITE)
    elif values.dtype == np.uint8:
        return values
    else:
        scaled = values
    if scaled.min() < 0 or scaled.max() > 255:
        raise _refuse_range(values, where)
    return np.rint(scaled).astype(np.uint8)


def _refuse_range(values: Array, where: str) -> DataError:
    return DataError.mismatch(
        where,
        expected="values from 0 to 255, from 0 to 1, or from -1 to 1",
        found=f"values from {values.min():g} to {values.max():g}",
        remedy="Scale the images.",
    )


def _to_labels(
    plain: Mapping[Part, npt.NDArray[np.int64]],
    names: tuple[str, ...] | None,
    where: object,
    places: Mapping[Part, object],
    on_message: OnMessage,
) -> tuple[dict[Part, UInt8], tuple[str, ...]]:
    """Make labels ``(N,)`` uint8 of each part; they count from 0, or from 1 where `names` says up to where."""
    classes = DIGITS if names is None else names
    low = min(int(values.min()) for values in plain.values())
    high = max(int(values.max()) for values in plain.values())
    if low >= 1 and high == len(classes) and (names is not None or low == 1):
        if names is None:
            raise DataError.mismatch(
                f"The labels of {where}",
                expected="0 to 9",
                found="1 to 10, which may mean two things",
                remedy="If 10 stands for the digit 0, replace it; if each is one too large, subtract 1.",
            )
        on_message(f"The labels of {where} count from 1 to {high}: 1 is {names[0]}, and {high} is {names[-1]}.")
        plain = {part: values - 1 for part, values in plain.items()}
    for part, values in plain.items():
        _check_range(values, len(classes), places[part])
    return {part: values.astype(np.uint8) for part, values in plain.items()}, classes


def _check_range(labels: npt.NDArray[np.int64], classes: int, where: object) -> None:
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(wrong):
        raise DataError.mismatch(
            where,
            expected=f"labels from 0 to {classes - 1}",
            found=f"{labels[wrong[0]]} for image {wrong[0]:,}",
            remedy="Correct the label; or, if there are more classes, name each: on a line of labels.txt, or in "
            "an array label_names.",
        )


def _to_grey(values: Array, where: str) -> Array:
    """Make images ``(N, rows, columns)``; raise DataError for another shape or kind."""
    if values.dtype.kind not in "buif":
        raise DataError.mismatch(
            where, expected="numbers", found=f"values of type {values.dtype}", remedy="Save it as uint8."
        )
    found = values.shape
    if values.ndim == 4 and 1 <= values.shape[1] <= 4 < values.shape[3]:
        values = np.moveaxis(values, 1, 3)  # torch puts the channels first
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    elif values.ndim == 4 and values.shape[3] in (3, 4):
        grey = values[..., :3].astype(np.float32) @ _GREY
        values = np.rint(grey).astype(np.uint8) if values.dtype == np.uint8 else grey
    elif values.ndim == 2 and (side := isqrt(values.shape[1])) ** 2 == values.shape[1]:
        values = values.reshape(-1, side, side)
    if values.ndim != 3 or 0 in values.shape:
        raise DataError.mismatch(
            where,
            expected="images of the shape (count, rows, columns), with 1, 3 or 4 channels, or (count, pixels)",
            found=f"the shape {found}",
            remedy="Reshape the array.",
        )
    return np.ascontiguousarray(values)


def _to_whole(values: Array, where: str) -> npt.NDArray[np.int64]:
    """Make whole numbers ``(N,)``; raise DataError for what is none."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.kind in "buif" and values.ndim == 2 and _is_one_hot(values):
        values = values.argmax(axis=1)
    if values.ndim != 1 or not values.size or values.dtype.kind not in "uif" or not _is_whole(values):
        raise DataError.mismatch(
            where,
            expected="a whole number for each image, or a row with a single 1 for each",
            found=f"{values.dtype} of the shape {values.shape}",
            remedy="Correct the labels.",
        )
    return values.astype(np.int64)


def _is_whole(values: Array) -> bool:
    return bool(np.isfinite(values).all() and (values == np.rint(values)).all() and np.abs(values).max() < 2**31)


def _is_one_hot(values: Array) -> bool:
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())


def join_names(names: Sequence[object]) -> tuple[str, ...]:
    """Return the names of classes as text."""
    return tuple(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names)
