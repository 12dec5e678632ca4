"""How a message names an option: as a flag to who typed a command, as an argument to who called a function."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

_names_flags = False  # of the process, with all of its threads


@contextmanager
def naming_flags(is_so: bool = True) -> Iterator[None]:
    """Name options as flags until the block ends, as a command does; or as arguments, as a server does."""
    global _names_flags
    before, _names_flags = _names_flags, is_so
    try:
        yield
    finally:
        _names_flags = before


def flag(name: str) -> str:
    """Name the command line flag of an argument: ``batch_size`` is ``--batch-size``."""
    return "--" + name.replace("_", "-")


def option(name: str, *value: object) -> str:
    """Name an option, perhaps with its value: ``--network fast`` and ``--resume``, or ``network='fast'``."""
    if not _names_flags:
        return f"{name}={value[0]!r}" if value else name
    shown = [str(item) for item in value if item is not True]
    return " ".join([flag(name), *shown])


def command(*words: object) -> str:
    """Write a command line of digitnet, quoted where that is necessary."""
    return shlex.join(["digitnet", *map(str, words)])


def resume_command(path: object, *, track: str = "") -> str:
    """Write how to continue the run in the folder `path`, with the tracker `track` if it had one."""
    if _names_flags:
        return command("train", flag("resume"), flag("out"), path, *([flag("track"), track] if track else []))
    return f"train(resume=True, out={str(path)!r}{f', track={track!r}' if track else ''})"


def see_options() -> str:
    """Say where the fields of a configuration are explained."""
    return "See: digitnet train --help" if _names_flags else "See: help(digitnet.TrainConfig)"
