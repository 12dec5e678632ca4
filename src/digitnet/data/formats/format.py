"""The interface of a format. To add one: write a class with these members, and name it in FORMATS."""

from pathlib import Path
from typing import Protocol

from digitnet.data.raw import OnMessage, Raw
from digitnet.errors import DataError


class Format(Protocol):
    """Reads a data set from a path, and writes one."""

    name: str  # the `format` of `convert`
    description: str  # completes: "found none of: ..."

    def recognises(self, path: Path) -> bool:
        """Return whether `path` looks like this format, by names alone, without opening a file."""

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read and check the whole data set; raise DataError."""

    def write(self, raw: Raw, path: Path) -> None:
        """Write a data set that `read` can read; raise StorageError when `path` exists or can't be written."""


def unreadable(path: Path, error: Exception) -> DataError:
    """Make the error for a file that the system or a decoder can't read."""
    reason = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
    return DataError(f"{path}: can't be read ({reason.rstrip('.')}). Replace the file with an undamaged copy.")
