"""What `digitnet read` does, apart from its flags: so it can begin before what reads flags is loaded."""

import io
import json
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Literal

from digitnet.engines.options import EngineOptions
from digitnet.errors import Interrupted, PictureError, UsageError
from digitnet.files import make_folder
from digitnet.reading.many import (
    STANDARD_INPUT,
    TASK,
    Answer,
    Settings,
    drawing_name,
    list_pictures,
    read_here,
    read_with,
)

Format = Literal["text", "json", "csv"]


def read_all(
    names: Sequence[str],
    settings: Settings,
    parallel: EngineOptions,
    *,
    format: Format | None = None,
    out: Path | None = None,
    quiet: bool = False,
) -> None:
    """Read pictures and folders of them; print the answers, or write them to `out`, which can be gone on with.

    Raises PictureError at the end when some could not be read.
    """
    _check(names, format, out)
    pictures = list_pictures(names)
    if settings.drawings:
        _check_drawings(pictures)
        make_folder(settings.drawings)
    if out:
        faults = _write(out, pictures, settings, parallel, quiet)
        sys.stdout.write(f"{out}: {_counted(len(pictures))}.\n")
        remedy = f" {out} says why."
    else:
        is_several = len(pictures) > 1 or pictures != list(names)
        faults = _print(pictures, settings, parallel, format or "text", is_several)
        remedy = ""
    if faults:
        raise PictureError(f"{faults:,} of {_counted(len(pictures))} could not be read.{remedy}")


def _check(names: Sequence[str], format: Format | None, out: Path | None) -> None:
    if not names:
        raise UsageError("Name the pictures to read, or a folder of them; - is standard input.")
    if STANDARD_INPUT in names and (len(names) > 1 or out):
        raise UsageError("Standard input (-) is one picture, read by itself: name no other, and leave out --out.")
    if out and format not in (None, "csv"):
        raise UsageError(f"--out writes a CSV file, so leave out --format {format}.")


def _check_drawings(pictures: Sequence[str]) -> None:
    taken: dict[str, str] = {}
    for picture in pictures:
        other = taken.setdefault(drawing_name(picture), picture)
        if other != picture:
            raise UsageError(
                f"--save-picture: expected pictures of different names, found {other} and {picture}. "
                "Read them one after the other, with a folder for the drawings of each."
            )


def _read(
    pictures: Sequence[str], settings: Settings, parallel: EngineOptions
) -> Generator[list[Answer], None, None]:
    """Read a few pictures here, which is quicker than to start a worker for them, and many by workers."""
    if not pictures:
        return
    if (len(pictures) <= TASK and parallel == EngineOptions()) or pictures[0] == STANDARD_INPUT:
        for answer in read_here(pictures, settings):
            yield [answer]
    else:
        from digitnet.engines.make import make_engine

        with make_engine(parallel.engine, workers=parallel.jobs, threads=1, address=parallel.address) as engine:
            yield from read_with(engine, pictures, settings)


def _write(out: Path, pictures: Sequence[str], settings: Settings, parallel: EngineOptions, quiet: bool) -> int:
    """Write the answers that `out` lacks; return how many pictures of it could not be read."""
    from digitnet.progress import make_progress
    from digitnet.reading.table_file import hold_file

    with hold_file(out, pictures, settings) as file, make_progress(quiet=quiet) as progress:
        try:
            progress.begin(len(pictures), file.pictures, unit="pictures", pause=10)
            progress.advance(file.pictures, _but(file.faults))
            with closing(_read(pictures[file.pictures :], settings, parallel)) as batches:
                for answers in batches:
                    file.write(answers)
                    progress.advance(file.pictures, _but(file.faults))
        except KeyboardInterrupt as stop:
            raise Interrupted(
                f"{out}: stopped after {file.pictures:,} of {_counted(len(pictures))}. The same command goes on.",
                signal_number=2,
            ) from stop
        return file.faults


def _but(errors: int) -> str:
    return f", {errors:,} of them could not be read" if errors else ""


def _print(
    pictures: Sequence[str], settings: Settings, parallel: EngineOptions, format: Format, is_several: bool
) -> int:
    """Print answers as they come; count the pictures that could not be read. A single one raises its fault."""
    faults = 0

    def remarked(batches: Iterable[list[Answer]]) -> Iterator[Answer]:
        nonlocal faults
        for answer in chain.from_iterable(batches):
            if answer.fault is not None:
                if not is_several:
                    raise PictureError(answer.fault)
                faults += 1
                sys.stderr.write(f"{answer.fault}\n")
            elif answer.reading and not answer.reading.text:
                sys.stderr.write(f"{answer.picture}: no digit was found.\n")
            yield answer

    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # a file's name may be no text
    with closing(_read(pictures, settings, parallel)) as batches:
        for text in _FORMATS[format](remarked(batches), is_several):
            sys.stdout.write(text)
    return faults


def _as_text(answers: Iterable[Answer], is_several: bool) -> Iterator[str]:
    """Write the digits, line by line; of several pictures, each line begins with its name, as grep's do."""
    for answer in answers:
        if answer.reading:
            lines = answer.reading.text.splitlines()
            yield "".join(f"{answer.picture}: {line}\n" if is_several else f"{line}\n" for line in lines)


def _as_json(answers: Iterable[Answer], is_several: bool) -> Iterator[str]:
    if is_several:
        start = "["
        for answer in answers:
            yield f"{start}\n{json.dumps(answer.to_json())}"
            start = ","
        yield "\n]\n"
    else:
        for answer in answers:
            yield json.dumps(answer.to_json(), indent=2) + "\n"


def _as_csv(answers: Iterable[Answer], is_several: bool) -> Iterator[str]:
    from digitnet.reading.table import HEADER, to_csv

    yield HEADER
    for answer in answers:
        yield to_csv([answer])


_FORMATS: dict[Format, Callable[[Iterable[Answer], bool], Iterator[str]]] = {
    "text": _as_text,
    "json": _as_json,
    "csv": _as_csv,
}


def _counted(pictures: int) -> str:
    return f"{pictures:,} picture{'' if pictures == 1 else 's'}"
