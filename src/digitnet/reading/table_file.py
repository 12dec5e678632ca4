"""A CSV file of answers that is written as they come, and gone on with after an interruption.

Beside FILE stands FILE.progress: its first line says what is read and how, as JSON; each line after it how far
FILE was whole, as [pictures, bytes, faults]. What FILE holds beyond that is the torn end of a killed process, and
goes.
"""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from digitnet.errors import RunError
from digitnet.files import append, make_folder, sha256, storage_error, write_whole
from digitnet.reading.many import Answer, Settings, hash_model
from digitnet.reading.table import HEADER, to_csv


class TableFile:
    """A CSV file of answers about one list of pictures; whoever writes holds it, see `hold_file`."""

    def __init__(self, path: Path, pictures: Sequence[str], settings: Settings) -> None:
        self.path = path
        self._progress = path.with_name(f"{path.name}.progress")
        about = _describe(pictures, settings)
        self.pictures, self._bytes, self.faults = self._find_end(about) if path.exists() else (0, 0, 0)
        write_whole(self._progress, _line(about) + self._mark())
        try:
            with path.open("ab") as file:
                file.truncate(self._bytes)
                os.fsync(file.fileno())
        except OSError as fault:
            raise storage_error(path, fault) from fault
        if not self._bytes:
            self._append(HEADER)

    def write(self, answers: Sequence[Answer]) -> None:
        """Add the answers about the next pictures of the list; raise StorageError."""
        self._append(to_csv(answers))
        self.pictures += len(answers)
        self.faults += sum(answer.reading is None for answer in answers)
        append(self._progress, self._mark().encode())

    def _append(self, rows: str) -> None:
        content = rows.encode(errors="surrogateescape")  # a file's name may be no text
        append(self.path, content)
        self._bytes += len(content)

    def _mark(self) -> str:
        return _line([self.pictures, self._bytes, self.faults])

    def _find_end(self, about: dict[str, Any]) -> tuple[int, int, int]:
        """Find how far the file is whole; raise RunError when it belongs to something else."""
        size = self.path.stat().st_size
        try:
            lines = self._progress.read_bytes().splitlines(keepends=True)
            before = dict(json.loads(lines[0]))
            marks = [tuple(map(int, json.loads(line))) for line in lines[1:] if line.endswith(b"\n")]
            # A power cut may have taken more from the end of the file than from its progress.
            whole = [(pictures, end, faults) for pictures, end, faults in marks if end <= size]
        except (OSError, ValueError, TypeError, IndexError) as fault:
            raise RunError(
                f"{self.path}: expected a new file, or one that `digitnet read` began, found another. {_REMEDY}"
            ) from fault
        if before != about:
            changed = ", ".join(name for name, value in about.items() if before.get(name) != value)
            raise RunError(f"{self.path}: was begun with something else ({changed}). {_REMEDY}")
        return whole[-1] if whole else (0, 0, 0)


@contextmanager
def hold_file(path: Path, pictures: Sequence[str], settings: Settings) -> Iterator[TableFile]:
    """Begin a CSV file or go on with it, and hold it for writing until the block ends.

    Raises RunError when the file belongs to something else, or another process is writing it; ModelError when the
    model is none; StorageError when the file can't be written.
    """
    make_folder(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as fault:
        raise RunError(
            f"{path}: another process is writing it. Wait for it to end, or name another file with --out."
        ) from fault
    except OSError as fault:
        raise storage_error(path, fault) from fault
    with lock:
        yield TableFile(path, pictures, settings)


_REMEDY = "Name another file with --out, or remove that one."


def _describe(pictures: Sequence[str], settings: Settings) -> dict[str, Any]:
    """All that the bytes of the file depend on, but for the pictures' own."""
    names = "\n".join(pictures).encode(errors="surrogateescape")
    return {
        "digitnet": version("digitnet"),
        "model": hash_model(settings.model),
        "single": settings.single,
        "fields": settings.fields,
        "expect": settings.expect,
        "pictures": len(pictures),
        "names": sha256(names),
    }


def _line(value: object) -> str:
    return json.dumps(value) + "\n"
