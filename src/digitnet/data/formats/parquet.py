"""Parquet files as Hugging Face has them: encoded pictures, labels, and the names of the classes. Read only."""

import json
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from digitnet.data.formats.arrays import Array, join_names, to_splits
from digitnet.data.formats.decoding import decode_pictures
from digitnet.data.formats.label_names import read_label_names
from digitnet.data.formats.parts import find_parts
from digitnet.data.raw import OnMessage, Part, Raw, assemble
from digitnet.errors import DataError

_IMAGES, _LABELS = ("image", "img", "picture"), ("label", "labels", "digit", "class", "target", "y")

_NAME = re.compile(r"(?:.*[-_.])?(?P<part>[a-z]+)(?:-[0-9]+-of-[0-9]+)?\.parquet", re.IGNORECASE)
"""train-00000-of-00001.parquet"""

_MOST_ROWS = 2**22
"""A file of 14 KB may claim a million rows of one picture; EMNIST's largest part has 698,000."""

_BATCH = 1_000  # rows


class ParquetFiles:
    """A file, or a folder whose files say in their names of which part they are."""

    description = "a .parquet file, or a folder of them (train-00000-of-00001.parquet)"

    def recognises(self, path: Path) -> bool:
        """Return whether this is a .parquet file, or a folder with some, perhaps in its folder data."""
        return path.suffix.lower() == ".parquet" if path.is_file() else bool(_find(path))

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read and decode the pictures of all files; raise ModuleNotFoundError without pyarrow."""
        files: dict[Part, list[Path]] = {"train": [path]} if path.is_file() else _find(path)
        arrays: dict[Part, tuple[Array, Array]] = {}
        names = read_label_names(path)
        for part, own in files.items():
            tables = [_open(file) for file in own]
            names = names or tables[0].names
            pictures = chain.from_iterable(_read_pictures(table) for table in tables)
            with warnings.catch_warnings(action="error"):  # a decoder's warning counts as an error
                images = decode_pictures(pictures, sum(len(table.labels) for table in tables))
            arrays[part] = images, np.concatenate([table.labels for table in tables])
        splits, classes = to_splits(arrays, names, path, on_message)
        return assemble(splits, classes, path, on_message)


@dataclass(frozen=True)
class _Table:
    """A file whose labels were read, and whose pictures will be."""

    file: Path
    image: str  # the column of pictures
    labels: Array
    names: tuple[str, ...] | None


def _find(folder: Path) -> dict[Part, list[Path]]:
    found = find_parts((*folder.glob("*.parquet"), *folder.glob("data/*.parquet")), _NAME)
    return found if "train" in found else {}


def _open(file: Path) -> _Table:
    """Read the labels of a file, and the names of the classes if there are any."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            columns, rows = opened.schema_arrow.names, opened.metadata.num_rows
            image, label = (_choose(columns, wanted, file) for wanted in (_IMAGES, _LABELS))
            if not 0 < rows <= _MOST_ROWS:
                expected = f"from 1 to {_MOST_ROWS:,} rows"
                raise DataError.mismatch(file, expected=expected, found=f"{rows:,}", remedy="Take a part of it.")
            labels = opened.read([label])[label].to_numpy()
            return _Table(file, image, labels, _read_names(opened.schema_arrow.metadata or {}, label))
    except DataError:
        raise
    except Exception as error:  # pyarrow may raise nearly anything for a damaged file
        raise DataError.unreadable(file, error) from error


def _read_pictures(table: _Table) -> Iterator[tuple[object, bytes]]:
    """Read the encoded pictures, some at a time, each with its place for messages."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(table.file) as opened:
            first = 0
            for batch in opened.iter_batches(_BATCH, columns=[table.image]):
                yield from _to_bytes(batch.column(0).to_pylist(), table.file, first)
                first += len(batch)
    except DataError:
        raise
    except Exception as error:  # as above
        raise DataError.unreadable(table.file, error) from error


def _choose(columns: list[str], wanted: tuple[str, ...], file: Path) -> str:
    found = [column for column in columns if column.lower() in wanted]
    if len(found) == 1:
        return found[0]
    raise DataError.mismatch(
        file,
        expected=f"one column {wanted[0]}",
        found=", ".join(found or columns[:10]) or "no columns",
        remedy=f"Name it {wanted[0]!r}.",
    )


def _to_bytes(values: list[Any], file: Path, first: int) -> Iterator[tuple[object, bytes]]:
    """Take the encoded picture of each row: bytes, or Hugging Face's ``{"bytes": ..., "path": ...}``."""
    for number, value in enumerate(values, start=first):
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            raise DataError.mismatch(
                f"{file}, row {number:,}",
                expected="an encoded picture",
                found=type(content).__name__,
                remedy="Save the bytes of a PNG or JPEG file.",
            )
        yield f"{file}, row {number:,}", content


def _read_names(metadata: dict[bytes, bytes], label: str) -> tuple[str, ...] | None:
    """Read the names that Hugging Face's library writes with its class labels."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = features[label]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return join_names(names)
