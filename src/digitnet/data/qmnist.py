"""QMNIST's writers: who wrote each image, which no other data set of MNIST's images says.

Source: Yadav and Bottou, "Cold Case: The Lost MNIST Digits", NeurIPS 2019; github.com/facebookresearch/qmnist.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitnet.data import idx
from digitnet.data.cache import fetch
from digitnet.data.catalog import QMNIST
from digitnet.data.formats.idx_folder import read_idx
from digitnet.data.raw import OnMessage, ignore_message

Int32 = npt.NDArray[np.int32]

_WRITER = 2  # the column of the extended labels


@dataclass(frozen=True)
class Writers:
    """The number that NIST gave the writer of each image, in the order of the files."""

    train: Int32  # (60000,); the first images are the validation split, 5,000 unless you ask for another number
    test: Int32  # (60000,)


def load_writers(source: str | Path = QMNIST.name, on_message: OnMessage = ignore_message) -> Writers:
    """Load who wrote each image, by name, fetched if it is not in the cache, or from a folder with QMNIST's files.

    The training images, and the first 10,000 test images, are MNIST's, in its order: they have MNIST's writers.
    Raises DataError for a file that is missing or damaged, StorageError when the cache can't be written.
    """
    folder = fetch(QMNIST, on_message) if str(source) == QMNIST.name else Path(source).expanduser()
    return Writers(*(_read_writers(folder, part) for part in ("train", "test")))


def _read_writers(folder: Path, part: str) -> Int32:
    plain = folder / f"qmnist-{part}-labels-idx2-int"
    file = plain if plain.is_file() else plain.with_name(f"{plain.name}.gz")
    return read_idx(file, idx.EXTENDED_LABELS)[:, _WRITER].astype(np.int32)
