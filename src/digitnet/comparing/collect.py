"""The measurements of the finished runs of a plan, by variant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Any, Literal

import numpy as np

from digitnet.comparing.statistics import Bools
from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import Evaluation, load_evaluation
from digitnet.metrics import calibration_error, negative_log_likelihood
from digitnet.run_folder import Run
from digitnet.trials.ranges import shown

Measure = Literal["validation", "test"]
"""The images on which accuracy is measured."""

LAST_VALIDATIONS = 5
"""Validations at the end of a run whose mean is less a matter of luck than the accuracy after the last step."""


@dataclass(frozen=True)
class VariantResults:
    """The measurements of a variant's finished trials; position k of each belongs to the same seed."""

    name: str
    fields: dict[str, object]  # in which it differs from the other variants
    seeds: tuple[int, ...]  # empty if no trial has finished
    validation: tuple[float, ...]  # accuracy, 0 to 1
    test: tuple[float, ...]  # accuracy, 0 to 1
    seconds: tuple[float, ...]  # of training
    parameters: int  # 0 if no trial has finished
    # accuracy, 0 to 1: the mean of the last validations of a run
    late_validation: tuple[float, ...] = ()
    # what else was measured of each run, by the names of the columns of `rows`
    measurements: tuple[Mapping[str, float | None], ...] = field(default=(), compare=False, repr=False)
    # (seeds, N): which test images were read correctly
    correct: Bools | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ValueError unless there is one value of everything for each seed."""
        found = {len(self.seeds), len(set(self.seeds)), len(self.validation), len(self.test), len(self.seconds)}
        if self.late_validation:
            found.add(len(self.late_validation))
        if self.measurements:
            found.add(len(self.measurements))
        if self.correct is not None:
            found.add(len(self.correct))
        if len(found) > 1:
            raise ValueError(f"{self.name}: expected one value for each of different seeds, found {found} of them")

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each seed: text, numbers, true and false alone; a list such as filters is ``16-32``."""
        fields = {name: shown(v) if isinstance(v, tuple | list) else v for name, v in self.fields.items()}
        for k, seed in enumerate(self.seeds):
            yield {
                "variant": self.name,
                **fields,
                "seed": seed,
                "test_accuracy": self.test[k],
                "validation_accuracy": self.validation[k],
                "late_validation_accuracy": self.late_validation[k] if self.late_validation else None,
                **(self.measurements[k] if self.measurements else {}),
                "seconds": self.seconds[k],
                "parameters": self.parameters,
            }


def collect(runs: Mapping[str, Sequence[Run]], dataset: Dataset | None = None) -> list[VariantResults]:
    """Read the finished runs of each variant, and evaluate those that have not been evaluated.

    The fields of a variant are those in which the configurations of these runs differ. `dataset` saves loading the
    data, which otherwise happens once. Raises RunError for a damaged run, or one that was trained on other data.
    """
    every = [run for several in runs.values() for run in several]
    varied = {name for run in every for name in run.config.differences(every[0].config)} - {"seed"}
    same_images = len({run.environment.get("data_fingerprint") for run in every}) <= 1

    loaded: dict[tuple[str, int], Dataset] = {}

    def evaluation(run: Run) -> Evaluation:
        asked = run.config.images.data, run.config.images.validation_images
        if asked not in loaded:
            loaded[asked] = dataset or run.dataset
        return load_evaluation(run, loaded[asked])

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
                late_validation=tuple(_late_validation(run) for run in done),
                measurements=tuple(_measure(run, e) for run, e in zip(done, evaluated, strict=True)),
                correct=np.array(correct) if same_images and done else None,
            )
        )
    return results


def _measure(run: Run, evaluation: Evaluation) -> dict[str, float | None]:
    return {
        "test_mistakes": evaluation.images - evaluation.correct,
        "test_loss": negative_log_likelihood(evaluation.logits, evaluation.labels),
        "test_calibration_error": calibration_error(evaluation.logits, evaluation.labels),
        "validation_loss": run.summary["validation"]["loss"],
        "images_per_second": run.summary["images_per_second"],
        "peak_memory_bytes": run.summary.get("peak_memory_bytes"),
    }


def _late_validation(run: Run) -> float:
    rows = run.history.validation[-LAST_VALIDATIONS:]
    return mean(row.validation_accuracy for row in rows) if rows else run.summary["validation"]["accuracy"]
