"""What is shown of trials while they run, and of a search at its end: validation accuracies only."""

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from rich.table import Table as LiveTable

from digitnet.errors import RunError
from digitnet.progress import Progress
from digitnet.reporting.tables import Table
from digitnet.reporting.words import counted, duration
from digitnet.trials.journal import Entry, Journal, State
from digitnet.trials.plan import Plan
from digitnet.trials.ranges import shown

if TYPE_CHECKING:
    from digitnet.trials.run import TrialsFolder

_MOST_VARIANTS, _MOST_SAMPLES = 24, 10  # rows of the table; more would not fit on a screen


class Status:
    """Counts the trials of a plan, and shows `progress` each one that starts or ends."""

    def __init__(self, plan: Plan, settled: Mapping[str, Entry], progress: Progress) -> None:
        self.plan = plan
        self.progress = progress
        self.entries = dict(settled)
        self.running: set[str] = set()
        self.variant_of = {} if plan.ranges else {trial.name: trial.variant.name for trial in plan.trials()}
        self.ended_before = len(settled)
        self.began = time.monotonic()
        line = f"{counted(plan.trial_count, 'trial')}, {len(settled):,} of them ended before."
        progress.show(self.table, line)

    def started(self, trial: str) -> None:
        """Count a trial as running."""
        self.running.add(trial)
        self.progress.show(self.table)

    def ended(self, entry: Entry) -> None:
        """Count a trial as ended, and show the result."""
        best = max((known.accuracy for known in self.entries.values()), default=-1.0)
        self.running.discard(entry.trial)
        self.entries[entry.trial] = entry
        parts = [f"{len(self.entries):>4,} of {self.plan.trial_count:,}", entry.trial, _outcome(entry)]
        if entry.fields is not None:
            parts.append(" ".join(f"{name}={short(value)}" for name, value in entry.fields.items()))
            parts += ["the best so far"] if entry.accuracy > best else []
        self.progress.show(self.table, "   ".join(parts))

    def table(self) -> LiveTable:
        """Make the table for a terminal: the best samples, or the mean of each variant, and the counts."""
        table = LiveTable(box=None, pad_edge=False, caption=self._caption(), caption_justify="left")
        heads, rows = self._samples() if self.plan.ranges else self._means()
        for k, head in enumerate(heads):
            table.add_column(head, justify="right" if k else "left")
        for row in rows:
            table.add_row(*row)
        return table

    def _means(self) -> tuple[list[str], list[list[str]]]:
        found: dict[str, list[float]] = defaultdict(list)
        for entry in self.entries.values():
            found[self.variant_of.get(entry.trial, "")] += [entry.accuracy] if entry.state == "done" else []
        names = list(dict.fromkeys(self.variant_of.values()))
        rows = [[name, f"{len(found[name])} of {len(self.plan.seeds)}", _mean(found[name])] for name in names]
        more = [[f"and {len(names) - _MOST_VARIANTS:,} more"]] if len(names) > _MOST_VARIANTS else []
        return ["variant", "seeds", "validation accuracy"], rows[:_MOST_VARIANTS] + more

    def _samples(self) -> tuple[list[str], list[list[str]]]:
        done = [entry for entry in self.entries.values() if entry.state == "done"]
        done.sort(key=lambda entry: (-entry.accuracy, entry.trial))
        rows = [
            [
                entry.trial,
                *(short((entry.fields or {})[name]) for name in self.plan.ranges),
                f"{entry.accuracy:.4f}",
            ]
            for entry in done[:_MOST_SAMPLES]
        ]
        return ["best so far", *self.plan.ranges, "validation accuracy"], rows

    def _caption(self) -> str:
        words = [*_count(self.entries), f"{len(self.running):,} running"]
        remaining = self.plan.trial_count - len(self.entries)
        if (ended_here := len(self.entries) - self.ended_before) and remaining > 0:
            seconds = (time.monotonic() - self.began) / ended_here * remaining
            words.append(f"about {duration(seconds)} left")
        return ", ".join(words)


def describe_search(folder: "TrialsFolder") -> str:
    """Describe how a search ended, its best trial, the fields that mattered, and what to make of it.

    Raises RunError if no trial ran to its end.
    """
    plan, journal, best = folder.plan, folder.journal, folder.best
    failures = [f"The first failure, {name}: {entry.error}" for name, entry in journal.failed.items()][:1]
    if best is None:
        advice = (failures or ["Continue the search."])[0]
        raise RunError(f"{folder.path}: expected a trial that ran to its end, found none. {advice}")
    ended = {name: entry for name, entry in journal.entries.items() if entry.state != "running"}
    total = max(plan.samples, len(journal.entries))
    counts = f"{len(ended):,} of {total:,} trials have ended: {', '.join(_count(ended))}."
    caution = (
        "No trial was better on validation than the start. Widen the ranges, or run more trials."
        if plan.is_start(best.fields)
        else "The validation accuracy of the best of many trials is optimistic."
    )
    return "\n".join([counts, *failures, _best_and_start(plan, journal, best), *_mattered(plan, journal), caution])


def _best_and_start(plan: Plan, journal: Journal, best: Entry) -> str:
    """Compare the best trial with the start, which is the first trial if it lies in the ranges."""
    first, fields = next(iter(journal.entries.values())), best.fields or {}
    known = first.state == "done" and plan.is_start(first.fields)
    rows = [(name, short(fields[name]), short(plan.start.value(name))) for name in plan.ranges]
    accuracy = ("validation accuracy", f"{best.accuracy:.4f}", f"{first.accuracy:.4f}" if known else "not tried")
    return Table("The best on validation:", ("", f"best, {best.trial}", "start"), (*rows, accuracy)).to_text()


def _mattered(plan: Plan, journal: Journal) -> list[str]:
    from digitnet.trials.sampler import importances  # here, as only a search needs Optuna

    importance = [f"{name} {value:.0%}" for name, value in importances(plan, journal.entries.values()).items()]
    return [f"What mattered (PED-ANOVA over the complete trials): {', '.join(importance)}."] if importance else []


def short(value: Any) -> str:
    """Write a field's value for a table: ``0.00213``, ``128``, ``16-32``."""
    return f"{value:.3g}" if isinstance(value, float) else shown(value)


def _count(entries: Mapping[str, Entry]) -> list[str]:
    """Count how trials ended; pruned ones only if there are any."""
    counts = Counter(entry.state for entry in entries.values())
    states: tuple[State, ...] = ("done", "pruned", "failed")
    return [f"{counts[state]:,} {state}" for state in states if counts[state] or state != "pruned"]


def _mean(values: list[float]) -> str:
    deviation = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
    return f"{mean(values):.4f}{deviation}" if values else ""


def _outcome(entry: Entry) -> str:
    if entry.error is not None:
        return f"failed: {entry.error}"
    if entry.state == "pruned":
        step, accuracy = list((entry.validated or {}).items())[-1]
        return f"pruned at step {step:,}, validation {accuracy:.4f}"
    return f"validation {entry.accuracy:.4f}"
