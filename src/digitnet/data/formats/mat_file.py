"""MATLAB's files, as SVHN and USPS are published. Read only."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np

from digitnet.data.formats.arrays import Array, to_splits
from digitnet.data.formats.label_names import read_label_names
from digitnet.data.formats.parts import find_parts, take_one
from digitnet.data.idx import LARGEST
from digitnet.data.raw import OnMessage, Part, Raw, assemble
from digitnet.errors import DataError

_PAIRS = ("X", "y"), ("fea", "gnd"), ("data", "labels"), ("images", "labels")
"""Names of images and labels: SVHN's, those of Deng Cai's copy of USPS, and usual ones."""

_NAME = re.compile(r"(?P<part>[a-z]+)[-_].*\.mat", re.IGNORECASE)  # train_32x32.mat


class MatFile:
    """A file, or a folder with SVHN's train_32x32.mat and test_32x32.mat."""

    description = "a .mat file (X and y, or fea and gnd)"

    def recognises(self, path: Path) -> bool:
        """Return whether this is a .mat file, or a folder with one for training."""
        return path.suffix.lower() == ".mat" if path.is_file() else "train" in _find(path)

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the arrays; raise ModuleNotFoundError without scipy."""
        files: dict[Part, Path] = {"train": path} if path.is_file() else _find(path)
        arrays = {part: _read(file) for part, file in files.items()}
        names = read_label_names(path)
        splits, classes = to_splits(arrays, names, path, on_message)
        return assemble(splits, classes, path, on_message)


def _find(folder: Path) -> dict[Part, Path]:
    return take_one(find_parts(folder.glob("*.mat"), _NAME), folder, "file")


def _read(file: Path) -> tuple[Array, Array]:
    """Read images ``(N, rows, columns)``, with channels perhaps, and labels from 0."""
    from scipy import io

    try:
        shapes = {name: shape for name, shape, _ in io.whosmat(file)}
        if (size := 8 * sum(map(math.prod, shapes.values()))) > LARGEST:
            raise ValueError(f"it contains {size:,} bytes, more than {LARGEST:,}")
        pairs = [pair for pair in _PAIRS if set(pair) <= shapes.keys()]
        arrays: dict[str, Any] = io.loadmat(file, variable_names=pairs[0]) if len(pairs) == 1 else {}
    except NotImplementedError as error:  # as scipy says of version 7.3, which is HDF5
        raise DataError.mismatch(
            file, expected="version 7 or older", found="version 7.3", remedy="Save it in MATLAB with -v7."
        ) from error
    except Exception as error:  # scipy may raise nearly anything for a damaged file
        raise DataError.unreadable(file, error) from error
    if len(pairs) != 1:
        raise DataError.mismatch(
            file,
            expected="images and labels: " + ", or ".join(" and ".join(pair) for pair in _PAIRS),
            found=", ".join(shapes) or "no arrays",
            remedy="Save them under one of these pairs of names.",
        )
    (both,) = pairs
    images, labels = (np.asarray(arrays[name]) for name in both)
    if labels.dtype.kind not in "buif" or not labels.size:
        raise DataError.mismatch(
            f"{both[1]} in {file}",
            expected="numbers",
            found=f"{labels.dtype}",
            remedy="Save the labels as numbers.",
        )
    counts_from_1 = labels.min() == 1 and labels.max() <= 10
    if images.ndim == 4 and images.shape[2] == 3:  # SVHN: (rows, columns, colours, N), where 10 stands for 0
        return np.moveaxis(images, 3, 0), np.where(labels == 10, 0, labels) if counts_from_1 else labels
    return images, labels - 1 if both == ("fea", "gnd") and counts_from_1 else labels  # where 1 stands for 0
