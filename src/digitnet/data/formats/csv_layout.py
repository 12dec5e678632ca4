"""What the columns of a table are: its first line says it, or the numbers do."""

import re
from dataclasses import dataclass
from itertools import chain, zip_longest
from math import isqrt
from pathlib import Path
from typing import TextIO

from digitnet.errors import DataError

_LONGEST_LINE = 2**22  # characters; an image of 500x500 needs half of them
_LABELS = {"label", "labels", "class", "target", "digit", "y"}
_NUMBERS = {"", "unnamed: 0", "index", "id", "imageid", "image_id"}
"""Names of a first column that counts the rows; pandas writes the first one, and reads it as the second."""

_REMEDY = "The first line must be label,pixel0,pixel1,... up to the last pixel of a square image."

_PIXEL = re.compile(r"pixel[0-9]+|[0-9]{1,4}x[0-9]{1,4}")
_NUMBER = re.compile(r"\s*-?[0-9]+(\.[0-9]*)?(e[-+]?[0-9]+)?\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """The columns of a table."""

    delimiter: str
    is_named: bool  # the first line has the names of the columns
    is_numbered: bool  # the first column counts the rows
    ends_open: bool  # each row ends with a delimiter
    label: int | None  # place of the label among the columns that do not count; of a named table only
    width: int  # columns in all, without an empty last one
    rows: int  # of an image
    columns: int

    @property
    def has_label(self) -> bool:
        """Whether there is a column more than pixels."""
        return self.width - self.is_numbered > self.rows * self.columns

    def name(self, column: int) -> str:
        """Name a column for a person, counted among those that are no row numbers."""
        if not self.has_label:
            return f"pixel {column}"
        label = self.label or 0
        return "the label" if column == label else f"pixel {column - (column > label)}"


def find_layout(table: TextIO, file: Path) -> Layout:
    """Read the names of the columns, if there are any, and leave the table at its first row of numbers.

    Raises DataError where the names can't be those of images.
    """
    line = table.readline(_LONGEST_LINE)
    delimiter = max(",;\t", key=line.count)
    cells = [cell.strip().strip('"').lower() for cell in line.rstrip("\r\n").split(delimiter)]
    ends_open = len(cells) > 1 and not cells[-1]
    cells = cells[:-1] if ends_open else cells
    if all(_NUMBER.fullmatch(cell) for cell in cells):
        table.seek(0)
        sides = [isqrt(count) for count in (len(cells) - 1, len(cells)) if isqrt(count) ** 2 == count > 0]
        if not sides:
            raise _wrong_width(file, len(cells))
        return Layout(delimiter, False, False, ends_open, None, len(cells), sides[0], sides[0])
    start = table.tell()
    row = table.readline(_LONGEST_LINE).rstrip("\r\n")
    ends_open = ends_open or (row.count(delimiter) == len(cells) and row.endswith(delimiter))
    table.seek(start)
    is_numbered = cells[0] in _NUMBERS and len(cells) > 1
    names = cells[1:] if is_numbered else cells
    label, pixels = _find_label(names, file)
    rows, columns = _find_shape(pixels, file, after=["label"] if label is not None else [])
    return Layout(delimiter, True, is_numbered, ends_open, label, len(cells), rows, columns)


def _find_label(names: list[str], file: Path) -> tuple[int | None, list[str]]:
    """Return the place of the label, if there is one, and the names of the pixels."""
    places = [place for place, name in enumerate(names) if name in _LABELS]
    if len(places) > 1:
        raise DataError.mismatch(
            file,
            expected="one column with the label",
            found=" and ".join(repr(names[place]) for place in places),
            remedy="Take out the other.",
        )
    if not places:
        if _PIXEL.fullmatch(names[0]):
            return None, names
        raise DataError.mismatch(
            f"{file}, column 1",
            expected="the name 'label'",
            found=repr(names[0][:40]),
            remedy=_REMEDY,
        )
    (place,) = places
    if place not in (0, len(names) - 1):
        raise DataError.mismatch(
            file,
            expected="the label in the first or the last column",
            found=f"column {place + 1}",
            remedy="Move it.",
        )
    return place, names[:place] + names[place + 1 :]


def _find_shape(names: list[str], file: Path, after: list[str]) -> tuple[int, int]:
    """Return the images' rows and columns, from the names of the pixels' columns.

    The names are ``pixel0, pixel1, ...`` for square images, ``1x1, 1x2, ...`` for images of any shape, or others,
    as many as the pixels of a square.
    """
    side = isqrt(len(names))
    for name in names:
        if name in _NUMBERS:
            raise DataError.mismatch(
                file,
                expected="columns of pixels",
                found=f"a column {name!r}",
                remedy="Take it out, or put it first.",
            )
    if names and not any(_PIXEL.fullmatch(name) for name in names) and side * side == len(names):
        return side, side
    last = re.fullmatch(r"([0-9]{1,4})x([0-9]{1,4})", names[-1]) if names else None
    if last:
        rows, columns = int(last[1]), int(last[2])
        pixels = (f"{row}x{column}" for row in range(1, rows + 1) for column in range(1, columns + 1))
    else:
        rows = columns = isqrt(max(len(names) - 1, 0)) + 1  # the smallest square with room for them
        first = int(names[:1] == ["pixel1"])  # as Fashion-MNIST's tables count
        pixels = (f"pixel{number + first}" for number in range(rows * columns))
    for place, (found, expected) in enumerate(zip_longest(chain(after, names), chain(after, pixels)), start=1):
        if found != expected:
            raise DataError.mismatch(
                f"{file}, column {place}",
                expected="no more columns" if expected is None else f"the name {expected!r}",
                found="no more columns" if found is None else repr(found[:40]),
                remedy=_REMEDY,
            )
    return rows, columns


def _wrong_width(file: Path, width: int) -> DataError:
    return DataError.mismatch(
        file,
        expected="a label and the pixels of a square image in each row, or their names in the first line",
        found=f"{width:,} numbers",
        remedy=_REMEDY,
    )
