"""What a person sees while a search runs, on standard error: validation alone."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.live import Live
from rich.table import Table

from digitnet.reporting.words import counted, duration
from digitnet.trials.search.plan import Search
from digitnet.watching import Onlooker

_SHOWN = 10  # trials in the live table


def trial_name(number: int) -> str:
    """Name a trial by Optuna's number for it."""
    return f"trial-{number:03d}"


class SearchWatch(Onlooker):
    """Looks on while a search runs, and shows nothing; its children show."""

    def begin(self, search: Search, before: Sequence[FrozenTrial]) -> None:
        """Learn what is searched, and which trials were begun before."""

    def started(self, trial: FrozenTrial) -> None:
        """Learn that a trial was handed to a worker."""

    def ended(self, trial: FrozenTrial) -> None:
        """Learn how a trial ended."""


class Lines(SearchWatch):
    """A plain line for each trial that ends, for logs and pipes."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self.total = 0
        self.count = 0
        self.best = -1.0

    def begin(self, search: Search, before: Sequence[FrozenTrial]) -> None:
        """Say how much there is."""
        ended = [trial for trial in before if trial.state.is_finished()]
        self.total, self.count = search.trials, len(ended)
        self.best = max((_accuracy(trial) for trial in ended), default=self.best)
        self.console.print(f"{counted(self.total, 'trial')}, {self.count:,} of them ended before.", markup=False)

    def ended(self, trial: FrozenTrial) -> None:
        """Say how a trial ended."""
        self.count += 1
        best = "   the best so far" if _accuracy(trial) > self.best else ""
        self.best = max(self.best, _accuracy(trial))
        name = trial_name(trial.number)
        line = f"{self.count:>4,} of {self.total:,}   {name}   {_how(trial)}   {_what(trial)}{best}"
        self.console.print(line, markup=False)


class LiveTable(SearchWatch):
    """A table of the best trials so far, and under it how many are complete, pruned, running, failed and left."""

    def __init__(self) -> None:
        self.live = Live(console=Console(file=sys.stderr), refresh_per_second=2, transient=False)
        self.trials: dict[int, FrozenTrial] = {}
        self.fields: list[str] = []
        self.total = 0
        self.ended_here = 0
        self.began = time.monotonic()

    def __enter__(self) -> Self:
        """Begin to show."""
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop redrawing; the last table stays."""
        self.live.stop()

    def begin(self, search: Search, before: Sequence[FrozenTrial]) -> None:
        """Show what is known already."""
        self.fields, self.total = list(search.ranges), search.trials
        self.trials = {trial.number: trial for trial in before if trial.state.is_finished()}
        self._draw()

    def started(self, trial: FrozenTrial) -> None:
        """Count it as running."""
        self.trials[trial.number] = trial
        self._draw()

    def ended(self, trial: FrozenTrial) -> None:
        """Give it its place."""
        self.ended_here += 1
        self.trials[trial.number] = trial
        self._draw()

    def _draw(self) -> None:
        table = Table(box=None, pad_edge=False, caption=self._progress(), caption_justify="left")
        table.add_column("best so far")
        for name in (*self.fields, "validation accuracy"):
            table.add_column(name, justify="right")
        done = [trial for trial in self.trials.values() if trial.state is TrialState.COMPLETE]
        for trial in sorted(done, key=lambda trial: (-_accuracy(trial), trial.number))[:_SHOWN]:
            values = (short(trial.params[name]) for name in self.fields)
            table.add_row(trial_name(trial.number), *values, f"{_accuracy(trial):.4f}")
        self.live.update(table)

    def _progress(self) -> str:
        words = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        counts = {word: sum(t.state is state for t in self.trials.values()) for word, state in words.items()}
        running = len(self.trials) - sum(counts.values())
        shown = [f"{count:,} {word}" for word, count in {**counts, "running": running}.items()]
        remaining = self.total - sum(counts.values())
        if self.ended_here and remaining > 0:
            seconds = (time.monotonic() - self.began) / self.ended_here * remaining
            shown.append(f"about {duration(seconds)} left")
        return ", ".join(shown)


def make_search_watch(*, quiet: bool) -> SearchWatch:
    """Choose what fits: nothing, a live table on a terminal, plain lines elsewhere."""
    if quiet:
        return SearchWatch()
    return LiveTable() if sys.stderr.isatty() else Lines()


def short(param: object) -> str:
    """Write a value for a table: ``0.00213``, ``128``, ``16-32``."""
    return f"{param:.3g}" if isinstance(param, float) else str(param)


def _accuracy(trial: FrozenTrial) -> float:
    """Validation accuracy of a trial that ran to its end; -1 for any other."""
    return trial.value if trial.state is TrialState.COMPLETE and trial.value is not None else -1.0


def _how(trial: FrozenTrial) -> str:
    if trial.state is TrialState.FAIL:
        return f"failed: {trial.user_attrs['fault']}"
    early = f"pruned at step {trial.last_step:,}, " if trial.state is TrialState.PRUNED else ""
    return f"{early}validation {trial.value:.4f}"


def _what(trial: FrozenTrial) -> str:
    return " ".join(f"{name}={short(value)}" for name, value in trial.params.items())
