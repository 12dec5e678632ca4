"""What the finished runs of a plan measured, variant by variant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.evaluation.evaluate import Evaluation, load_evaluation
from digitnet.run_folder import Run
from digitnet.trials.statistics import Bools


@dataclass(frozen=True)
class VariantResults:
    """What the finished trials of a variant measured: position k of each is the same seed's."""

    name: str
    fields: dict[str, object]  # what sets it apart
    seeds: tuple[int, ...]  # empty where no trial has finished
    validation: tuple[float, ...]  # accuracy, 0 to 1
    test: tuple[float, ...]  # accuracy, 0 to 1
    seconds: tuple[float, ...]  # of training
    parameters: int  # 0 where no trial has finished
    correct: Bools | None = field(
        default=None, compare=False, repr=False
    )  # (seeds, N): test images read correctly

    def __post_init__(self) -> None:
        """Raise ValueError unless everything is there once for each seed."""
        found = {len(self.seeds), len(set(self.seeds)), len(self.validation), len(self.test), len(self.seconds)}
        if self.correct is not None:
            found.add(len(self.correct))
        if len(found) > 1:
            raise ValueError(f"{self.name}: expected one value for each of different seeds, found {found} of them")


def collect(runs: Mapping[str, Sequence[Run]], dataset: Dataset | None = None) -> list[VariantResults]:
    """Read the finished ones of the `runs` of each variant, and evaluate those that were not evaluated yet.

    A variant's fields are those in which the configurations of all these runs differ. `dataset` saves reading the
    data, which is else done once. Raises RunError for a damaged run, or one that was trained on other data.
    """
    every = [run for several in runs.values() for run in several]
    varied = {name for run in every for name in run.config.differences(every[0].config)} - {"seed"}
    same_images = len({run.environment.get("data_fingerprint") for run in every}) <= 1

    @cache
    def load(data: str, validation_images: int) -> Dataset:
        return dataset or load_dataset(data, validation_images=validation_images)

    def evaluation(run: Run) -> Evaluation:
        return load_evaluation(run, load(run.config.images.data, run.config.images.validation_images))

    results = []
    for name, several in runs.items():
        done = [run for run in several if run.is_finished]
        evaluated = [evaluation(run) for run in done]
        correct = [e.logits.argmax(axis=1) == e.labels for e in evaluated]
        results.append(
            VariantResults(
                name=name,
                fields={key: run.config.value(key) for run in several[:1] for key in sorted(varied)},
                seeds=tuple(run.config.seed for run in done),
                validation=tuple(run.summary["validation"]["accuracy"] for run in done),
                test=tuple(e.accuracy for e in evaluated),
                seconds=tuple(run.summary["seconds"] for run in done),
                parameters=done[0].summary["parameters"] if done else 0,
                correct=np.array(correct) if same_images and done else None,
            )
        )
    return results
