"""One trial: a run that is trained and judged, in whatever process an engine gives it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.engines.engine import GRACE
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run, ValidationRow
from digitnet.training.train import train


@dataclass(frozen=True)
class Task:
    """A trial on its way to a worker: plain values only."""

    trial: str
    config: TrainConfig
    folder: str  # of its run; on a cluster, on a disk that all machines share


def run_trial(task: Task) -> dict[str, Any]:
    """Train and judge one trial, or go on with it, and return its summary.

    Does nothing for a run that is trained and judged already. Raises a child of DigitnetError when it fails, and
    Interrupted when its worker was asked to end: the state is saved, and the engine tries again.
    """
    run = train_task(task)
    if "test" not in run.summary:
        evaluate(run, _dataset(task.config))
    return run.summary


def train_task(task: Task, on_validation: Callable[[ValidationRow], None] | None = None) -> Run:
    """Train a trial's run, or go on with it; a finished one is only returned. Raises what `train` does."""
    resume = (Path(task.folder) / "config.toml").exists()
    if resume:
        _wait_for_predecessor(Path(task.folder))
    data = _dataset(task.config)
    return train(task.config, dataset=data, out=task.folder, resume=resume, on_validation=on_validation)


def _wait_for_predecessor(folder: Path) -> None:
    """Wait for a worker whose parent was killed: it saves its state, and ends within GRACE."""
    with suppress(Timeout), FileLock(folder / ".lock", timeout=GRACE):
        pass


def _dataset(config: TrainConfig) -> Dataset:
    return _load(config.images.data, config.images.validation_images)


@lru_cache(maxsize=2)
def _load(data: str, validation_images: int) -> Dataset:
    """Load the data once for each worker; all workers on a machine share the cache file's memory."""
    return load_dataset(data, validation_images=validation_images)
