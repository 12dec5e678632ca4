"""One trial: a run that is trained and evaluated in a worker of an engine."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.engines.calls import describe
from digitnet.engines.engine import GRACE
from digitnet.errors import DataError, DeviceError, Interrupted, RunError, StorageError, UsageError
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run, ValidationRow
from digitnet.training.memory import keep_freed_memory
from digitnet.training.train import train
from digitnet.trials.journal import Entry, Journal
from digitnet.trials.plan import Fields

# Errors of the machine, the data or the plan, which would stop every further trial of a search too.
_SHARED_ERRORS = (DataError, DeviceError, RunError, StorageError, UsageError)


@dataclass(frozen=True)
class TrialTask:
    """What a worker needs to run a trial: plain values only."""

    trial: str
    config: TrainConfig
    folder: str  # of all trials; on a cluster, a folder that all machines share
    fields: Fields | None = None  # the sampled ones; such a trial is not evaluated on the test images
    prune: bool = False

    @property
    def run_path(self) -> Path:
        """Folder of its run."""
        return Path(self.folder) / "runs" / self.trial


class PrunedError(Exception):
    """The trial is worse than the median at that step."""


def run_trial(task: TrialTask) -> Entry | str:
    """Train and evaluate one trial, or continue it, and write into the journal how it ended.

    Returns the entry. For an error that would stop every trial, it returns a sentence, and the trial has not
    ended: the journal can't be written, or in a search also missing data and the like. Raises Interrupted if its
    worker was asked to end: the state is saved, and the engine tries again.
    """
    keep_freed_memory()  # its worker does nothing else
    _wait_for_predecessor(task.run_path)
    journal = Journal(Path(task.folder))
    known = journal.entries.get(task.trial)
    if known and known.state in ("done", "pruned"):
        return known
    try:
        entry = _try(task)
    except Interrupted:
        raise
    except Exception as error:
        if task.fields is not None and isinstance(error, _SHARED_ERRORS):
            return describe(error)
        entry = Entry(task.trial, error=describe(error), fields=task.fields)
    try:
        journal.write(entry)
    except StorageError as error:
        return describe(error)
    return entry


def _try(task: TrialTask) -> Entry:
    try:
        run = train_task(task)
    except PrunedError:
        return Entry(task.trial, fields=task.fields, validated=_validated(task))
    if task.fields is not None:
        return Entry(task.trial, run.summary, fields=task.fields, validated=_validated(task))
    if "test" not in run.summary:
        evaluate(run, _dataset(task.config))
    return Entry(task.trial, run.summary)


def train_task(task: TrialTask) -> Run:
    """Train a trial's run, or continue it; a finished one is only returned. Raises what `train` does."""
    resume = (task.run_path / "config.toml").exists()
    check = _make_pruner(task) if task.prune else None
    return train(task.config, dataset=_dataset(task.config), out=task.run_path, resume=resume, on_validation=check)


def _make_pruner(task: TrialTask) -> Callable[[ValidationRow], None]:
    from digitnet.trials.sampler import is_behind  # here, as only a search needs Optuna

    def prune(row: ValidationRow) -> None:
        entries = Journal(Path(task.folder)).entries.values()
        if row.step < task.config.optimisation.steps and is_behind(entries, _validated(task)):
            raise PrunedError

    return prune


def _validated(task: TrialTask) -> dict[int, float]:
    return {row.step: row.validation_accuracy for row in Run(task.run_path).history.validation}


def _wait_for_predecessor(folder: Path) -> None:
    """Wait for a worker whose parent was killed; it saves its state and ends within GRACE."""
    if folder.exists():
        with suppress(Timeout), FileLock(folder / ".lock", timeout=GRACE):
            pass


def _dataset(config: TrainConfig) -> Dataset:
    return _load(config.images.data, config.images.validation_images)


@lru_cache(maxsize=2)
def _load(data: str, validation_images: int) -> Dataset:
    """Load the data once in each worker; all workers of a machine share the memory of the cache file."""
    return load_dataset(data, validation_images=validation_images)
