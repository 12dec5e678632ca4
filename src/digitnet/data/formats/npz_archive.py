"""A numpy archive with x_train, y_train, x_test and y_test, as Keras publishes MNIST."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import Split, UInt8
from digitnet.data.formats.label_names import check_label_names
from digitnet.data.idx import LARGEST
from digitnet.data.raw import DIGITS, OnMessage, Raw, assemble, pair
from digitnet.errors import DataError
from digitnet.files import make_folder, refuse_existing, write_whole

Array = npt.NDArray[Any]
_NAMES = ("x_train", "y_train", "x_test", "y_test", "label_names")


class NpzArchive:
    """One file; images are integers from 0 to 255, or floats from 0 to 1, which are scaled."""

    description = "an .npz file (x_train, y_train, x_test, y_test)"

    def recognises(self, path: Path) -> bool:
        """Return whether the file's name ends in .npz."""
        return path.is_file() and path.suffix.lower() == ".npz"

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the four arrays, and label_names if present; pickled objects, which could run code, are refused."""
        arrays = _read_arrays(path)
        names = _read_names(arrays, path)
        train = _read_part(arrays, "train", names, path, on_message)
        has_test = "x_test" in arrays or "y_test" in arrays
        test = _read_part(arrays, "test", names, path, on_message) if has_test else None
        return assemble(train, test, names, path, on_message)

    def write(self, raw: Raw, path: Path) -> None:
        """Write the four arrays, compressed, and label_names unless the classes are the ten digits."""
        refuse_existing(path)
        arrays = {
            "x_train": raw.train.images,
            "y_train": raw.train.labels,
            "x_test": raw.test.images,
            "y_test": raw.test.labels,
        }
        if raw.label_names != DIGITS:
            arrays["label_names"] = np.array(raw.label_names)
        archive = io.BytesIO()
        np.savez_compressed(archive, allow_pickle=False, **arrays)
        make_folder(path.parent)
        write_whole(path, archive.getbuffer())


def _read_arrays(path: Path) -> dict[str, Array]:
    """Read the known arrays that the file contains."""
    try:
        with zipfile.ZipFile(path) as members:
            size = sum(member.file_size for member in members.infolist())
        if size > LARGEST:
            raise ValueError(f"it contains {size:,} bytes, more than {LARGEST:,}")
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in _NAMES if name in arrays}
    except Exception as error:  # zip, zlib and numpy may raise nearly anything for a damaged archive
        raise DataError.unreadable(path, error) from error


def _read_names(arrays: Mapping[str, Array], path: Path) -> tuple[str, ...]:
    if "label_names" not in arrays:
        return DIGITS
    names = tuple(str(name) for name in arrays["label_names"].ravel())
    check_label_names(names, f"label_names in {path}")
    return names


def _read_part(
    arrays: Mapping[str, Array], part: str, names: tuple[str, ...], path: Path, on_message: OnMessage
) -> Split:
    for name in (f"x_{part}", f"y_{part}"):
        if name not in arrays:
            raise DataError.mismatch(
                path, expected=f"an array {name}", found=", ".join(arrays) or "no arrays", remedy="Add it."
            )
    images = _to_images(arrays[f"x_{part}"], f"x_{part} in {path}", on_message)
    labels = _to_labels(arrays[f"y_{part}"], len(names), f"y_{part} in {path}")
    return pair(images, labels, names, path)


def _to_images(values: Array, where: str, on_message: OnMessage) -> UInt8:
    """Check images and convert them to ``(N, rows, columns)`` uint8."""
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]  # the channel axis that Keras uses
    if values.ndim != 3 or 0 in values.shape:
        raise DataError.mismatch(
            where,
            expected="greyscale images of the shape (count, rows, columns)",
            found=f"the shape {values.shape}",
            remedy="Reshape the array.",
        )
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "iuf":
        raise DataError.mismatch(
            where, expected="numbers", found=f"values of type {values.dtype}", remedy="Save it as uint8."
        )
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 255):  # comparisons with NaN are false, so it is refused too
        raise DataError.mismatch(
            where,
            expected="values from 0 to 255, or from 0 to 1",
            found=f"values from {low} to {high}",
            remedy="Scale the images.",
        )
    if values.dtype.kind == "f" and high <= 1:
        on_message(f"{where} has values from 0 to 1: they are multiplied by 255.")
        values = values * 255
    return np.rint(values).astype(np.uint8)


def _to_labels(values: Array, classes: int, where: str) -> UInt8:
    """Check labels and convert them to ``(N,)`` uint8."""
    whole = values.dtype.kind in "iu"
    if values.ndim != 1 or not whole or len(values) == 0 or values.min() < 0 or values.max() >= classes:
        found = f"values from {values.min()} to {values.max()}" if whole and values.size else str(values.dtype)
        raise DataError.mismatch(
            where,
            expected=f"a whole number from 0 to {classes - 1} for each image",
            found=f"{found}, in the shape {values.shape}",
            remedy="Correct the labels; or, if there are more classes, add an array label_names.",
        )
    return values.astype(np.uint8)
