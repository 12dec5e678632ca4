"""A folder of IDX files, plain or gzipped, as MNIST, Fashion-MNIST and EMNIST are published."""

import re
from pathlib import Path

from digitnet.data import idx
from digitnet.data.content import GzipError, gunzip, open_content
from digitnet.data.dataset import Split, UInt8
from digitnet.data.formats.label_names import check_label_names, read_label_names, write_label_names
from digitnet.data.raw import DIGITS, OnMessage, Raw, assemble, pair
from digitnet.errors import DataError
from digitnet.files import new_folder, write_whole

# train-images-idx3-ubyte, t10k-labels.idx1-ubyte, emnist-digits-test-images-idx3-ubyte.gz
_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)-(?P<kind>images|labels)[-.]idx[13]-ubyte(?P<packed>\.gz)?"
)
_Files = dict[tuple[str, str], Path]  # (part, kind): the file, where part is train or test


class IdxFolder:
    """Four files: images and labels for training and for testing."""

    description = "IDX files (train-images-idx3-ubyte and so on, or .gz)"

    def recognises(self, path: Path) -> bool:
        """Return whether a file in the folder has a name like MNIST's."""
        return path.is_dir() and any(_NAME.fullmatch(file.name) for file in path.iterdir())

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the files. If there are no test files, the test part is split off the training images."""
        prefix, files = _find(path)
        names = read_label_names(path) or _read_mapping(path / f"{prefix}mapping.txt") or DIGITS
        train = _read_part(files, "train", names, path)
        test = _read_part(files, "test", names, path) if any(part == "test" for part, _ in files) else None
        return assemble(train, test, names, path, on_message)

    def write(self, raw: Raw, path: Path) -> None:
        """Write the four files, and labels.txt unless the classes are the ten digits."""
        with new_folder(path) as folder:
            for part, split in (("train", raw.train), ("t10k", raw.test)):
                write_whole(folder / f"{part}-images-idx3-ubyte", idx.to_bytes(split.images))
                write_whole(folder / f"{part}-labels-idx1-ubyte", idx.to_bytes(split.labels))
            write_label_names(folder, raw.label_names)


def _find(folder: Path) -> tuple[str, _Files]:
    """Find the files of the one data set in `folder`; a plain file takes precedence over a gzipped one."""
    files: _Files = {}
    prefixes = set()
    for file in sorted(folder.iterdir(), reverse=True):  # NAME.gz, then NAME, which replaces it
        if match := _NAME.fullmatch(file.name):
            prefixes.add(match["prefix"])
            files["train" if match["part"] == "train" else "test", match["kind"]] = file
    if len(prefixes) > 1:
        raise DataError.mismatch(
            folder,
            expected="the files of one data set",
            found=f"those of {', '.join(repr(prefix) for prefix in sorted(prefixes))}",
            remedy="Move each data set into a folder of its own.",
        )
    return prefixes.pop(), files


def _read_part(files: _Files, part: str, names: tuple[str, ...], folder: Path) -> Split:
    images, labels = (_file(files, part, kind, folder) for kind in ("images", "labels"))
    return pair(_read(images, idx.IMAGES), _read(labels, idx.LABELS), names, _where(labels))


def _file(files: _Files, part: str, kind: str, folder: Path) -> Path:
    if (part, kind) not in files:
        raise DataError.mismatch(
            folder,
            expected=f"a file {part}-{kind}-idx{3 if kind == 'images' else 1}-ubyte",
            found=f"only {', '.join(sorted(file.name for file in files.values()))}",
            remedy="Add the missing file to the folder.",
        )
    return files[part, kind]


def _read(file: Path, dimensions: int) -> UInt8:
    """Read and parse a file; a gzipped one is expanded to at most one byte more than its header says."""
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


def _read_mapping(file: Path) -> tuple[str, ...] | None:
    """Read EMNIST's label names, if there are any: lines ``LABEL CODE [CODE]`` with codes of ASCII characters."""
    if not file.is_file():
        return None
    try:
        rows = [[int(word) for word in line.split()] for line in file.read_text("ascii").splitlines()]
        characters = {label: chr(code) for label, code, *_ in rows}
        names = tuple(characters.get(label, f"(no class {label})") for label in range(max(characters) + 1))
    except (OSError, ValueError, OverflowError) as error:
        raise DataError.unreadable(file, error) from error
    check_label_names(names, file)
    return names


def _where(file: Path) -> str:
    return f"{file.name} in {file.parent}"
