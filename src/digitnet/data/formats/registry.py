"""Every format, and how one is chosen. To add one: write a class like the others, and name it here."""

from pathlib import Path
from typing import Protocol

from digitnet.data.formats.csv_table import CsvTable
from digitnet.data.formats.idx_folder import IdxFolder
from digitnet.data.formats.libsvm import LibsvmFiles
from digitnet.data.formats.mat_file import MatFile
from digitnet.data.formats.npz_archive import NpzArchive
from digitnet.data.formats.parquet import ParquetFiles
from digitnet.data.formats.picture_folder import PictureFolder
from digitnet.data.raw import OnMessage, Raw, ignore_message
from digitnet.errors import DataError


class Readable(Protocol):
    """Reads a data set from a path."""

    description: str  # completes: "found none of: ..."

    def recognises(self, path: Path) -> bool:
        """Return whether `path` looks like this format, by names alone, without opening a file."""

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read and check the whole data set; raise DataError."""


class Format(Readable, Protocol):
    """Reads a data set from a path, and writes one."""

    def write(self, raw: Raw, path: Path) -> None:
        """Write a data set that `read` can read; raise StorageError when `path` exists or can't be written."""


FORMATS: dict[str, Format] = {
    "idx": IdxFolder(),
    "csv": CsvTable(),
    "npz": NpzArchive(),
    "folder": PictureFolder(),
}
"""Those that can be written, too."""

ALL: tuple[Readable, ...] = (
    *(FORMATS[name] for name in ("idx", "csv", "npz")),
    ParquetFiles(),
    MatFile(),
    LibsvmFiles(),
    FORMATS["folder"],
)
"""Tried in this order. The folder of pictures comes last, because it recognises nearly any folder."""


def read_path(path: Path, on_message: OnMessage = ignore_message) -> Raw:
    """Read the data set at `path` in the first format that recognises it; raise DataError if that fails."""
    try:
        for candidate in ALL:
            if candidate.recognises(path):
                return candidate.read(path, on_message)
        found = _list(path)
    except OSError as error:
        raise DataError.unreadable(path, error) from error
    raise DataError.mismatch(
        path,
        expected="; or ".join(candidate.description for candidate in ALL),
        found=found,
        remedy="Name the file or the folder with the data.",
    )


def _list(path: Path) -> str:
    """Describe what is at `path` instead of data."""
    if not path.is_dir():
        return f"a file {path.name!r}"
    names = sorted(entry.name for entry in path.iterdir())
    return f"{', '.join(names[:3])}{' and more' if names[3:] else ''}" if names else "an empty folder"
