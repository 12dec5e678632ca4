"""Many pictures: listed, read by workers some dozens at a time, with the results in the order of the list."""

import os
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from digitnet.errors import DigitnetError, ModelError, PictureError
from digitnet.files import sha256
from digitnet.finding.ink import FINE
from digitnet.modelfile import read_model
from digitnet.reading.formats import describe_formats, is_other_format, is_picture, name_some, remedy_for
from digitnet.reading.network import SHIPPED
from digitnet.reading.options import ReadOptions
from digitnet.reading.picture import open_page
from digitnet.reading.reader import Reader
from digitnet.reading.result import Result

if TYPE_CHECKING:
    from digitnet.engines.engine import Engine, Outcome

BATCH_SIZE = 32
"""Pictures that a worker reads at once. Sending it a batch costs a millisecond, reading one most of a second."""

STANDARD_INPUT = "-"
"""The name of the picture that comes through standard input."""


@dataclass(frozen=True)
class Batch:
    """Pictures for a worker to read."""

    first: int  # index of the first picture in the list
    pictures: tuple[str, ...]
    folder: str  # that relative names start from: the worker's own may be another
    options: ReadOptions
    model_sha256: str


def list_pictures(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """List every picture: each folder is replaced by the pictures in and below it, sorted, without hidden ones.

    The second list has the files of these folders that are pictures or documents of formats that are not opened.
    Raises PictureError for a folder without pictures, and for one that can't be listed.
    """
    found: list[str] = []
    skipped: list[str] = []
    for name in names:
        if os.path.isdir(name):  # noqa: PTH112 - Path.is_dir raises for long names
            pictures, others = _search(name)
            found += pictures
            skipped += others
        else:
            found.append(name)
    return found, skipped


def _search(folder: str) -> tuple[list[str], list[str]]:
    def refuse(error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        raise PictureError(
            f"{error.filename}: expected a folder of pictures, could not list it ({reason}). "
            "Check its permissions."
        ) from error

    join = os.path.join  # not Path: a million of them take time and memory
    found: list[str] = []
    skipped: list[str] = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                if is_picture(name):
                    found.append(join(parent, name))
                elif is_other_format(name):
                    skipped.append(join(parent, name))
    skipped.sort()
    if not found:
        raise PictureError.mismatch(
            folder,
            expected=f"a folder with {describe_formats()} files",
            found=f"only {name_some(skipped)}" if skipped else "none in or below it",
            remedy=remedy_for(skipped) if skipped else "Name another.",
        )
    return sorted(found), skipped


def read_here(pictures: Sequence[str], options: ReadOptions) -> Iterator[Result]:
    """Read pictures one after the other in this process; standard input may be one of them."""
    reader, folder = Reader(options.model, min_probability=options.min_probability), Path.cwd()
    for picture in pictures:
        yield _read_picture(reader, picture, folder, options)


def read_with(
    engine: "Engine", pictures: Sequence[str], options: ReadOptions
) -> Generator[list[Result], None, None]:
    """Read pictures in an engine's workers, and yield the results of a batch at a time, in the order of the list.

    Only batches that finish before an earlier one are kept waiting, so memory does not grow with the list. What
    goes wrong with a picture, even that a worker dies of it, is the error of its own result. Raises ModelError
    when a worker can't open the model or finds another than this process, StorageError when a drawing can't be
    written.
    """
    model_sha256 = hash_model(options.model)
    folder = str(Path.cwd())
    batches = (
        Batch(first, tuple(pictures[first : first + BATCH_SIZE]), folder, options, model_sha256)
        for first in range(0, len(pictures), BATCH_SIZE)
    )
    early: dict[int, list[Result]] = {}
    place = 0
    with closing(engine.run(read_batch, batches)) as outcomes:
        for outcome in outcomes:
            early[outcome.task.first] = _results(engine, outcome)
            while place in early:
                results = early.pop(place)
                place += len(results)
                yield results


def read_batch(batch: Batch) -> list[Result] | DigitnetError:
    """Read pictures, in a worker. An error of the model or of a disk, which no picture causes, is returned."""
    folder = Path(batch.folder)
    try:
        model = batch.options.model and folder / batch.options.model
        reader = _open_reader(model, batch.model_sha256, batch.options.min_probability)
        return [_read_picture(reader, picture, folder, batch.options) for picture in batch.pictures]
    except DigitnetError as error:
        return error


def hash_model(model: Path | None) -> str:
    """Return the SHA-256 of a model file, by default digitnet's own; raise ModelError if it is unusable."""
    return sha256(read_model(model or SHIPPED).content)


def _results(engine: "Engine", outcome: "Outcome[Batch, list[Result] | DigitnetError]") -> list[Result]:
    """Return a batch's results; after an error, read its pictures one by one to find those that cause it."""
    if isinstance(outcome.result, DigitnetError):
        raise outcome.result
    if outcome.result is not None:
        return outcome.result
    batch = outcome.task
    if len(batch.pictures) == 1:
        return [Result(batch.pictures[0], None, f"{batch.pictures[0]}: could not be read. {outcome.error}")]
    singles = [
        replace(batch, first=batch.first + index, pictures=(picture,))
        for index, picture in enumerate(batch.pictures)
    ]
    again = sorted(engine.run(read_batch, singles), key=lambda outcome: outcome.task.first)
    if len(again) == BATCH_SIZE and all(outcome.error for outcome in again):
        raise DigitnetError(f"The workers could not read one of {BATCH_SIZE} pictures. {outcome.error}")
    return [result for outcome in again for result in _results(engine, outcome)]


@cache
def _open_reader(model: Path | None, model_sha256: str, min_probability: float | None) -> Reader:
    """Open a worker's reader, which serves all of its batches."""
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
    return Reader(model, min_probability=min_probability)


def _read_picture(reader: Reader, name: str, folder: Path, options: ReadOptions) -> Result:
    path = folder / name
    try:
        side = None if options.save_picture else FINE  # a drawing shows the picture as it is
        page = open_page(sys.stdin.buffer if name == STANDARD_INPUT else path, options.page, side=side)
    except PictureError as error:
        return Result(name, None, str(error).replace(str(path), name, 1))
    reading = reader.read(page, single=options.single, digits=options.digits, expect=options.expect)
    if options.save_picture:
        from digitnet.reading.drawing import save_drawing

        save_drawing(page.pixels, reading, folder / options.save_picture / drawing_name(name, options.page))
    remark = None
    if page.pages > 1 and options.page == 1:
        remark = f"{name}: {page.pages:,} pages; only the first was read. Read the next with --page 2."
    return Result(name, reading, remark=remark)


def drawing_name(picture: str, page: int) -> str:
    """Return the file name of the drawing of a picture's page."""
    stem = "standard-input" if picture == STANDARD_INPUT else Path(picture).stem
    return f"{stem}.png" if page == 1 else f"{stem}-page-{page}.png"
