"""A table with one row for each image, as Kaggle publishes MNIST: ``label,pixel0,pixel1,...``."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TextIO

import numpy as np

from digitnet.data.dataset import Split
from digitnet.data.formats.arrays import Array, to_splits
from digitnet.data.formats.csv_layout import Layout, find_layout
from digitnet.data.formats.idx_folder import TRANSPOSED, turn
from digitnet.data.formats.label_names import read_label_names, write_label_names
from digitnet.data.formats.parts import find_parts, take_one
from digitnet.data.raw import DIGITS, OnMessage, Part, Raw, assemble, find_part
from digitnet.errors import DataError
from digitnet.files import new_folder, write_whole

_REMEDY = "Correct the table."
_NAME = re.compile(r"(?:.*[-_. ])?(?P<part>[a-z]+)\.csv", re.IGNORECASE)  # train.csv, mnist_test.csv


class CsvTable:
    """A file, or a folder with a table for each part: train.csv, mnist_train.csv, test.csv, validation.csv ..."""

    description = "a .csv file, or train.csv and test.csv (label,pixel0,pixel1,...)"

    def recognises(self, path: Path) -> bool:
        """Return whether this is a .csv file, or a folder with one for training that has no folder for it."""
        if path.is_file():
            return path.suffix.lower() == ".csv"
        return "train" in _find_tables(path) and not any((path / name).is_dir() for name in ("train", "training"))

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the tables. If that for testing is missing or has no labels, the test part is split off."""
        files: dict[Part, Path] = _find_tables(path) if path.is_dir() else {"train": path}
        names = read_label_names(path)
        train = read_table(files["train"], classes=len(names or DIGITS), needs_label=True)
        arrays: dict[Part, tuple[Array, Array]] = {}
        for part, file in files.items():
            table = train if part == "train" else read_table(file, train.label)
            if table.labels is not None:
                arrays[part] = table.images, table.labels
            else:
                on_message(f"{file} has no column 'label' (Kaggle's has none), so it can't test anything.")
        if any(file.name.lower().startswith(TRANSPOSED) for file in files.values()):
            on_message(f"{path} holds EMNIST's tables, which store columns as rows: the images are turned.")
            arrays = {part: (turn(images), labels) for part, (images, labels) in arrays.items()}
        splits, label_names = to_splits(arrays, names, path, on_message)
        return assemble(splits, label_names, path, on_message)

    def write(self, raw: Raw, path: Path) -> None:
        """Write a table for each part, and labels.txt unless the classes are the ten digits."""
        with new_folder(path) as folder:
            write_whole(folder / "train.csv", to_table(raw.train))
            write_whole(folder / "test.csv", to_table(raw.test))
            if raw.validation:
                write_whole(folder / "validation.csv", to_table(raw.validation))
            write_label_names(folder, raw.label_names)


def _find_tables(folder: Path) -> dict[Part, Path]:
    """Find the table of each part by its name: train.csv, or else mnist_train.csv; raise DataError for two."""
    found = find_parts(folder.glob("*.[cC][sS][vV]"), _NAME)
    plain = {part: [file for file in files if find_part(file.stem)] for part, files in found.items()}
    return take_one({part: plain[part] or files for part, files in found.items()}, folder, "table")


@dataclass(frozen=True)
class Table:
    """What a table holds."""

    images: Array  # (N, rows, columns)
    labels: Array | None  # (N,)
    label: int | None  # the place of their column


def read_table(
    file: Path, label: int | None = None, classes: int = len(DIGITS), needs_label: bool = False
) -> Table:
    """Read the images of a table, and their labels if it has any; about 0.8 s for MNIST's 60,000 rows.

    `label` is the place of the label in a table without names, by default guessed: a column with so many `classes`
    at most. Raises DataError.
    """
    with _opened(file) as text:
        layout = find_layout(text, file)
        if needs_label and not layout.has_label:
            raise _without_labels(file)
        values = _read_values(text, layout, file)
    if not layout.has_label:
        label = None
    elif layout.label is not None:
        label = layout.label
    elif label is None:
        label = _guess_label(values, classes, file)
    pixels = values if label is None else np.delete(values, label, axis=1)
    if pixels.dtype == np.int16:
        pixels = pixels.astype(np.uint8)  # they were checked: whole numbers of a table are bytes
    images = np.ascontiguousarray(pixels).reshape(-1, layout.rows, layout.columns)
    return Table(images, None if label is None else np.ascontiguousarray(values[:, label]), label)


def _without_labels(file: Path) -> DataError:
    return DataError.mismatch(
        file,
        expected="a label in each row",
        found="only pixels",
        remedy="Add the column label; to predict the labels there is: digitnet predict.",
    )


@contextmanager
def _opened(file: Path) -> Iterator[TextIO]:
    """Open a table; raise DataError for whatever the system or the decoder raises in the block."""
    try:
        with file.open(encoding="utf-8-sig") as table:  # spreadsheet programs write a byte-order mark first
            yield table
    except (OSError, UnicodeDecodeError, MemoryError) as error:
        raise DataError.unreadable(file, error) from error


def _read_values(table: TextIO, layout: Layout, file: Path) -> Array:
    """Read the rows: whole numbers from 0 to 255, ``(N, width)``, or fractions up to 1 beside whole labels."""
    start = table.tell()
    try:
        values = _load(table, layout, np.int16)
    except UnicodeDecodeError:
        raise
    except ValueError as error:
        table.seek(start)
        fractions = _load_fractions(table, layout)
        if fractions is None:
            raise _misread(file, layout, str(error)) from error
        values = fractions
    width = layout.width - layout.is_numbered
    if values.shape[1] != width or len(values) == 0:
        found = f"rows of {values.shape[1]:,} numbers" if len(values) else "no rows"
        raise DataError.mismatch(file, expected=f"rows of {width:,} numbers", found=found, remedy=_REMEDY)
    if values.dtype == np.int16 and len(wrong := np.argwhere((values < 0) | (values > 255))):
        row, column = wrong[0]
        raise _wrong_value(file, layout, row, column, str(values[row, column]))
    return values


def _load(table: TextIO, layout: Layout, kind: type[np.int16 | np.float64]) -> Array:
    with warnings.catch_warnings(action="ignore"):  # numpy warns of an empty table; the caller's check raises
        return np.loadtxt(
            table,
            kind,
            delimiter=layout.delimiter,
            comments=None,
            ndmin=2,
            usecols=range(layout.is_numbered, layout.width) if layout.ends_open or layout.is_numbered else None,
        )


def _load_fractions(table: TextIO, layout: Layout) -> Array | None:
    """Read numbers with a point: bytes that were written so, or fractions; None for others."""
    try:
        values = _load(table, layout, np.float64)
    except ValueError:
        return None
    if not values.size or not np.isfinite(values).all():
        return None
    if (values == np.rint(values)).all() and values.min() >= 0 and values.max() <= 255:
        return values.astype(np.int16)
    is_pixel = np.ones(values.shape[1], bool)
    if layout.has_label:
        is_pixel[[0, -1] if layout.label is None else layout.label] = False
    pixels = values[:, is_pixel]
    return values if pixels.min(initial=0) >= -1 and pixels.max(initial=0) <= 1 else None


def _guess_label(values: Array, classes: int, file: Path) -> int:
    """Find the label of a table without names: the first or the last column; raise DataError where both may be."""
    last = values.shape[1] - 1
    can_be = [place for place in (0, last) if _looks_like_labels(values[:, place], classes)]
    if len(can_be) == 1:
        return can_be[0]
    raise DataError.mismatch(
        file,
        expected="a first line label,pixel0,pixel1,..., or a first or last column that must be the label",
        found="columns that both may be" if can_be else "none that may be",
        remedy="Write the first line.",
    )


def _looks_like_labels(column: Array, classes: int) -> bool:
    """Return whether a column ``(N,)`` has so many classes at most, and several: pixels of a corner are all 0."""
    return bool((column == np.rint(column)).all() and 0 <= column.min() < column.max() <= classes)


def _misread(file: Path, layout: Layout, message: str) -> DataError:
    """Turn numpy's error message into ours."""
    if match := re.search(r"string '(.*)' to int16 at row ([0-9]+), column ([0-9]+)", message, re.DOTALL):
        column = int(match[3]) - 1 - layout.is_numbered
        return _wrong_value(file, layout, int(match[2]), column, repr(match[1][:40]))
    if match := re.search(r"from ([0-9]+) to ([0-9]+) at row ([0-9]+)", message):
        where = f"{file}, row {int(match[3])} after the first line"
        found = match[2] if int(match[1]) == layout.width else match[1]
        return DataError.mismatch(
            where, expected=f"{layout.width:,} numbers", found=f"{found} of them", remedy=_REMEDY
        )
    return DataError.unreadable(file, ValueError(message))


def _wrong_value(file: Path, layout: Layout, row: int, column: int, found: str) -> DataError:
    """Make the error for one cell; `row` and `column` count from zero."""
    where = f"{file}, {layout.name(column)} in row {row + 1}{' after the first line' if layout.is_named else ''}"
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
