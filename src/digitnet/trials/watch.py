"""What a person sees while trials run, on standard error: validation alone, for the test waits for `compare`."""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import mean, stdev
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from digitnet.reporting.words import counted, duration
from digitnet.trials.journal import Entry
from digitnet.trials.plan import Plan
from digitnet.watching import Onlooker

_SHOWN = 24  # variants in the live table: more would not fit a screen


class TrialsWatch(Onlooker):
    """Looks on while trials run, and shows nothing; its children show."""

    def begin(self, plan: Plan, settled: Sequence[Entry]) -> None:
        """Learn what will be run, and what has ended before."""

    def started(self, trial: str) -> None:
        """Learn that a trial was handed to a worker."""

    def ended(self, entry: Entry) -> None:
        """Learn how a trial ended."""


class Lines(TrialsWatch):
    """A plain line for each trial that ends, for logs and pipes."""

    def __init__(self) -> None:
        self.console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self.total = 0
        self.count = 0

    def begin(self, plan: Plan, settled: Sequence[Entry]) -> None:
        """Say how much there is."""
        self.total, self.count = plan.trial_count, len(settled)
        self.console.print(f"{counted(self.total, 'trial')}, {self.count:,} of them ended before.", markup=False)

    def ended(self, entry: Entry) -> None:
        """Say how a trial ended."""
        self.count += 1
        how = f"failed: {entry.fault}" if entry.summary is None else f"validation {_validation(entry):.4f}"
        self.console.print(f"{self.count:>4,} of {self.total:,}   {entry.trial}   {how}", markup=False)


class LiveTable(TrialsWatch):
    """A table of the variants with their present means, and under it what is done, running, failed and left."""

    def __init__(self) -> None:
        self.live = Live(console=Console(file=sys.stderr), refresh_per_second=2, transient=False)
        self.variant_of: dict[str, str] = {}
        self.accuracies: dict[str, list[float]] = defaultdict(list)
        self.seeds = 0
        self.handed_out: set[str] = set()
        self.ended_here = 0
        self.failed = 0
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

    def begin(self, plan: Plan, settled: Sequence[Entry]) -> None:
        """Show what is known already."""
        self.seeds = len(plan.seeds)
        self.variant_of = {trial.name: trial.variant.name for trial in plan.trials()}
        for entry in settled:
            self._take_in(entry)
        self._draw()

    def started(self, trial: str) -> None:
        """Count it as running."""
        self.handed_out.add(trial)
        self._draw()

    def ended(self, entry: Entry) -> None:
        """Count it, and show the new mean."""
        self.handed_out.discard(entry.trial)
        self.ended_here += 1
        self._take_in(entry)
        self._draw()

    def _take_in(self, entry: Entry) -> None:
        if entry.summary is None:
            self.failed += 1
        else:
            self.accuracies[self.variant_of.get(entry.trial, "")].append(_validation(entry))

    def _draw(self) -> None:
        table = Table(box=None, pad_edge=False, caption=self._progress(), caption_justify="left")
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
        self.live.update(table)

    def _progress(self) -> str:
        done = sum(map(len, self.accuracies.values()))
        remaining = len(self.variant_of) - done - self.failed
        words = [f"{done:,} done", f"{len(self.handed_out):,} running", f"{self.failed:,} failed"]
        if self.ended_here and remaining:
            seconds = (time.monotonic() - self.began) / self.ended_here * remaining
            words.append(f"about {duration(seconds)} left")
        return ", ".join(words)


def make_trials_watch(*, quiet: bool) -> TrialsWatch:
    """Choose what fits: nothing, a live table on a terminal, plain lines elsewhere."""
    if quiet:
        return TrialsWatch()
    return LiveTable() if sys.stderr.isatty() else Lines()


def _validation(entry: Entry) -> float:
    accuracy: float = (entry.summary or {})["validation"]["accuracy"]
    return accuracy
