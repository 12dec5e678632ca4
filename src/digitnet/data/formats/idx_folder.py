"""A folder of IDX files, plain or gzipped, as MNIST, Fashion-MNIST and EMNIST are published."""

import re
from pathlib import Path

import numpy as np

from digitnet.data import idx
from digitnet.data.content import GzipError, gunzip, open_content
from digitnet.data.dataset import UInt8
from digitnet.data.formats.arrays import Array, to_splits
from digitnet.data.formats.label_names import check_label_names, read_label_names, write_label_names
from digitnet.data.raw import OnMessage, Part, Raw, assemble, find_part
from digitnet.errors import DataError
from digitnet.files import new_folder, write_whole

# train-images-idx3-ubyte, t10k-labels.idx1-ubyte, emnist-digits-test-images-idx3-ubyte.gz
_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|validation|t10k|test)-(?P<kind>images|labels)[-.]idx[13]-ubyte(\.gz)?"
)
_Files = dict[tuple[Part, str], Path]  # (part, kind): the file

TRANSPOSED = "emnist"
"""What the names of EMNIST's files begin with: it stores columns where MNIST stores rows."""

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
        prefix, files = _find(home)
        names, first = read_label_names(home), 0
        if names is None:
            names, first = _read_mapping(home / f"{prefix}mapping.txt")
        is_transposed = prefix.lower().startswith(TRANSPOSED)
        if is_transposed:
            on_message(f"{path} holds EMNIST's files, which store columns as rows: the images are turned.")
        kinds = dict.fromkeys(part for part, _ in files)
        parts: dict[Part, tuple[Array, Array]] = {part: _read_part(files, part, home) for part in kinds}
        if is_transposed:
            parts = {part: (turn(images), labels) for part, (images, labels) in parts.items()}
        if first and names:
            on_message(f"The labels of {path} count from {first}, which is {names[0]}.")
            parts = {part: (images, labels.astype(np.int64) - first) for part, (images, labels) in parts.items()}
        places = {part: _where(files[part, "labels"]) for part in parts}
        splits, classes = to_splits(parts, names, path, on_message, places)
        return assemble(splits, classes, path, on_message)

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


def _find(folder: Path) -> tuple[str, _Files]:
    """Find the files of the one data set in `folder`; a plain file takes precedence over a gzipped one."""
    files: _Files = {}
    prefixes = set()
    for file in sorted(folder.iterdir(), reverse=True):  # NAME.gz, then NAME, which replaces it
        if (match := _NAME.fullmatch(file.name)) and (part := find_part(match["part"])):
            prefixes.add(match["prefix"])
            files[part, match["kind"]] = file
    if len(prefixes) > 1:
        raise DataError.mismatch(
            folder,
            expected="the files of one data set",
            found=f"those of {', '.join(repr(prefix) for prefix in sorted(prefixes))}",
            remedy="Move each data set into a folder of its own.",
        )
    return prefixes.pop(), files


def _read_part(files: _Files, part: Part, folder: Path) -> tuple[UInt8, UInt8]:
    images, labels = (_file(files, part, kind, folder) for kind in ("images", "labels"))
    return read_idx(images, idx.IMAGES), read_idx(labels, idx.LABELS)


def _file(files: _Files, part: Part, kind: str, folder: Path) -> Path:
    if (part, kind) not in files:
        raise DataError.mismatch(
            folder,
            expected=f"a file {part}-{kind}-idx{3 if kind == 'images' else 1}-ubyte",
            found=f"only {', '.join(sorted(file.name for file in files.values()))}",
            remedy="Add the missing file to the folder.",
        )
    return files[part, kind]


def read_idx(file: Path, dimensions: int) -> UInt8:
    """Read and parse a file; a gzipped one is expanded to at most one byte more than its header says.

    `dimensions` is idx.IMAGES or idx.LABELS. Raises DataError.
    """
    try:
        if file.suffix != ".gz":
            return idx.parse(open_content(file), dimensions, _where(file))
        with file.open("rb") as packed:
            head = gunzip(packed, idx.header_length(dimensions))
            packed.seek(0)
            content = gunzip(packed, idx.whole_length(head, dimensions, _where(file)) + 1)
            return idx.parse(content, dimensions, _where(file))
    except (OSError, GzipError) as error:
        raise DataError.unreadable(file, error) from error


def _read_mapping(file: Path) -> tuple[tuple[str, ...] | None, int]:
    """Read EMNIST's label names, if there are any, and which label has the first.

    Its lines are ``LABEL CODE [CODE]``, with codes of ASCII characters.
    """
    if not file.is_file():
        return None, 0
    try:
        rows = [[int(word) for word in line.split()] for line in file.read_text("ascii").splitlines()]
        characters = {label: chr(code) for label, code, *_ in rows}
        first = min(*characters, 1)
        names = tuple(characters.get(label, f"(no class {label})") for label in range(first, max(characters) + 1))
    except (OSError, ValueError, OverflowError, TypeError) as error:
        raise DataError.unreadable(file, error) from error
    check_label_names(names, file)
    return names, first


def _where(file: Path) -> str:
    return f"{file.name} in {file.parent}"
