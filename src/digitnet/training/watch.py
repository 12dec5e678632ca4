"""What a person sees of a run while it trains, on standard error; the answer goes to standard output."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from digitnet.config import TrainConfig
from digitnet.run_folder import TrainingRow, ValidationRow
from digitnet.watching import Onlooker


def describe(row: TrainingRow | ValidationRow) -> str:
    """Write a measurement as a line; for training it is the blog's: accuracy and loss of the present batch."""
    if isinstance(row, TrainingRow):
        return f"step {row.step:>6,}   training accuracy {row.accuracy:.4f}   training loss {row.loss:.4f}"
    return (
        f"step {row.step:>6,}   validation accuracy {row.validation_accuracy:.4f}"
        f"   validation loss {row.validation_loss:.4f}"
    )


class Watch(Onlooker):
    """Looks on while a run trains, and shows nothing; its children show."""

    def begin(self, config: TrainConfig, done: int) -> None:
        """Learn what will be run, and how many of its steps are done already."""

    def remark(self, text: str) -> None:
        """Show a sentence."""

    def step(self, step: int, loss: float) -> None:
        """Learn that a step was taken."""

    def row(self, row: TrainingRow | ValidationRow) -> None:
        """Learn what was measured."""


class Lines(Watch):
    """Plain lines, for logs and pipes."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def remark(self, text: str) -> None:
        """Show a sentence."""
        self.console.print(text, markup=False)

    def row(self, row: TrainingRow | ValidationRow) -> None:
        """Show a measurement."""
        self.console.print(describe(row), markup=False)


class Live(Lines):
    """A live line (steps, loss, accuracy, images a second, time left) under the lines of the blog."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = Progress(
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TextColumn("step {task.completed:,.0f} of {task.total:,.0f}"),
            TextColumn("{task.fields[latest]}"),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self.console,
            transient=True,
            refresh_per_second=5,
        )
        self.task = self.progress.add_task("", total=None, visible=False, latest="", speed="")
        self.images_per_step = 0
        self.shown = 0.0  # when the live line was last moved, in seconds
        self.accuracy = ""

    def __enter__(self) -> Self:
        """Begin to show."""
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the live line away; the lines above it stay."""
        self.progress.stop()

    def begin(self, config: TrainConfig, done: int) -> None:
        """Learn what will be run."""
        self.images_per_step = config.images_per_step
        self.progress.update(self.task, total=config.optimisation.steps, completed=done, visible=True)

    def step(self, step: int, loss: float) -> None:
        """Move the live line, five times a second at most: an update costs a tenth of a fast step."""
        now = time.monotonic()
        if now - self.shown < 0.2:
            return
        self.shown = now
        speed = self.progress.tasks[0].speed or 0.0
        self.progress.update(
            self.task,
            completed=step,
            latest=f"loss {loss:.3f}{self.accuracy}",
            speed=f"{speed * self.images_per_step:,.0f} images/s" if speed else "",
        )

    def row(self, row: TrainingRow | ValidationRow) -> None:
        """Show a measurement above the live line."""
        if isinstance(row, TrainingRow):
            self.accuracy = f"   accuracy {row.mean_accuracy:.4f}"
        super().row(row)


def make_watch(*, quiet: bool) -> Watch:
    """Choose what fits: nothing, a live line on a terminal, plain lines elsewhere."""
    if quiet:
        return Watch()
    return Live() if sys.stderr.isatty() else Lines()
