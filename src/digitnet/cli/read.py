"""``digitnet read``."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from digitnet.cli.options import EngineFlags
from digitnet.engines.options import EngineOptions


def read(
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGE...", help_behavior_hint="(one or more)")],
    model: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: digitnet's own)")] = None,
    format: Annotated[
        Literal["text", "json", "csv"] | None,
        arg(metavar="{text,json,csv}", help_behavior_hint="(default: text, or csv with --out)"),
    ] = None,
    single: bool = False,
    fields: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: any number)")] = None,
    expect: Annotated[str | None, arg(metavar="REGEX", help_behavior_hint="(default: any digits)")] = None,
    save_picture: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: none)")] = None,
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: print the answers)")] = None,
    parallel: EngineFlags = EngineOptions(),  # noqa: B008 - frozen
    quiet: bool = False,
) -> None:
    """Read the digits in pictures: photographs, scans, drawings.

    Prints the digits, line by line, and ? for one that is not sure. Many pictures are read on all cores. With
    --out you may stop it any way you like and start it again: it goes on.

    Args:
        images: Pictures, folders of pictures, or - for standard input.
        model: A model file that `digitnet export` wrote.
        format: Digits for people, everything for programs, or a table.
        single: Each picture is one digit, whatever it looks like.
        fields: Each picture is one field of so many digits; touching ones are cut apart accordingly.
        expect: What the digits of each line look like, '[01][0-9]{3}' for example; others are ruled out.
        save_picture: Draw what was read, and where, into this folder.
        out: Write a CSV file of the answers; an interrupted one is gone on with.
        parallel: What does the work.
        quiet: Show no progress.
    """
    from digitnet.reading.command import read_all
    from digitnet.reading.many import Settings

    settings = Settings(model, single, fields, expect, save_picture)
    read_all(images, settings, parallel, format=format, out=out, quiet=quiet)
