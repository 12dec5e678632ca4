"""Parquet files as Hugging Face has them: encoded pictures, labels, and the names of the classes. Read only."""

import json
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from digitnet.data.formats.arrays import Array, join_names, to_splits
from digitnet.data.formats.decoding import decode_pictures
from digitnet.data.idx import LARGEST
from digitnet.data.raw import OnMessage, Part, Raw, assemble, find_part
from digitnet.errors import DataError

_IMAGES, _LABELS = ("image", "img", "picture"), ("label", "labels", "digit", "class", "target", "y")

_NAME = re.compile(r"(?:.*[-_.])?(?P<part>[a-z]+)(?:-[0-9]+-of-[0-9]+)?\.parquet", re.IGNORECASE)
"""train-00000-of-00001.parquet"""


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
        names = None
        for part, own in files.items():
            tables = [_read(file) for file in own]
            names = names or tables[0][2]
            pictures = [picture for images, _, _ in tables for picture in images]
            with warnings.catch_warnings(action="error"):  # a decoder's warning counts as an error
                arrays[part] = decode_pictures(pictures), np.concatenate([labels for _, labels, _ in tables])
        splits, classes = to_splits(arrays, names, path, on_message)
        return assemble(splits, classes, path, on_message)


def _find(folder: Path) -> dict[Part, list[Path]]:
    """Find the files of each part, in the order of their names."""
    found: dict[Part, list[Path]] = {}
    for file in sorted((*folder.glob("*.parquet"), *folder.glob("data/*.parquet"))):
        match = _NAME.fullmatch(file.name)
        if match and (part := find_part(match["part"])):
            found.setdefault(part, []).append(file)
    return found if "train" in found else {}


def _read(file: Path) -> tuple[list[tuple[object, bytes]], Array, tuple[str, ...] | None]:
    """Read encoded pictures, each with its place, their labels, and the names of the classes if there are any."""
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as opened:
            size = sum(opened.metadata.row_group(k).total_byte_size for k in range(opened.metadata.num_row_groups))
            if size > LARGEST:
                raise ValueError(f"it contains {size:,} bytes, more than {LARGEST:,}")
            columns = opened.schema_arrow.names
            image, label = (_choose(columns, wanted, file) for wanted in (_IMAGES, _LABELS))
            table = opened.read([image, label])
        labels = table[label].to_numpy()
        pictures = list(_to_bytes(table[image].to_pylist(), file))
        names = _read_names(table.schema.metadata or {}, label)
    except DataError:
        raise
    except Exception as error:  # pyarrow may raise nearly anything for a damaged file
        raise DataError.unreadable(file, error) from error
    if not pictures:
        raise DataError.mismatch(file, expected="rows", found="none", remedy="Take another file.")
    return pictures, labels, names


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


def _to_bytes(values: list[Any], file: Path) -> Iterator[tuple[object, bytes]]:
    """Take the encoded picture of each row: bytes, or Hugging Face's ``{"bytes": ..., "path": ...}``."""
    for number, value in enumerate(values):
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
