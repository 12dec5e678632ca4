"""A folder of IDX files, plain or gzipped, as MNIST, Fashion-MNIST, KMNIST, QMNIST and EMNIST are published."""

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitnet.data import idx
from digitnet.data.content import GzipError, gunzip, open_content
from digitnet.data.formats.arrays import Array, to_splits
from digitnet.data.formats.label_names import check_label_names, read_label_names, write_label_names
from digitnet.data.raw import OnMessage, Part, Raw, assemble, find_part
from digitnet.errors import DataError
from digitnet.files import new_folder, write_whole

# train-images-idx3-ubyte, t10k-labels.idx1-ubyte, emnist-digits-test-images-idx3-ubyte.gz,
# qmnist-train-labels-idx2-int.gz
_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|validation|t10k|test)-(?P<kind>images|labels)"
    r"[-.](idx[13]-ubyte|idx2-int)(\.gz)?"
)
_Place = Path | zipfile.Path  # a folder or a file, perhaps in an archive
_Files = dict[tuple[Part, str], _Place]  # (part, kind): the file

TRANSPOSED = "emnist"
"""What the names of EMNIST's files begin with: it stores columns where MNIST stores rows."""

_ARCHIVED = "gzip/"
"""The folder in EMNIST's archive that holds its files."""

_LONGEST_MAPPING = 2**16  # characters; EMNIST's longest has 62 lines

_INSIDE = "raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw", "QMNIST/raw", "EMNIST/raw"
"""Where torchvision puts the files in its own folder."""


class IdxFolder:
    """Four files: images and labels for training and for testing."""

    description = "IDX files (train-images-idx3-ubyte and so on, or .gz)"

    def recognises(self, path: Path) -> bool:
        """Return whether a file in the folder, or in torchvision's folders inside it, has a name like MNIST's."""
        return _find_home(path) is not None

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the files. If there are no test files, the test part is split off the training images."""
        home = _find_home(path) or path
        return _read_files(home, path, on_message, names=read_label_names(home))

    def write(self, raw: Raw, path: Path) -> None:
        """Write the files, and labels.txt unless the classes are the ten digits."""
        with new_folder(path) as folder:
            for part, split in (("train", raw.train), ("validation", raw.validation), ("t10k", raw.test)):
                if split is not None:
                    write_whole(folder / f"{part}-images-idx3-ubyte", idx.to_bytes(split.images))
                    write_whole(folder / f"{part}-labels-idx1-ubyte", idx.to_bytes(split.labels))
            write_label_names(folder, raw.label_names)


def _find_home(path: Path) -> Path | None:
    """Find the folder with the files: the path itself, or one of torchvision's inside it."""
    for folder in (path, *(path / inside for inside in _INSIDE)):
        if folder.is_dir() and any(_NAME.fullmatch(file.name) for file in folder.iterdir()):
            return folder
    return None


def turn(images: Array) -> Array:
    """Exchange rows and columns of images ``(N, rows, columns)``."""
    return np.ascontiguousarray(images.transpose(0, 2, 1))


def read_archive(archive: Path, prefix: str, on_message: OnMessage) -> Raw:
    """Read the files in EMNIST's archive whose names begin with `prefix`, not unpacking it; raise DataError."""
    try:
        return _read_files(zipfile.Path(archive, _ARCHIVED), archive, on_message, prefix=prefix)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError.unreadable(archive, error) from error


def _read_files(
    home: _Place,
    where: Path,
    on_message: OnMessage,
    *,
    prefix: str | None = None,
    names: tuple[str, ...] | None = None,
) -> Raw:
    """Read the files in `home`: those whose names begin with `prefix`, or all, which must begin alike.

    EMNIST's mapping names the classes if `names` does not. `where` is `home` for messages. Raises DataError.
    """
    prefix, files = _find(home, where, prefix)
    first = 0
    if names is None:
        names, first = _read_mapping(home / f"{prefix}mapping.txt")
    is_transposed = prefix.lower().startswith(TRANSPOSED)
    if is_transposed:
        on_message(f"{where} holds EMNIST's files, which store columns as rows: the images are turned.")
    kinds = dict.fromkeys(part for part, _ in files)
    parts: dict[Part, tuple[Array, Array]] = {part: _read_part(files, part, where) for part in kinds}
    if is_transposed:
        parts = {part: (turn(images), labels) for part, (images, labels) in parts.items()}
    if first and names:
        on_message(f"The labels of {where} count from {first}, which is {names[0]}.")
        parts = {part: (images, labels.astype(np.int64) - first) for part, (images, labels) in parts.items()}
    places = {part: _where(files[part, "labels"]) for part in parts}
    splits, classes = to_splits(parts, names, where, on_message, places)
    return assemble(splits, classes, where, on_message)


def _find(folder: _Place, where: Path, prefix: str | None) -> tuple[str, _Files]:
    """Find the files of the one data set in `folder`; a plain file takes precedence over a gzipped one."""
    files: _Files = {}
    prefixes = set()
    entries: Iterable[_Place] = folder.iterdir()
    for file in sorted(entries, key=lambda file: file.name, reverse=True):  # NAME.gz, then NAME, which replaces it
        match = _NAME.fullmatch(file.name)
        if match and prefix in (None, match["prefix"]) and (part := find_part(match["part"])):
            prefixes.add(match["prefix"])
            files[part, match["kind"]] = file
    if len(prefixes) != 1:
        raise DataError.mismatch(
            where,
            expected=f"files {prefix}*" if prefix else "the files of one data set",
            found=f"those of {', '.join(repr(prefix) for prefix in sorted(prefixes))}" if prefixes else "none",
            remedy="Move each data set into a folder of its own.",
        )
    return prefixes.pop(), files


def _read_part(files: _Files, part: Part, where: Path) -> tuple[Array, Array]:
    images, labels = (_file(files, part, kind, where) for kind in ("images", "labels"))
    if "idx2" in labels.name:
        return read_idx(images, idx.IMAGES), read_idx(labels, idx.EXTENDED_LABELS)[:, 0]
    return read_idx(images, idx.IMAGES), read_idx(labels, idx.LABELS)


def _file(files: _Files, part: Part, kind: str, where: Path) -> _Place:
    if (part, kind) not in files:
        raise DataError.mismatch(
            where,
            expected=f"a file {part}-{kind}-idx{3 if kind == 'images' else 1}-ubyte",
            found=f"only {', '.join(sorted(file.name for file in files.values()))}",
            remedy="Add the missing file to the folder.",
        )
    return files[part, kind]


def read_idx(file: _Place, kind: idx.Kind[idx.Number]) -> npt.NDArray[idx.Number]:
    """Read and parse a file; a gzipped one is expanded to at most one byte more than its header says.

    Raises DataError. In an archive all files are gzipped.
    """
    try:
        if isinstance(file, Path) and file.suffix != ".gz":
            return idx.parse(open_content(file), kind, _where(file))
        with file.open("rb") as packed:
            head = gunzip(packed, kind.header_length)
            packed.seek(0)
            content = gunzip(packed, idx.whole_length(head, kind, _where(file)) + 1)
            return idx.parse(content, kind, _where(file))
    except (OSError, GzipError, zipfile.BadZipFile) as error:
        raise DataError.unreadable(file, error) from error


def _read_mapping(file: _Place) -> tuple[tuple[str, ...] | None, int]:
    """Read EMNIST's label names, if there are any, and which label has the first.

    Its lines are ``LABEL CODE [CODE]``, with codes of ASCII characters.
    """
    if not file.is_file():
        return None, 0
    try:
        with file.open(encoding="ascii") as text:
            lines = text.read(_LONGEST_MAPPING).splitlines()
        rows = [[int(word) for word in line.split()] for line in lines]
        characters = {label: chr(code) for label, code, *_ in rows}
        first = min(*characters, 1)
        names = tuple(characters.get(label, f"(no class {label})") for label in range(first, max(characters) + 1))
    except (OSError, ValueError, OverflowError, TypeError) as error:
        raise DataError.unreadable(file, error) from error
    check_label_names(names, file)
    return names, first


def _where(file: _Place) -> str:
    return f"{file.name} in {file.parent}"
