"""What `digitnet read` does, apart from parsing its flags, which takes half as long as reading a picture."""

import io
import json
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

from digitnet.engines.options import EngineOptions
from digitnet.errors import Interrupted, PictureError, UsageError
from digitnet.files import make_folder
from digitnet.modelfile import read_model
from digitnet.reading.batch import BATCH_SIZE, STANDARD_INPUT, drawing_name, list_pictures, read_here, read_with
from digitnet.reading.expectation import check_count, compile_pattern
from digitnet.reading.formats import describe_skipped
from digitnet.reading.network import SHIPPED
from digitnet.reading.options import Format, ReadOptions
from digitnet.reading.reader import check_digits, check_min_probability, check_page
from digitnet.reading.result import Result


def read_all(
    names: Sequence[str],
    options: ReadOptions = ReadOptions(),  # noqa: B008 - frozen
    engine: EngineOptions = EngineOptions(),  # noqa: B008 - frozen
) -> None:
    """Read pictures and folders of them; print the results, or write them to `options.out`.

    Raises UsageError for options that contradict each other; PictureError at the end when some pictures could not
    be read; Interrupted when Ctrl-C stops it and `options.out` can be continued.
    """
    _check(names, options)
    pictures, skipped = list_pictures(names)
    if options.save_picture:
        _check_drawing_names(pictures, options.page)
        make_folder(options.save_picture)
    if skipped and not options.quiet:
        sys.stderr.write(f"{describe_skipped(skipped)}\n")
    if options.out:
        read, errors = _write(options.out, pictures, options, engine)
        sys.stdout.write(f"{options.out}: {_counted(len(pictures))}.\n")
        remedy = f" {options.out} says why."
    else:
        is_several = len(pictures) > 1 or pictures != list(names)
        read, errors = _print(pictures, options, engine, is_several)
        remedy = ""
    if options.save_picture and read and not options.quiet:
        sys.stderr.write(
            f"What it saw: {_describe_drawings(options.save_picture, pictures, read, options.page)}\n"
        )
    if errors:
        raise PictureError(f"{errors:,} of {_counted(len(pictures))} could not be read.{remedy}")


def _check(names: Sequence[str], options: ReadOptions) -> None:
    if not names:
        raise UsageError("Name the pictures to read, or a folder of them; - is standard input.")
    if STANDARD_INPUT in names and (len(names) > 1 or options.out):
        raise UsageError("Standard input (-) is one picture, read by itself: name no other, and leave out --out.")
    if options.out and options.format not in (None, "csv"):
        raise UsageError(f"--out writes a CSV file, so leave out --format {options.format}.")
    check_digits(options.single, options.digits)
    check_page(options.page)
    check_min_probability(options.min_probability)
    if options.expect is not None:
        pattern = compile_pattern(options.expect)
        if options.single or options.digits:
            labels = read_model(options.model or SHIPPED).info.labels
            check_count(pattern, labels, single=options.single, digits=options.digits)


def _check_drawing_names(pictures: Sequence[str], page: int) -> None:
    taken: dict[str, str] = {}
    for picture in pictures:
        other = taken.setdefault(drawing_name(picture, page), picture)
        if other != picture:
            raise UsageError(
                f"--save-picture: expected pictures of different names, found {other} and {picture}. "
                "Read them one after the other, with a folder for the drawings of each."
            )


def _describe_drawings(folder: Path, pictures: Sequence[str], drawn: int, page: int) -> str:
    """Name the drawing of a single picture, and the folder of several."""
    if len(pictures) == 1:
        return str(folder / drawing_name(pictures[0], page))
    return f"{_counted(drawn, 'drawing')} in {folder}"


def _read(
    pictures: Sequence[str], options: ReadOptions, engine: EngineOptions
) -> Generator[list[Result], None, None]:
    """Read a few pictures here, as starting a worker for them would take longer, and many with workers."""
    if not pictures:
        return
    if (len(pictures) <= BATCH_SIZE and engine == EngineOptions()) or pictures[0] == STANDARD_INPUT:
        for result in read_here(pictures, options):
            yield [result]
    else:
        from digitnet.engines.make import make_engine

        with make_engine(engine.engine, workers=engine.jobs, threads=1, address=engine.address) as workers:
            yield from read_with(workers, pictures, options)


def _write(out: Path, pictures: Sequence[str], options: ReadOptions, engine: EngineOptions) -> tuple[int, int]:
    """Write the results that `out` lacks; count those that it got, and all pictures that could not be read."""
    from digitnet.progress import make_progress
    from digitnet.reading.table import hold_file

    with hold_file(out, pictures, options) as file, make_progress(quiet=options.quiet) as progress:
        before = file.pictures - file.errors
        try:
            progress.begin(len(pictures), file.pictures, unit="pictures", pause=10)
            progress.advance(file.pictures, _but(file.errors))
            with closing(_read(pictures[file.pictures :], options, engine)) as batches:
                for results in batches:
                    file.write(results)
                    for result in results:
                        if result.remark:
                            progress.message(result.remark)
                    progress.advance(file.pictures, _but(file.errors))
        except KeyboardInterrupt as stop:
            raise Interrupted(
                f"{out}: stopped after {file.pictures:,} of {_counted(len(pictures))}. "
                "The same command continues it.",
                signal_number=2,
            ) from stop
        return file.pictures - file.errors - before, file.errors


def _but(errors: int) -> str:
    return f", {errors:,} of them could not be read" if errors else ""


def _print(
    pictures: Sequence[str], options: ReadOptions, engine: EngineOptions, is_several: bool
) -> tuple[int, int]:
    """Print results as they come; count the pictures that were read, and those that could not be.

    A single one that could not be raises its error.
    """
    errors = 0
    before, separator, after, to_text = _make_format(options.format, is_several)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # a file's name may not be valid text
    with closing(_read(pictures, options, engine)) as batches:
        for result in chain.from_iterable(batches):
            if result.error is not None:
                if not is_several:
                    raise PictureError(result.error)
                errors += 1
                sys.stderr.write(f"{result.error}\n")
            elif result.reading and not result.reading.text:
                sys.stderr.write(f"{result.picture}: no digit was found.\n")
            if result.remark and not options.quiet:
                sys.stderr.write(f"{result.remark}\n")
            sys.stdout.write(before + to_text(result))
            before = separator
    sys.stdout.write(after)
    return len(pictures) - errors, errors


def _make_format(format: Format | None, is_several: bool) -> tuple[str, str, str, Callable[[Result], str]]:
    """Return the text before, between and after the results, and the function that writes one."""
    if format == "csv":
        from digitnet.reading.table import HEADER, to_csv

        return HEADER, "", "", lambda result: to_csv([result])
    if format == "json" and is_several:
        return "[\n", ",\n", "\n]\n", lambda result: json.dumps(result.to_json())
    if format == "json":
        return "", "", "\n", lambda result: json.dumps(result.to_json(), indent=2)
    return "", "", "", lambda result: _to_lines(result, is_several)


def _to_lines(result: Result, is_several: bool) -> str:
    """Return the digits, line by line; of several pictures, each line begins with its name, as grep's do."""
    lines = result.reading.text.splitlines() if result.reading else []
    return "".join(f"{result.picture}: {line}\n" if is_several else f"{line}\n" for line in lines)


def _counted(number: int, noun: str = "picture") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
