"""A table with one row for each image, as Kaggle publishes MNIST: ``label,pixel0,pixel1,...``."""

import math
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, zip_longest
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import Split
from digitnet.data.formats.label_names import read_label_names, write_label_names
from digitnet.data.raw import DIGITS, OnMessage, Raw, assemble, pair
from digitnet.errors import DataError
from digitnet.files import new_folder, write_whole

_REMEDY = "Correct the table."
_LONGEST_HEAD = 2**22  # characters; an image of 500x500 needs half of them


class CsvTable:
    """A file, or a folder with train.csv and, if there is a test part, test.csv."""

    description = "a .csv file, or train.csv and test.csv (label,pixel0,pixel1,...)"

    def recognises(self, path: Path) -> bool:
        """Return whether this is a .csv file, or a folder with train.csv."""
        return (path.is_file() and path.suffix.lower() == ".csv") or (path / "train.csv").is_file()

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the tables. If test.csv is missing or has no labels, the test part is split off."""
        folder, train_file = (path, path / "train.csv") if path.is_dir() else (path.parent, path)
        names = read_label_names(folder) or DIGITS
        test_file = folder / "test.csv"
        test = None
        if path.is_dir() and test_file.is_file():
            if _has_labels(test_file):
                test = _read_table(test_file, names)
            else:
                on_message(f"{test_file} has no column 'label' (Kaggle's has none), so it can't test anything.")
        return assemble(_read_table(train_file, names), test, names, path, on_message)

    def write(self, raw: Raw, path: Path) -> None:
        """Write train.csv, test.csv, and labels.txt unless the classes are the ten digits."""
        with new_folder(path) as folder:
            write_whole(folder / "train.csv", to_table(raw.train))
            write_whole(folder / "test.csv", to_table(raw.test))
            write_label_names(folder, raw.label_names)


def _has_labels(file: Path) -> bool:
    with _opened(file) as table:
        return "label" in _read_head(table)


def _read_table(file: Path, names: tuple[str, ...]) -> Split:
    """Read one table; about 0.8 s for MNIST's 60,000 rows."""
    with _opened(file) as table:
        rows, columns = _find_shape(_read_head(table), file)
        numbers = _read_values(table, 1 + rows * columns, file).astype(np.uint8)
    images = np.ascontiguousarray(numbers[:, 1:]).reshape(-1, rows, columns)
    return pair(images, np.ascontiguousarray(numbers[:, 0]), names, file)


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """Open a table; raise DataError for whatever the system or the decoder raises in the block."""
    try:
        with file.open(encoding="utf-8-sig") as table:  # spreadsheet programs write a byte-order mark first
            yield table
    except (OSError, UnicodeDecodeError, MemoryError) as error:
        raise DataError.unreadable(file, error) from error


def _read_head(table: TextIO) -> list[str]:
    return [name.strip().strip('"').lower() for name in table.readline(_LONGEST_HEAD).split(",")]


def _find_shape(head: list[str], file: Path) -> tuple[int, int]:
    """Return the images' rows and columns, from the names of the table's columns.

    The names are ``pixel0, pixel1, ...`` for square images, or ``1x1, 1x2, ...`` for images of any shape.
    """
    last = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", head[-1])
    if last:
        rows, columns = int(last[1]), int(last[2])
        pixels = (f"{row}x{column}" for row in range(1, rows + 1) for column in range(1, columns + 1))
    else:
        rows = columns = math.isqrt(max(len(head) - 2, 0)) + 1  # the smallest square with room for them
        pixels = (f"pixel{number}" for number in range(rows * columns))
    for place, (found, expected) in enumerate(zip_longest(head, chain(["label"], pixels)), start=1):
        if found != expected:
            raise DataError.mismatch(
                f"{file}, column {place}",
                expected="no more columns" if expected is None else f"the name {expected!r}",
                found="no more columns" if found is None else repr(found[:40]),
                remedy="The first line must be label,pixel0,pixel1,... up to the last pixel of a square image.",
            )
    return rows, columns


def _read_values(table: TextIO, width: int, file: Path) -> npt.NDArray[np.int16]:
    """Read the rows after the header: integers from 0 to 255, ``(N, width)``."""
    try:
        with warnings.catch_warnings(action="ignore"):  # numpy warns of an empty table; the check below raises
            values = np.loadtxt(table, np.int16, delimiter=",", comments=None, ndmin=2)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        raise _misread(file, str(error), width) from error
    if values.shape[1] != width or len(values) == 0:
        found = f"rows of {values.shape[1]:,} numbers" if len(values) else "no rows"
        raise DataError.mismatch(file, expected=f"rows of {width:,} numbers", found=found, remedy=_REMEDY)
    wrong = np.argwhere((values < 0) | (values > 255))
    if len(wrong):
        row, column = wrong[0]
        raise _wrong_value(file, row, column, str(values[row, column]))
    return values


def _misread(file: Path, message: str, width: int) -> DataError:
    """Turn numpy's error message into ours."""
    if match := re.search(r"string '(.*)' to int16 at row ([0-9]+), column ([0-9]+)", message, re.DOTALL):
        return _wrong_value(file, int(match[2]), int(match[3]) - 1, repr(match[1][:40]))
    if match := re.search(r"from ([0-9]+) to ([0-9]+) at row ([0-9]+)", message):
        where = f"{file}, row {int(match[3])} after the first line"
        found = match[2] if int(match[1]) == width else match[1]
        return DataError.mismatch(where, expected=f"{width:,} numbers", found=f"{found} of them", remedy=_REMEDY)
    return DataError.unreadable(file, ValueError(message))


def _wrong_value(file: Path, row: int, column: int, found: str) -> DataError:
    """Make the error for one cell; `row` and `column` count from zero."""
    name = "the label" if column == 0 else f"pixel {column - 1}"
    where = f"{file}, {name} in row {row + 1} after the first line"
    return DataError.mismatch(where, expected="a whole number from 0 to 255", found=found, remedy=_REMEDY)


def to_table(split: Split) -> str:
    """Write the rows as text, as Kaggle's files are; about 3 s for MNIST's 60,000."""
    count, rows, columns = split.images.shape
    if rows == columns:
        pixels = [f"pixel{number}" for number in range(rows * columns)]
    else:
        pixels = [f"{row}x{column}" for row in range(1, rows + 1) for column in range(1, columns + 1)]
    words = [str(number) for number in range(256)]
    table = np.column_stack([split.labels, split.images.reshape(count, -1)]).tolist()
    lines = (",".join([words[value] for value in row]) for row in table)
    return "\n".join(chain([",".join(["label", *pixels])], lines)) + "\n"
