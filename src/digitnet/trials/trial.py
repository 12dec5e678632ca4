"""One trial: a run that is trained and judged, in whatever process an engine gives it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.evaluation.evaluate import evaluate
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
    dataset = _dataset(task.config.data, task.config.validation_images)
    resume = (Path(task.folder) / "config.toml").exists()
    run = train(task.config, dataset=dataset, out=task.folder, resume=resume)
    if "test" not in run.summary:
        evaluate(run, dataset)
    return run.summary


@lru_cache(maxsize=2)
def _dataset(data: str, validation_images: int) -> Dataset:
    """Load the data once for each worker; all workers on a machine share the cache file's memory."""
    return load_dataset(data, validation_images=validation_images)
