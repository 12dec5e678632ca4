"""How a message names an option and what to do, in the words of who asked.

Who typed a command knows flags, and who called a function knows arguments. Who asked a server can install nothing.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

Asker = Literal["command", "function", "server"]

_asker: Asker = "function"  # of the process, with all of its threads


@contextmanager
def answering(asker: Asker) -> Iterator[None]:
    """Word messages for who typed a command, called a function, or asked a server, until the block ends."""
    global _asker
    before, _asker = _asker, asker
    try:
        yield
    finally:
        _asker = before


def flag(name: str) -> str:
    """Name the command line flag of an argument: ``batch_size`` is ``--batch-size``."""
    return "--" + name.replace("_", "-")


def option(name: str, *value: object) -> str:
    """Name an option, perhaps with its value: ``--network fast`` and ``--resume``, or ``network='fast'``."""
    if _asker != "command":
        return f"{name}={value[0]!r}" if value else name
    shown = [str(item) for item in value if item is not True]
    return " ".join([flag(name), *shown])


def command(*words: object) -> str:
    """Write a command line of digitnet, quoted where that is necessary."""
    return shlex.join(["digitnet", *map(str, words)])


def resume_command(path: object, *, track: str = "") -> str:
    """Write how to continue the run in the folder `path`, with the tracker `track` if it had one."""
    if _asker == "command":
        return command("train", flag("resume"), flag("out"), path, *([flag("track"), track] if track else []))
    return f"train(resume=True, out={str(path)!r}{f', track={track!r}' if track else ''})"


def name_data(run: object) -> str:
    """Write how to name the place of a run's data."""
    return flag("data") if _asker == "command" else f"Run({str(run)!r}, data=...)"


def see_options() -> str:
    """Say where the fields of a configuration are explained."""
    return "See: digitnet train --help" if _asker == "command" else "See: help(digitnet.TrainConfig)"


def install(extra: str) -> str:
    """Say how to add an extra, ``"Run: pip install '.[train]'; or "``; nothing to who can't install it."""
    if _asker == "server":
        return ""
    from digitnet.installation import install_command  # only now: it loads much

    return f"Run: {install_command(extra)}; or "
