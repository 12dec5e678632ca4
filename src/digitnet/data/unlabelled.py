"""Images without labels, which people want predicted: Kaggle's test.csv, an array, a folder of pictures."""

import warnings
from dataclasses import dataclass
from pathlib import Path

from digitnet.data import idx, npy
from digitnet.data.content import open_content
from digitnet.data.dataset import UInt8
from digitnet.data.formats.arrays import Array, to_images
from digitnet.data.formats.csv_table import read_table
from digitnet.data.formats.decoding import decode_pictures
from digitnet.data.formats.idx_folder import read_idx
from digitnet.data.formats.npz_archive import read_unlabelled
from digitnet.data.formats.picture_folder import SUFFIXES, find_pictures
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.errors import DataError


@dataclass(frozen=True)
class Unlabelled:
    """Images, and what each is called."""

    images: UInt8  # (N, rows, columns)
    names: tuple[str, ...]  # (N,): a path, or a number from 1
    kind: str  # of the names: "image", or "ImageId" as Kaggle counts the rows of a table


def read_unlabelled_images(path: Path, on_message: OnMessage = ignore_message) -> Unlabelled:
    """Read images from a table, an array (.npz, .npy), an IDX file of images, a picture or a folder of pictures.

    Labels, if there are any, are left out. Raises DataError for what holds no images.
    """
    try:
        if path.is_dir() or path.suffix.lower() in SUFFIXES:
            return _read_pictures(path)
        if not path.is_file():
            raise DataError.mismatch(path, expected="a file or a folder", found="none", remedy="Name another.")
        kind, values = _read_array(path)
    except OSError as error:
        raise DataError.unreadable(path, error) from error
    images = to_images({"test": values}, path, {"test": path}, on_message)["test"]
    return Unlabelled(images, tuple(str(number) for number in range(1, len(images) + 1)), kind)


def _read_pictures(path: Path) -> Unlabelled:
    files = find_pictures(path) if path.is_dir() else [path]
    with warnings.catch_warnings(action="error"):  # a decoder's warning counts as an error
        images = decode_pictures(((file, file) for file in files), len(files))
    return Unlabelled(images, tuple(str(file) for file in files), "image")


def _read_array(path: Path) -> tuple[str, Array]:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return "ImageId", read_table(path).images
    if suffix == ".npz":
        return "image", read_unlabelled(path)
    if suffix == ".npy":
        return "image", _read_npy(path)
    if "idx3-ubyte" in path.name:
        return "image", read_idx(path, idx.IMAGES)
    raise DataError.mismatch(
        path,
        expected="a table (.csv), an array (.npz, .npy), IDX images, a picture or a folder of pictures",
        found=f"a file {path.name!r}",
        remedy="Name one of these; for photographs there is: digitnet read.",
    )


def _read_npy(path: Path) -> Array:
    content = open_content(path)
    try:
        return npy.parse(content)
    except ValueError as error:
        raise DataError.unreadable(path, error) from error
