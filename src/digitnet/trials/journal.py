"""The journal of a trials folder: a line for each trial that has ended, so that no trial is run twice.

The worker writes the line, after the run is safe on the disk. If it is killed in between, the next one finds the
finished run and only writes the line. Where variants are sampled, each choice is a line too. The next choice
depends on these lines alone, and an engine takes the next task before it returns the last outcome; therefore the
worker writes, and not the caller.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from filelock import FileLock

from digitnet.errors import RunError
from digitnet.files import storage_error

State = Literal["done", "pruned", "failed", "running"]


@dataclass(frozen=True)
class Entry:
    """What is known about a trial; only sampled variants have the last two."""

    trial: str  # its name
    summary: dict[str, Any] | None = None  # the run's summary, if it was trained to its end
    error: str | None = None  # why it failed
    fields: Mapping[str, Any] | None = None  # the sampled ones
    validated: Mapping[int, float] | None = None  # validation accuracies by step, once it has ended

    @property
    def state(self) -> State:
        """How the trial ended; a sampled one that has not ended is running."""
        if self.error is not None:
            return "failed"
        return "done" if self.summary is not None else "pruned" if self.validated is not None else "running"

    @property
    def accuracy(self) -> float:
        """Validation accuracy after the last step; -1 if the trial did not reach it."""
        return float(self.summary["validation"]["accuracy"]) if self.summary else -1.0


class Journal:
    """The entries of a folder when it was read: the last line of each trial, in the order of the first lines.

    In version 0.1, the key of an error was `fault`.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "journal.jsonl"
        content = self.file.read_bytes() if self.file.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]  # a killed writer may have left half a line
        try:
            self.entries = {entry.trial: entry for entry in map(_parse, whole.splitlines())}
        except (ValueError, TypeError, AttributeError) as error:
            raise RunError(
                f"{self.file}: can't be read, a line is damaged. Remove that line, and run the trials again."
            ) from error

    @property
    def done(self) -> dict[str, Entry]:
        """The trials that were trained to their end."""
        return {name: entry for name, entry in self.entries.items() if entry.state == "done"}

    @property
    def failed(self) -> dict[str, Entry]:
        """The trials that failed."""
        return {name: entry for name, entry in self.entries.items() if entry.state == "failed"}

    def write(self, entry: Entry) -> None:
        """Add an entry, which survives a power failure once this returns; raise StorageError if that fails."""
        known = {name: value for name, value in vars(entry).items() if value is not None}
        with FileLock(self.file.with_name(".journal.lock")):  # many workers write; a killed one loses its lock
            _append_line(self.file, json.dumps(known).encode() + b"\n")
        self.entries[entry.trial] = entry


def _parse(line: bytes) -> Entry:
    values = json.loads(line)
    if "fault" in values:
        values["error"] = values.pop("fault")
    if values.get("validated") is not None:
        values["validated"] = {int(step): accuracy for step, accuracy in values["validated"].items()}
    if values.keys() == {"trial"}:
        raise ValueError("the line says nothing about the trial")
    return Entry(**values)


def _append_line(path: Path, line: bytes) -> None:
    """Append `line` to `path`, and remove the half line that a killed writer or a full disk left."""
    try:
        with path.open("r+b" if path.exists() else "w+b") as file:
            end = file.seek(0, os.SEEK_END)
            while end and not _ends_a_line(file, end):
                end -= 1
            file.truncate(end)
            file.seek(end)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise storage_error(path, error) from error


def _ends_a_line(file: BinaryIO, end: int) -> bool:
    file.seek(end - 1)
    return file.read(1) == b"\n"
