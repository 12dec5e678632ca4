"""What is shown on standard error while something long runs; answers go to standard output."""

import math
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import RenderableType

_PAUSE = 0.2  # seconds between two updates of a bar: an update costs a tenth of a fast training step


class Progress:
    """Shows nothing: the base of the two classes that do. It is a context manager, entered while the work runs."""

    def __enter__(self) -> Self:
        """Start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""

    def message(self, text: str) -> None:
        """Show a sentence or a measurement, which stays on the screen."""

    def begin(self, total: int, done: int = 0, *, unit: str, pause: float = math.inf) -> None:
        """Announce `total` steps, pictures or other units, of which `done` were done before.

        A log, unlike a terminal, gets a line at most every `pause` seconds; none if messages say enough.
        """

    def advance(self, done: int, status: str = "") -> None:
        """Show how many are done; `status` follows the count on the same line."""

    def show(self, table: Callable[[], "RenderableType"], line: str = "") -> None:
        """Replace the table on a terminal; a log gets `line`, if there is one, and builds no table."""


class PlainLines(Progress):
    """Lines of text, for logs and pipes."""

    def begin(self, total: int, done: int = 0, *, unit: str, pause: float = math.inf) -> None:
        """Remember what the lines will count."""
        self.total, self.unit, self.pause = total, unit, pause
        self.written = -math.inf

    def message(self, text: str) -> None:
        """Write a line."""
        sys.stderr.write(f"{text}\n")

    def advance(self, done: int, status: str = "") -> None:
        """Write a line if the last one is old enough."""
        if self.pause < math.inf and time.monotonic() - self.written >= self.pause:
            self.written = time.monotonic()
            self.message(f"{done:,} of {self.total:,} {self.unit}{status}")

    def show(self, table: Callable[[], "RenderableType"], line: str = "") -> None:
        """Write the line."""
        if line:
            self.message(line)


class LiveDisplay(Progress):
    """A bar or a table at the bottom of a terminal, below the messages; at the end, only a table stays."""

    def __init__(self) -> None:
        from rich.console import Console  # here, as reading one picture does not need it
        from rich.live import Live
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self.live = Live(console=Console(file=sys.stderr, highlight=False), refresh_per_second=5)
        self.bar = Bar(
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} {task.description}{task.fields[status]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        )
        self.shown = 0.0  # when the bar was last updated, in seconds

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop redrawing."""
        self.live.stop()

    def message(self, text: str) -> None:
        """Write a line above the bar."""
        self.live.console.print(text, markup=False, soft_wrap=True)

    def begin(self, total: int, done: int = 0, *, unit: str, pause: float = math.inf) -> None:
        """Draw the bar; what was done before does not count for the speed."""
        self.task = self.bar.add_task(unit, total=total, completed=done, status="")
        self.live.transient = True
        self._draw(self.bar)

    def advance(self, done: int, status: str = "") -> None:
        """Move the bar, five times a second at most."""
        if time.monotonic() - self.shown >= _PAUSE:
            self.shown = time.monotonic()
            self.bar.update(self.task, completed=done, status=status)

    def show(self, table: Callable[[], "RenderableType"], line: str = "") -> None:
        """Replace the table."""
        self._draw(table())

    def _draw(self, shown: "RenderableType") -> None:
        self.live.update(shown)
        self.live.start()  # not earlier: an empty display would leave an empty line


def make_progress(*, quiet: bool = False) -> Progress:
    """Choose the display: none, a live one on a terminal, plain lines elsewhere."""
    if quiet:
        return Progress()
    return LiveDisplay() if sys.stderr.isatty() else PlainLines()
