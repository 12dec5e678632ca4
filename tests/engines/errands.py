"""What the tests have done by workers: they import this module by its name."""

import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from digitnet.errors import DataError, Interrupted


def square(number: int) -> int:
    return number * number


def square_late(number: int) -> int:
    """The earlier tasks take longest, so that outcomes overtake each other."""
    time.sleep(max(0, 12 - number) / 100)
    return number * number


def process(_: object) -> int:
    return os.getpid()


def threads(_: object) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def be_moody(number: int) -> int:
    """Raise something else for every odd number."""
    if number == 1:
        raise ValueError("one line\nand a page below it")
    if number == 3:
        raise DataError("images.gz: is damaged. Fetch it again.")
    if number == 5:
        sys.exit("leaving")
    if number == 7:
        raise KeyError
    return number


def give_a_lambda(_: object) -> object:
    return lambda: None


def die(how: str) -> None:
    if how == "SIGKILL":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "SIGSEGV":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "exit":
        os._exit(7)
    elif how == "Interrupted":
        raise Interrupted("Saved.", signal_number=signal.SIGTERM)


def note_and_die(task: tuple[Path, int, str, int]) -> int:
    """Note the call in a file; in the first `deaths` calls of a task, die."""
    notes, deaths, how, number = task
    with notes.open("a") as file:
        file.write(f"{number}\n")
    if notes.read_text().split().count(str(number)) <= deaths:
        die(how)
    time.sleep(0.05)
    return number


def save_when_asked(notes: Path) -> NoReturn:
    """Work for hours; when a signal asks to stop, save the state, as training does."""

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = number

    asked = 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    (notes / f"{os.getpid()}.began").touch()
    while not asked:
        time.sleep(0.01)
    time.sleep(0.2)
    (notes / f"{os.getpid()}.saved").touch()
    raise Interrupted("Saved.", signal_number=asked)


def sleep_for_hours(notes: Path) -> None:
    (notes / f"{os.getpid()}.began").touch()
    for _ in range(100_000):
        time.sleep(0.1)


def save_or_answer(notes: Path | None) -> None:
    if notes is not None:
        save_when_asked(notes)


def refuse_to_end(notes: Path) -> None:
    """Note that a signal asks to stop, and work on."""
    signal.signal(signal.SIGTERM, lambda number, frame: (notes / f"{os.getpid()}.asked").touch())
    sleep_for_hours(notes)
