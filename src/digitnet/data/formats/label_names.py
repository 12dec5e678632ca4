"""The names of the classes: labels.txt next to the data, one line for each class in the order of the labels.

Without this file the classes are the ten digits.
"""

from pathlib import Path

from digitnet.data.raw import DIGITS
from digitnet.errors import DataError
from digitnet.files import write_whole

_FILE = "labels.txt"


def read_label_names(path: Path) -> tuple[str, ...] | None:
    """Read labels.txt if it exists, in a folder or next to a file; raise DataError when it is invalid."""
    file = (path if path.is_dir() else path.parent) / _FILE
    if not file.is_file():
        return None
    try:
        names = tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError.unreadable(file, error) from error
    check_label_names(names, file)
    return names


def check_label_names(names: tuple[str, ...], where: object) -> None:
    """Raise DataError unless there are 1 to 256 names, none empty and none twice."""
    if not 1 <= len(names) <= 256 or not all(names) or len(set(names)) < len(names):
        raise DataError.mismatch(
            where,
            expected="1 to 256 label names, none empty and none twice",
            found=f"{len(names)} ({len(set(names) - {''})} different)",
            remedy="Write one name for each class.",
        )


def write_label_names(folder: Path, names: tuple[str, ...]) -> None:
    """Write labels.txt, unless the names are the digits, which need none."""
    if names != DIGITS:
        write_whole(folder / _FILE, "".join(f"{name}\n" for name in names))
