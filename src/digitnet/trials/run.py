"""Run a plan: every trial once, on an engine, whatever interrupts it.

A trials folder holds all of it:

    plan.toml                  the plan
    journal.jsonl              how each trial ended
    runs/VARIANT/seed-N/       the run of each trial
    comparison.json, .md and figures/*.png    what `digitnet compare` found
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from digitnet.checks import flag
from digitnet.engines.engine import Engine
from digitnet.errors import RunError
from digitnet.files import make_folder, write_whole
from digitnet.progress import Progress
from digitnet.run_folder import Run, hold
from digitnet.trials.journal import Entry, Journal
from digitnet.trials.plan import Plan, Trial, read_plan_file
from digitnet.trials.status import TrialsStatus
from digitnet.trials.trial import Task, run_trial


@dataclass(frozen=True)
class TrialsFolder:
    """A folder of trials: the plan, what became of it, and the runs."""

    path: Path
    plan: Plan

    @property
    def journal(self) -> Journal:
        """How the trials ended so far."""
        return Journal(self.path)

    def run_path(self, trial: Trial) -> Path:
        """Folder of a trial's run."""
        return self.path / "runs" / trial.name

    def finished_runs(self) -> dict[str, list[Run]]:
        """The finished runs of each variant, in the order of the plan's seeds."""
        done = self.journal.done
        return {
            variant.name: [
                Run(self.run_path(trial))
                for trial in (Trial(variant, seed) for seed in self.plan.seeds)
                if trial.name in done
            ]
            for variant in self.plan.variants
        }


def open_folder(path: Path | str) -> TrialsFolder:
    """Open a trials folder; raise RunError when it is none."""
    file = Path(path) / "plan.toml"
    if (Path(path) / "search.toml").exists():
        raise RunError(
            f"{path}: holds a search, whose trials were not judged on the test images. Compare the best one with "
            f"the start: digitnet trials {Path(path) / 'best.toml'}"
        )
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise RunError.mismatch(
            path,
            expected="a trials folder with a plan.toml",
            found="none",
            remedy="Name a folder that `digitnet trials` made.",
        ) from fault
    return TrialsFolder(Path(path), Plan.from_toml(text, str(file)))


def run_trials(
    plan: Plan, path: Path | str, engine: Engine, *, progress: Progress | None = None, retry_failed: bool = False
) -> TrialsFolder:
    """Run every trial of `plan` that has not ended yet, and return the folder.

    A trial that fails is recorded with its reason and stops no other; `retry_failed` runs those again. Raises
    RunError when the folder belongs to another plan, or its finished runs to a preset that has changed since, or
    another process is running it.
    """
    progress = progress or Progress()
    folder = TrialsFolder(make_folder(Path(path)), plan)
    with hold(folder.path), progress:
        if claim(folder.path / "plan.toml", plan.text) != plan.text:
            raise RunError(f"{path}: belongs to another plan (its plan.toml differs). {ANOTHER}")
        journal = folder.journal
        _check_recipe(folder)
        settled = journal.done if retry_failed else dict(journal.entries)
        status = TrialsStatus(plan, list(settled.values()), progress)
        tasks = _tasks(folder, set(settled), status)
        for outcome in engine.run(run_trial, tasks):
            entry = Entry(outcome.task.trial, outcome.result, outcome.error)
            journal.write(entry)
            status.ended(entry)
    return folder


def _check_recipe(folder: TrialsFolder) -> None:
    """Raise RunError where the finished runs were made with other fields: no mean may be of two recipes."""
    finished = folder.finished_runs()
    for variant in folder.plan.variants:
        for run in finished[variant.name][:1]:
            now = replace(variant.config, seed=run.config.seed)
            if names := run.config.differences(now):
                listed = ", ".join(f"{flag(n)} {run.config.value(n)} (now {now.value(n)})" for n in names)
                raise RunError(
                    f"{folder.path}: {variant.name!r} was run with {listed}: the preset has changed. {ANOTHER}"
                )


def _tasks(folder: TrialsFolder, settled: set[str], status: TrialsStatus) -> Iterator[Task]:
    for trial in folder.plan.trials():
        if trial.name not in settled:
            status.started(trial.name)
            yield Task(trial.name, trial.config, str(folder.run_path(trial).resolve()))


ANOTHER = "Name another with --out."


def claim(file: Path, text: str) -> str:
    """Return what `file` says, the plan of its folder; write `text` first where the folder is new.

    Raises RunError when the folder has no plan and yet holds files.
    """
    if not file.exists():
        if any(path.name != ".lock" for path in file.parent.iterdir()):
            raise RunError(f"{file.parent}: expected a new or an empty folder, found files. {ANOTHER}")
        write_whole(file, text)
    return read_plan_file(file)
