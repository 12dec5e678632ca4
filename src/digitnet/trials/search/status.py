"""What a person sees while a search runs: validation alone."""

import time
from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState
from rich.table import Table

from digitnet.progress import Progress
from digitnet.reporting.words import counted, duration
from digitnet.trials.search.plan import Search

_SHOWN = 10  # trials in the table


def trial_name(number: int) -> str:
    """Name a trial by Optuna's number for it."""
    return f"trial-{number:03d}"


class SearchStatus:
    """The best trials so far, and how many are complete, pruned, running, failed and left."""

    def __init__(self, search: Search, before: Sequence[FrozenTrial], progress: Progress) -> None:
        self.trials = {trial.number: trial for trial in before if trial.state.is_finished()}
        self.fields, self.total = list(search.ranges), search.trials
        self.ended_before = self.count = len(self.trials)
        self.best = max(map(_accuracy, self.trials.values()), default=-1.0)
        self.began = time.monotonic()
        self.progress = progress
        progress.show(self.table, f"{counted(self.total, 'trial')}, {self.count:,} of them ended before.")

    def started(self, trial: FrozenTrial) -> None:
        """Count it as running."""
        self.trials[trial.number] = trial
        self.progress.show(self.table)

    def ended(self, trial: FrozenTrial) -> None:
        """Give it its place."""
        self.count += 1
        self.trials[trial.number] = trial
        best = "   the best so far" if _accuracy(trial) > self.best else ""
        self.best = max(self.best, _accuracy(trial))
        name = trial_name(trial.number)
        line = f"{self.count:>4,} of {self.total:,}   {name}   {_how(trial)}   {_what(trial)}{best}"
        self.progress.show(self.table, line)

    def table(self) -> Table:
        """Lay it out for a terminal."""
        table = Table(box=None, pad_edge=False, caption=self._caption(), caption_justify="left")
        table.add_column("best so far")
        for name in (*self.fields, "validation accuracy"):
            table.add_column(name, justify="right")
        done = [trial for trial in self.trials.values() if trial.state is TrialState.COMPLETE]
        for trial in sorted(done, key=lambda trial: (-_accuracy(trial), trial.number))[:_SHOWN]:
            values = (short(trial.params[name]) for name in self.fields)
            table.add_row(trial_name(trial.number), *values, f"{_accuracy(trial):.4f}")
        return table

    def _caption(self) -> str:
        words = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}
        counts = {word: sum(t.state is state for t in self.trials.values()) for word, state in words.items()}
        running = len(self.trials) - sum(counts.values())
        shown = [f"{count:,} {word}" for word, count in {**counts, "running": running}.items()]
        remaining = self.total - sum(counts.values())
        if (ended_here := self.count - self.ended_before) and remaining > 0:
            seconds = (time.monotonic() - self.began) / ended_here * remaining
            shown.append(f"about {duration(seconds)} left")
        return ", ".join(shown)


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
