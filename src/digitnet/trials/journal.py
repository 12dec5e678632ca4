"""The journal of a trials folder: a line for each trial that ended, so that nothing is ever done twice.

A line is written when a trial has ended and its run is safe on the disk. A process killed in between finds the
finished run again and only has to write the line.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from digitnet.errors import RunError
from digitnet.files import storage_error


@dataclass(frozen=True)
class Entry:
    """How a trial ended."""

    trial: str  # its name
    summary: dict[str, Any] | None  # the run's summary, or None where it failed
    fault: str | None  # why it failed, or None


class Journal:
    """The entries of a folder; whoever writes must hold the folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "journal.jsonl"
        content = self.file.read_bytes() if self.file.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]  # a killed writer may have left half a line
        self.entries = {entry.trial: entry for entry in self._parse(whole)}

    @property
    def done(self) -> dict[str, Entry]:
        """The trials that succeeded."""
        return {name: entry for name, entry in self.entries.items() if entry.fault is None}

    @property
    def failed(self) -> dict[str, Entry]:
        """The trials that failed."""
        return {name: entry for name, entry in self.entries.items() if entry.fault is not None}

    def write(self, entry: Entry) -> None:
        """Add an entry, safe from a power cut when this returns; raise StorageError where the disk refuses."""
        append_lines(self.file, json.dumps(asdict(entry)).encode() + b"\n")
        self.entries[entry.trial] = entry

    def _parse(self, lines: bytes) -> list[Entry]:
        try:
            return [Entry(**json.loads(line)) for line in lines.splitlines()]
        except (ValueError, TypeError) as fault:
            raise RunError(
                f"{self.file}: can't be read, a line is damaged. Remove that line, and run the trials again."
            ) from fault


def append_lines(path: Path, lines: bytes) -> None:
    """Add `lines` after the whole ones of `path`, safe from a power cut on return; raise StorageError.

    A killed writer, or a full disk, may have left half a line, which goes.
    """
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            end = file.seek(0, os.SEEK_END)
            while end and not _ends_a_line(file, end):
                end -= 1
            file.truncate(end)
            file.seek(end)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as fault:
        raise storage_error(path, fault) from fault


def _ends_a_line(file: BinaryIO, end: int) -> bool:
    file.seek(end - 1)
    return file.read(1) == b"\n"
