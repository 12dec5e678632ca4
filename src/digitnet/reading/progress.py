"""What a person sees on standard error while many pictures are read into a file."""

import math
import sys
import time
from types import TracebackType
from typing import Self

from digitnet.watching import Onlooker

_PAUSE = 10.0  # seconds between two lines of a log


class ReadingWatch(Onlooker):
    """Looks on while pictures are read, and shows nothing; its children show."""

    def show(self, pictures: int, faults: int, total: int) -> None:
        """Learn how many of `total` pictures are done, and how many of these could not be read."""


class Lines(ReadingWatch):
    """A plain line now and then, for logs and pipes."""

    def __init__(self) -> None:
        self.spoke = -math.inf

    def show(self, pictures: int, faults: int, total: int) -> None:
        """Say it if the last line is old enough."""
        if time.monotonic() - self.spoke >= _PAUSE:
            self.spoke = time.monotonic()
            sys.stderr.write(f"{pictures:,} of {total:,} pictures{_but(faults)}\n")


class Bar(ReadingWatch):
    """A bar that grows, with the time that is left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self.progress = Progress(
            MofNCompleteColumn(),
            TextColumn("pictures{task.fields[faults]}"),
            BarColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop redrawing; the last bar stays."""
        self.progress.stop()

    def show(self, pictures: int, faults: int, total: int) -> None:
        """Let the bar grow; what was done before says nothing about the speed."""
        if not self.progress.task_ids:
            self.progress.add_task("", completed=pictures, total=total, faults="")
        self.progress.update(self.progress.task_ids[0], completed=pictures, faults=_but(faults))


def make_reading_watch(*, quiet: bool) -> ReadingWatch:
    """Choose what fits: nothing, a bar on a terminal, plain lines elsewhere."""
    if quiet:
        return ReadingWatch()
    return Bar() if sys.stderr.isatty() else Lines()


def _but(faults: int) -> str:
    return f", {faults:,} of them could not be read" if faults else ""
