"""Run a plan: every trial once, on an engine, whatever interrupts it.

A trials folder holds:

    plan.toml                  the plan
    journal.jsonl              how each trial ended, and which fields were sampled for it
    runs/VARIANT/seed-N/       the run of each trial; runs/trial-NNN/ where variants are sampled
    comparison.html, .json and figures/*.png    the results of `digitnet compare`
    best.toml                  of a search: a plan that compares its best with the start, over fresh seeds
"""

import itertools
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from digitnet.data.load import load_dataset
from digitnet.engines.engine import Engine
from digitnet.engines.make import make_engine
from digitnet.errors import DigitnetError, RunError, UsageError
from digitnet.files import expand_home, make_folder, write_whole
from digitnet.progress import Progress
from digitnet.run_folder import Run, hold
from digitnet.training.session import check_recipe
from digitnet.trials.journal import Entry, Journal
from digitnet.trials.plan import Plan, Trial, read_plan_file
from digitnet.trials.status import Status
from digitnet.trials.trial import TrialTask, run_trial
from digitnet.wording import option

_FRESH_SEEDS = 10


@dataclass(frozen=True)
class TrialsFolder:
    """A folder of trials: the plan, its journal, and the runs."""

    path: Path
    plan: Plan

    @property
    def journal(self) -> Journal:
        """How the trials have ended so far."""
        return Journal(self.path)

    def run_path(self, trial: Trial) -> Path:
        """Return the folder of a trial's run."""
        return self.path / "runs" / trial.name

    def trials(self) -> Iterator[Trial]:
        """Return every trial of the plan; if variants are sampled, those that have been chosen so far."""
        if not self.plan.ranges:
            return self.plan.trials()
        return (self.plan.sample(entry.trial, entry.fields or {}) for entry in self.journal.entries.values())

    def task(self, trial: Trial) -> TrialTask:
        """Make the task that a worker gets for a trial."""
        fields = trial.variant.fields if self.plan.ranges else None
        return TrialTask(trial.name, trial.config, str(self.path.resolve()), fields, self.plan.prune)

    def finished_runs(self) -> dict[str, list[Run]]:
        """Return the finished runs of each variant, in the order of the plan's seeds."""
        done, runs = self.journal.done, dict[str, list[Run]]()
        for trial in self.trials():
            found = [Run(self.run_path(trial))] if trial.name in done else []
            runs.setdefault(trial.variant.name, []).extend(found)
        return runs

    @property
    def best(self) -> Entry | None:
        """The first trial with the best validation accuracy after its last step."""
        return max(self.journal.done.values(), key=lambda entry: entry.accuracy, default=None)


def open_folder(path: Path | str) -> TrialsFolder:
    """Open a trials folder; raise RunError if it is not one."""
    path = expand_home(path)
    _refuse_old_search(path)
    try:
        text = (path / "plan.toml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError.mismatch(
            path,
            expected="a trials folder with a plan.toml",
            found="none",
            remedy="Name a folder that `digitnet trials` made.",
        ) from error
    return TrialsFolder(path, Plan.from_toml(text, str(path / "plan.toml")))


def run_trials(
    plan: Plan | Path | str,
    out: Path | str,
    *,
    engine: Engine | str = "processes",
    progress: Progress | None = None,
    retry_failed: bool = False,
) -> TrialsFolder:
    """Run every trial of `plan` that has not ended yet, and return the folder `out`.

    `plan` may be the path of its file; `engine` is open, or the name of one that works only as long as this takes.
    A trial that fails is recorded with its reason and stops no other; `retry_failed` runs those again. Raises
    UsageError for a plan with ranges, and RunError when the folder belongs to another plan, or its finished runs
    to a preset that has changed since, or another process is running it.
    """
    plan = plan if isinstance(plan, Plan) else Plan.from_file(plan)
    if plan.ranges:
        raise UsageError(f"{plan.where}: samples its variants from ranges. Run: digitnet search {plan.where}")
    return _run(TrialsFolder(expand_home(out), plan), engine, progress or Progress(), retry_failed)


def search(
    plan: Plan | Path | str,
    out: Path | str,
    *,
    engine: Engine | str = "processes",
    progress: Progress | None = None,
) -> TrialsFolder:
    """Run the trials of a plan with ranges that have not ended yet, and return the folder `out`.

    Optuna chooses what each trial tries, and validation accuracy alone decides; the test images are not evaluated.
    A trial that fails is recorded with its reason and stops no other. With one worker, a search that was stopped
    and started again gives the same result as one that never stopped; with several, the choices also depend on the
    order in which trials end. Raises what `run_trials` does, UsageError for a value that names nothing, and
    DigitnetError for an error that would stop every trial.
    """
    plan = plan if isinstance(plan, Plan) else Plan.from_file(plan)
    if not plan.ranges:
        raise UsageError(f"{plan.where}: lists its variants. Run: digitnet trials {plan.where}")
    import digitnet.trials.sampler  # noqa: F401 - fails early without Optuna

    _check_names(plan)
    return _run(TrialsFolder(expand_home(out), plan), engine, progress or Progress(), retry_failed=False)


def _run(folder: TrialsFolder, engine: Engine | str, progress: Progress, retry_failed: bool) -> TrialsFolder:
    make_folder(folder.path)
    with hold(folder.path), progress:
        _claim(folder)
        _check_recipe(folder)
        retried = ("failed", "running") if retry_failed else ("running",)
        settled = {name: entry for name, entry in folder.journal.entries.items() if entry.state not in retried}
        status = Status(folder.plan, settled, progress)
        with make_engine(engine) if isinstance(engine, str) else nullcontext(engine) as runner:
            for outcome in runner.run(run_trial, _tasks(folder, settled, status)):
                entry, task = outcome.result, outcome.task
                if isinstance(entry, str):
                    raise DigitnetError(f"{task.trial}: {entry}")
                if entry is None:  # its worker died
                    entry = Entry(task.trial, error=outcome.error, fields=task.fields)
                    folder.journal.write(entry)
                status.ended(entry)
                _write_best(folder)
        _write_best(folder)
    return folder


def _tasks(folder: TrialsFolder, settled: dict[str, Entry], status: Status) -> Iterator[TrialTask]:
    """Yield the trials that have not ended; each is made when a worker is free for it."""
    for trial in itertools.chain(folder.trials(), _sample(folder)):
        if trial.name not in settled:
            status.started(trial.name)
            yield folder.task(trial)


def _sample(folder: TrialsFolder) -> Iterator[Trial]:
    """Choose new variants until the plan has as many as it samples, and write each choice into the journal."""
    while len(entries := (journal := folder.journal).entries) < folder.plan.samples:
        from digitnet.trials.sampler import choose  # here, as only a search needs Optuna

        trial = folder.plan.sample(f"trial-{len(entries):03d}", choose(folder.plan, entries.values()))
        journal.write(Entry(trial.name, fields=trial.variant.fields))
        yield trial


def _claim(folder: TrialsFolder) -> None:
    """Write the plan into a new folder; raise RunError if the folder has another one, or other files."""
    file, plan = folder.path / "plan.toml", folder.plan
    _refuse_old_search(folder.path)
    if not file.exists():
        if any(path.name != ".lock" for path in folder.path.iterdir()):
            raise RunError(f"{folder.path}: expected a new or an empty folder, found files. {_another()}")
        write_whole(file, plan.text)
    text = read_plan_file(file)
    if text == plan.text:
        return
    if Plan.from_toml(text, str(file)) != plan:
        free = "title and trials" if plan.ranges else "title and compare"
        raise RunError(
            f"{folder.path}: belongs to another plan (its plan.toml differs in more than {free}). {_another()}"
        )
    write_whole(file, plan.text)


def _another() -> str:
    return f"Name another with {option('out')}."


def _refuse_old_search(path: Path) -> None:
    """Raise RunError for a search of version 0.1, which was recorded in a file of Optuna's."""
    if (path / "search.toml").exists():
        raise RunError(
            f"{path}: holds a search of digitnet 0.1, which can't be continued. Compare its best with its start: "
            f"digitnet trials {path / 'best.toml'}. Or search again with another {option('out')}."
        )


def _check_recipe(folder: TrialsFolder) -> None:
    """Raise RunError if finished runs have other fields than the plan: a mean must be of one recipe."""
    done, checked = folder.journal.done, set[str]()
    for trial in folder.trials():
        if trial.name in done and trial.variant.name not in checked:
            checked.add(trial.variant.name)
            run = Run(folder.run_path(trial))
            if names := run.config.differences(trial.config):
                was, now = run.config, trial.config
                listed = ", ".join(f"{option(n, was.value(n))} (now {now.value(n)})" for n in names)
                unnamed = "preset" not in folder.plan.table  # version 0.1 began such a plan with the preset blog
                advice = f'Write preset = "blog" into it and {folder.path / "plan.toml"}. ' if unnamed else ""
                raise RunError(
                    f"{folder.path}: {trial.variant.name!r} was run with {listed}: the preset has changed. "
                    f"{advice}{_another()}"
                )


def _check_names(plan: Plan) -> None:
    """Check every name in the ranges: an unknown schedule would otherwise be found in the middle."""
    data = load_dataset(plan.start.images.data, validation_images=plan.start.images.validation_images)
    examples = [{name: value} for name, span in plan.ranges.items() for value in span.examples]
    for config in [plan.start, *(plan.start.with_values(fields, "[range]") for fields in examples)]:
        check_recipe(config, data)


def _write_best(folder: TrialsFolder) -> None:
    """Write the plan that compares the best trial of a search with the start, unless they are the same."""
    file, plan, best = folder.path / "best.toml", folder.plan, folder.best if folder.plan.ranges else None
    if best is None or plan.is_start(best.fields):
        file.unlink(missing_ok=True)
        return
    seeds = [seed for seed in range(_FRESH_SEEDS + 1) if seed != plan.seeds[0]][:_FRESH_SEEDS]
    values: dict[str, Any] = {
        "title": f"Is the best that the search found better than its start? {plan.title}".strip(),
        "preset": plan.table.get("preset", "fast"),
        "seeds": seeds,
        "base": plan.table.get("base", {}),
        "variant": [{"name": "start"}, {"name": "best", **(best.fields or {})}],
    }
    text = tomli_w.dumps(values)
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        write_whole(file, text)
