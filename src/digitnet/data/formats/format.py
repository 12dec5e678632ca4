"""What a format is. To add one: write a class with these members, and name it in FORMATS."""

from pathlib import Path
from typing import Protocol

from digitnet.data.raw import Raw, Remark
from digitnet.errors import DataError


class Format(Protocol):
    """Reads a data set from a path, and writes one."""

    name: str  # as `convert` is asked for it
    description: str  # completes: "found none of: ..."

    def recognises(self, path: Path) -> bool:
        """Tell by names alone, without opening a file, whether `path` looks like this format."""

    def read(self, path: Path, remark: Remark) -> Raw:
        """Read and check the whole data set; raise DataError."""

    def write(self, raw: Raw, path: Path) -> None:
        """Write what `read` reads; raise StorageError when `path` exists or can't be written."""


def unreadable(path: Path, fault: Exception) -> DataError:
    """Build the sentence for a file that the system or its decoder refuses."""
    reason = (isinstance(fault, OSError) and fault.strerror) or str(fault) or type(fault).__name__
    return DataError(f"{path}: can't be read ({reason.rstrip('.')}). Replace the file with an undamaged copy.")
