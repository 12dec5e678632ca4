"""Results as a CSV table, and a file of them that is written as they come and continued after an interruption.

Beside FILE there is FILE.progress: its first line says what is read and how, as JSON; each line after it how far
FILE was whole, as [pictures, bytes, errors]. What FILE holds beyond that is the torn end of a killed process, and
is cut off.
"""

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from digitnet.errors import RunError
from digitnet.files import append, make_folder, sha256, storage_error, write_whole
from digitnet.reading.batch import hash_model
from digitnet.reading.options import ReadOptions
from digitnet.reading.result import UNSURE, Result

COLUMNS = ("picture", "line", "text", "decision", "probability", "error")
"""A row is a line of digits: `line` counts from 1, `probability` is that of its least sure digit.

A picture without a digit, and one that could not be read, has one row, with `line` and more left empty.
"""

HEADER = ",".join(COLUMNS) + "\n"

_REMEDY = "Name another file with --out, or remove that one."


def to_csv(results: Sequence[Result]) -> str:
    """Return the rows of results as text, without the header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for result in results:
        writer.writerows(_rows(result))
    return text.getvalue()


def _rows(result: Result) -> Iterator[tuple[object, ...]]:
    lines = [line for line in result.reading.lines if line.text] if result.reading else []
    for number, line in enumerate(lines, start=1):
        least = min(digit.probability for digit in line.written)
        decision = "not sure" if UNSURE in line.text else "accepted"
        yield result.picture, number, line.text, decision, f"{least:.6f}", ""
    if not lines:
        yield result.picture, "", "", "not a digit" if result.reading else "", "", result.error or ""


class TableFile:
    """A CSV file of results about one list of pictures; `hold_file` opens it and locks it."""

    def __init__(self, path: Path, pictures: Sequence[str], options: ReadOptions) -> None:
        self.path = path
        self._progress = path.with_name(f"{path.name}.progress")
        inputs = _describe(pictures, options)
        self.pictures, self._bytes, self.errors = self._find_end(inputs) if path.exists() else (0, 0, 0)
        write_whole(self._progress, _line(inputs) + self._position())
        try:
            with path.open("ab") as file:
                file.truncate(self._bytes)
                os.fsync(file.fileno())
        except OSError as error:
            raise storage_error(path, error) from error
        if not self._bytes:
            self._append(HEADER)

    def write(self, results: Sequence[Result]) -> None:
        """Append the results of the next pictures of the list; raise StorageError."""
        self._append(to_csv(results))
        self.pictures += len(results)
        self.errors += sum(result.reading is None for result in results)
        append(self._progress, self._position().encode())

    def _append(self, rows: str) -> None:
        content = rows.encode(errors="surrogateescape")  # a file's name may not be valid text
        append(self.path, content)
        self._bytes += len(content)

    def _position(self) -> str:
        return _line([self.pictures, self._bytes, self.errors])

    def _find_end(self, inputs: dict[str, Any]) -> tuple[int, int, int]:
        """Find how far the file is whole; raise RunError when it belongs to other inputs."""
        size = self.path.stat().st_size
        try:
            lines = self._progress.read_bytes().splitlines(keepends=True)
            before = dict(json.loads(lines[0]))
            positions = [tuple(map(int, json.loads(line))) for line in lines[1:] if line.endswith(b"\n")]
            # A power cut may have taken more from the end of the file than from its progress.
            whole = [(pictures, end, errors) for pictures, end, errors in positions if end <= size]
        except (OSError, ValueError, TypeError, IndexError) as error:
            raise RunError(
                f"{self.path}: expected a new file, or one that `digitnet read` began, found another. {_REMEDY}"
            ) from error
        changed = [name for name, value in inputs.items() if before.get(name) != value]  # old files lack new names
        if changed:
            raise RunError(f"{self.path}: was begun with something else ({', '.join(changed)}). {_REMEDY}")
        return whole[-1] if whole else (0, 0, 0)


@contextmanager
def hold_file(path: Path, pictures: Sequence[str], options: ReadOptions) -> Iterator[TableFile]:
    """Begin a CSV file or continue it, and lock it until the block ends.

    Raises RunError when the file belongs to other inputs or another process is writing it, ModelError when the
    model is unusable, StorageError when the file can't be written.
    """
    from filelock import FileLock, Timeout  # here, as who prints a table does not wait for it

    make_folder(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise RunError(
            f"{path}: another process is writing it. Wait for it to end, or name another file with --out."
        ) from error
    except OSError as error:
        raise storage_error(path, error) from error
    with lock:
        yield TableFile(path, pictures, options)


def _describe(pictures: Sequence[str], options: ReadOptions) -> dict[str, Any]:
    """Describe all inputs that the file's bytes depend on, except the content of the pictures."""
    names = "\n".join(pictures).encode(errors="surrogateescape")
    return {
        "digitnet": version("digitnet"),
        "model": hash_model(options.model),
        "single": options.single,
        "digits": options.digits,
        "page": options.page if options.page > 1 else None,  # as in files from before there was a choice
        "expect": options.expect,
        "min_probability": options.min_probability,
        "pictures": len(pictures),
        "names": sha256(names),
    }


def _line(value: object) -> str:
    return json.dumps(value) + "\n"
