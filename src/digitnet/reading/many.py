"""Many pictures: listed, handed to workers some dozens at a time, and answered in the order of the list."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitnet.errors import DigitnetError, ModelError, PictureError
from digitnet.files import sha256
from digitnet.modelfile import read_model
from digitnet.reading.answer import Reading
from digitnet.reading.expectation import compile_pattern
from digitnet.reading.network import SHIPPED
from digitnet.reading.picture import is_picture, open_picture
from digitnet.reading.reader import Reader, check_shape

if TYPE_CHECKING:
    from digitnet.engines.engine import Engine, Outcome

TASK = 32
"""Pictures that a worker reads at once. Handing a task over costs a millisecond, reading it most of a second."""

STANDARD_INPUT = "-"
"""The name of the picture that comes through standard input."""


@dataclass(frozen=True)
class Settings:
    """How pictures are read: the arguments of `Reader` and of its `read`."""

    model: Path | None = None  # None is the one that comes with digitnet
    single: bool = False
    fields: int | None = None
    expect: str | None = None
    drawings: Path | None = None  # a folder; what was read is drawn there, in NAME.png for the picture NAME.jpg

    def __post_init__(self) -> None:
        check_shape(self.single, self.fields)
        if self.expect is not None:
            compile_pattern(self.expect)


@dataclass(frozen=True)
class Answer:
    """What came of one picture: a reading, or the fault that prevented it."""

    picture: str  # its name
    reading: Reading | None
    fault: str | None = None  # a sentence

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {"picture": self.picture, **(self.reading.to_json() if self.reading else {"fault": self.fault})}


@dataclass(frozen=True)
class Task:
    """What a worker is asked to read."""

    first: int  # place in the list of the first of the pictures
    pictures: tuple[str, ...]
    folder: str  # that relative names begin in: a worker may stand in another
    settings: Settings
    model_sha256: str


def list_pictures(names: Sequence[str]) -> list[str]:
    """Name every picture: each folder is replaced by the pictures in and below it, sorted, hidden ones left out.

    Raises PictureError for a folder that has none, or can't be looked into.
    """
    return [picture for name in names for picture in (_search(name) if _is_folder(name) else [name])]


def _is_folder(name: str) -> bool:
    return os.path.isdir(name)  # noqa: PTH112 - Path.is_dir raises where a name is too long


def _search(folder: str) -> list[str]:
    def complain(fault: OSError) -> None:
        reason = (fault.strerror or str(fault)).lower()
        raise PictureError(
            f"{fault.filename}: expected a folder of pictures, could not look into it ({reason}). "
            "Check its permissions."
        ) from fault

    join = os.path.join  # not Path: a million of them take time and room
    found: list[str] = []
    for place, below, files in os.walk(folder, onerror=complain):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [join(place, name) for name in files if is_picture(name) and not name.startswith(".")]
    if not found:
        raise PictureError.mismatch(
            folder, expected="a folder with pictures", found="none in or below it", remedy="Name another."
        )
    return sorted(found)


def read_here(pictures: Sequence[str], settings: Settings) -> Iterator[Answer]:
    """Read pictures one after the other in this process; standard input may be one of them."""
    reader, folder = Reader(settings.model), Path.cwd()
    for picture in pictures:
        yield _read_picture(reader, picture, folder, settings)


def read_with(
    engine: "Engine", pictures: Sequence[str], settings: Settings
) -> Generator[list[Answer], None, None]:
    """Read pictures in an engine's workers, and yield the answers of a task at a time, in the order of the list.

    Only tasks that overtook a slower one are kept waiting, so that the memory does not grow with the list.
    Whatever goes wrong with a picture, even that a worker dies of it, is the fault in its own answer. Raises
    ModelError when a worker can't open the model or finds another than this process, StorageError when a drawing
    can't be written.
    """
    model_sha256 = hash_model(settings.model)
    folder = str(Path.cwd())
    tasks = (
        Task(first, tuple(pictures[first : first + TASK]), folder, settings, model_sha256)
        for first in range(0, len(pictures), TASK)
    )
    early: dict[int, list[Answer]] = {}
    place = 0
    with closing(engine.run(read_task, tasks)) as outcomes:
        for outcome in outcomes:
            early[outcome.task.first] = _answers(engine, outcome)
            while place in early:
                answers = early.pop(place)
                place += len(answers)
                yield answers


def read_task(task: Task) -> list[Answer] | DigitnetError:
    """Read pictures, in a worker. What is wrong with the model or a disk is returned: it is no picture's fault."""
    folder = Path(task.folder)
    try:
        reader = _open_reader(task.settings.model and folder / task.settings.model, task.model_sha256)
        return [_read_picture(reader, picture, folder, task.settings) for picture in task.pictures]
    except DigitnetError as fault:
        return fault


def hash_model(model: Path | None) -> str:
    """SHA-256 of a model file's content; raise ModelError when it is none."""
    return sha256(read_model(model or SHIPPED).content)


def _answers(engine: "Engine", outcome: "Outcome[Task, list[Answer] | DigitnetError]") -> list[Answer]:
    """Take a task's answers; after a fault, read its pictures one by one, so that only those at fault have it."""
    if isinstance(outcome.result, DigitnetError):
        raise outcome.result
    if outcome.result is not None:
        return outcome.result
    task = outcome.task
    if len(task.pictures) == 1:
        return [Answer(task.pictures[0], None, f"{task.pictures[0]}: could not be read. {outcome.error}")]
    singles = [
        replace(task, first=task.first + place, pictures=(picture,)) for place, picture in enumerate(task.pictures)
    ]
    again = sorted(engine.run(read_task, singles), key=lambda outcome: outcome.task.first)
    if len(again) == TASK and all(outcome.error for outcome in again):
        raise DigitnetError(f"The workers could not read one of {TASK} pictures. {outcome.error}")
    return [answer for outcome in again for answer in _answers(engine, outcome)]


@cache
def _open_reader(model: Path | None, model_sha256: str) -> Reader:
    """Open a worker's reader, which serves all of its tasks."""
    import cv2

    cv2.setNumThreads(1)  # the other cores have workers of their own
    found = hash_model(model)
    if found != model_sha256:
        raise ModelError.mismatch(
            model or "The model of digitnet",
            expected=f"the same file for every worker ({model_sha256[:8]})",
            found=f"another ({found[:8]})",
            remedy="Copy the file, or install the same version of digitnet, on every machine.",
        )
    return Reader(model)


def _read_picture(reader: Reader, name: str, folder: Path, settings: Settings) -> Answer:
    path = folder / name
    try:
        pixels = open_picture(sys.stdin.buffer if name == STANDARD_INPUT else path)
    except PictureError as fault:
        return Answer(name, None, str(fault).replace(str(path), name, 1))
    reading = reader.read(pixels, single=settings.single, fields=settings.fields, expect=settings.expect)
    if settings.drawings:
        from digitnet.reading.drawing import save_drawing

        save_drawing(pixels, reading, folder / settings.drawings / f"{drawing_name(name)}.png")
    return Answer(name, reading)


def drawing_name(picture: str) -> str:
    """What the drawing of a picture is called, without its suffix."""
    return "standard-input" if picture == STANDARD_INPUT else Path(picture).stem
