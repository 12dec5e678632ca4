"""What a person sees while trials run: validation alone, for the test waits for `compare`."""

import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, stdev

from rich.table import Table

from digitnet.progress import Progress
from digitnet.reporting.words import counted, duration
from digitnet.trials.journal import Entry
from digitnet.trials.plan import Plan

_SHOWN = 24  # variants in the table: more would not fit a screen


class TrialsStatus:
    """The variants with their present means, and how many trials are done, running, failed and left."""

    def __init__(self, plan: Plan, settled: Sequence[Entry], progress: Progress) -> None:
        self.seeds = len(plan.seeds)
        self.variant_of = {trial.name: trial.variant.name for trial in plan.trials()}
        self.accuracies: dict[str, list[float]] = defaultdict(list)
        self.running: set[str] = set()
        self.ended_before = self.count = len(settled)
        self.failed = 0
        self.began = time.monotonic()
        self.progress = progress
        for entry in settled:
            self._take_in(entry)
        line = f"{counted(plan.trial_count, 'trial')}, {len(settled):,} of them ended before."
        progress.show(self.table, line)

    def started(self, trial: str) -> None:
        """Count it as running."""
        self.running.add(trial)
        self.progress.show(self.table)

    def ended(self, entry: Entry) -> None:
        """Count it, and show the new mean."""
        self.running.discard(entry.trial)
        self.count += 1
        self._take_in(entry)
        how = f"failed: {entry.fault}" if entry.summary is None else f"validation {_validation(entry):.4f}"
        line = f"{self.count:>4,} of {len(self.variant_of):,}   {entry.trial}   {how}"
        self.progress.show(self.table, line)

    def table(self) -> Table:
        """Lay it out for a terminal."""
        table = Table(box=None, pad_edge=False, caption=self._caption(), caption_justify="left")
        table.add_column("variant")
        table.add_column("seeds", justify="right")
        table.add_column("validation accuracy", justify="right")
        names = list(dict.fromkeys(self.variant_of.values()))
        for name in names[:_SHOWN]:
            values = self.accuracies[name]
            spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
            shown = f"{mean(values):.4f}{spread}" if values else ""
            table.add_row(name, f"{len(values)} of {self.seeds}", shown)
        if len(names) > _SHOWN:
            table.add_row(f"and {len(names) - _SHOWN:,} more", "", "")
        return table

    def _take_in(self, entry: Entry) -> None:
        if entry.summary is None:
            self.failed += 1
        else:
            self.accuracies[self.variant_of.get(entry.trial, "")].append(_validation(entry))

    def _caption(self) -> str:
        done = sum(map(len, self.accuracies.values()))
        remaining = len(self.variant_of) - done - self.failed
        words = [f"{done:,} done", f"{len(self.running):,} running", f"{self.failed:,} failed"]
        if (ended_here := self.count - self.ended_before) and remaining:
            seconds = (time.monotonic() - self.began) / ended_here * remaining
            words.append(f"about {duration(seconds)} left")
        return ", ".join(words)


def _validation(entry: Entry) -> float:
    accuracy: float = (entry.summary or {})["validation"]["accuracy"]
    return accuracy
