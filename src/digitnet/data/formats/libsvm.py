"""LIBSVM's text, compressed with bzip2, as its authors publish USPS. Read only.

Each line is an image: its label, and ``NUMBER:VALUE`` for its pixels, numbered from 1; absent ones are 0.
Source: github.com/cjlin1/libsvm, README.
"""

import bz2
import re
from pathlib import Path

import numpy as np

from digitnet.data.formats.arrays import Array, to_splits
from digitnet.data.formats.label_names import read_label_names
from digitnet.data.formats.parts import take_one
from digitnet.data.raw import DIGITS, OnMessage, Part, Raw, assemble
from digitnet.errors import DataError

_NAME = re.compile(r"(?P<name>.+?)(?P<test>\.t)?\.bz2", re.IGNORECASE)  # usps.bz2, usps.t.bz2
_LINE = re.compile(rb"[^\s:]+( +[0-9]{1,9}:[^\s:]+)* *")
_MOST_PIXELS = 2**16  # of an image: 256 x 256
_MOST_VALUES = 2**25  # of all images: 128 MB; the training images of USPS have 1,866,496
_LONGEST = 2**26  # bytes of text in one file; the 2,007 test images of USPS have 6,850,221


class LibsvmFiles:
    """NAME.bz2 for training, and NAME.t.bz2 for testing beside it."""

    description = "LIBSVM's text (usps.bz2 and usps.t.bz2)"

    def recognises(self, path: Path) -> bool:
        """Return whether this is such a file for training, or a folder with both; one may be any archive."""
        return _find(path).keys() >= ({"train", "test"} if path.is_dir() else {"train"})

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the files. In USPS's, the label 1 is the digit 0; other labels are what they say."""
        files = take_one(_find(path), path, "file")
        names = read_label_names(path)
        if names is None and files["train"].name.lower().startswith("usps"):
            names = DIGITS
        parts = {part: _read(file) for part, file in files.items()}
        splits, classes = to_splits(parts, names, path, on_message, files)
        return assemble(splits, classes, path, on_message)


def _find(path: Path) -> dict[Part, list[Path]]:
    """Find the files of each part; those that belong to a file have its name."""
    found: dict[Part, list[Path]] = {}
    chosen = None if path.is_dir() else _NAME.fullmatch(path.name)
    if not (path.is_dir() or chosen):
        return {}
    for file in sorted((path if path.is_dir() else path.parent).glob("*.bz2")):
        match = _NAME.fullmatch(file.name)
        if match and (chosen is None or match["name"] == chosen["name"]):
            found.setdefault("test" if match["test"] else "train", []).append(file)
    return found


def _read(file: Path) -> tuple[Array, Array]:
    """Read images ``(N, pixels)`` and labels ``(N,)``, as numbers; raise DataError."""
    try:
        with bz2.open(file) as packed:
            content = packed.read(_LONGEST + 1)
        if len(content) > _LONGEST:
            raise ValueError(f"it contains more than {_LONGEST:,} bytes")
        return _parse(content)
    except (OSError, EOFError, ValueError) as error:
        raise DataError.unreadable(file, error) from error


def _parse(content: bytes) -> tuple[Array, Array]:
    """Parse the text; raise ValueError."""
    labels, rows = [], []
    for number, line in enumerate(content.splitlines(), start=1):
        if line.count(b":") > _MOST_PIXELS or not _LINE.fullmatch(line):
            raise ValueError(f"line {number:,} is not a label and pixels NUMBER:VALUE")
        label, *pairs = np.array(line.replace(b":", b" ").split(), np.float64)
        labels.append(label)
        rows.append(np.array(pairs).reshape(-1, 2))  # of number and value
    first = min((row[:, 0].min(initial=np.inf) for row in rows), default=np.inf)
    width = int(max((row[:, 0].max(initial=0) for row in rows), default=0))
    if not 0 < width <= _MOST_PIXELS or width * len(rows) > _MOST_VALUES or first < 1:
        raise ValueError(f"it has {len(rows):,} images of {width:,} pixels, numbered from {first:g}")
    images = np.zeros((len(rows), width), np.float32)
    for image, row in zip(images, rows, strict=True):
        image[row[:, 0].astype(np.int64) - 1] = row[:, 1]
    return images, np.array(labels)
