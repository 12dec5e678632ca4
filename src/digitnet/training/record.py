"""Measurements on their way to metrics.jsonl, and the one answer to "is it time?"."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Protocol

import torch
from torch import Tensor

from digitnet.data.dataset import Dataset
from digitnet.errors import DivergedError, RunError
from digitnet.files import append, sha256, write_whole
from digitnet.metrics import accuracy, negative_log_likelihood
from digitnet.networks.predict import predict_logits
from digitnet.progress import Progress
from digitnet.run_folder import Run, TrainingRow, ValidationRow
from digitnet.training.schedule import make_schedule
from digitnet.training.state import Checkpoint, TrainState, Window


def is_time(step: int, every: int, last: int) -> bool:
    """Tell whether what happens every so many steps, and after the last one, happens after `step` of them.

    With `every` 0 it happens after the last alone.
    """
    return step == last or (every > 0 and step % every == 0)


class Recorder(Protocol):
    """Receives the result of each step."""

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        """Receive the mean cross-entropy and the count of correct answers of a step, from before its update."""


class NoRecorder:
    """Keeps nothing: for measurements, and for loops of one's own."""

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        """Nothing to do."""


class RunRecorder:
    """Keeps the training and validation measurements in a run folder, and shows them."""

    def __init__(
        self,
        run: Run,
        dataset: Dataset,
        progress: Progress,
        on_validation: Callable[[ValidationRow], None] | None = None,
    ) -> None:
        self.file = run.path / "metrics.jsonl"
        self.config = run.config
        self.schedule = make_schedule(run.config.optimisation)
        self.validation = dataset.validation
        self.classes = dataset.classes
        self.progress = progress
        self.on_validation = on_validation
        self.accuracy = ""  # of training, for the live line
        self.content = b""  # of the file; a few hundred lines

    def rewind(self, checkpoint: Checkpoint) -> None:
        """Go back to the measurements that a checkpoint knows of; raise RunError when they were changed."""
        self.content = self.file.read_bytes()[: checkpoint.metrics_bytes] if self.file.exists() else b""
        if sha256(self.content) != checkpoint.metrics_sha256:
            raise RunError(f"{self.file}: is not what the checkpoint was saved with. Train again in a new folder.")

    def begin(self) -> None:
        """Make the file hold exactly what is known; lines from after the checkpoint will be measured again."""
        write_whole(self.file, self.content)

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        """Receive the mean cross-entropy and the count of correct answers of a step, from before its update.

        Raises DivergedError when the loss is not finite.
        """
        value, step = float(loss), state.step
        rate = self.schedule(step - 1)
        if not math.isfinite(value):
            raise DivergedError(f"The loss became {value} at step {step:,}, at a learning rate of {rate:g}.")
        window = state.window
        window.steps += 1
        window.images += images
        window.loss += value
        window.correct += int(correct)
        speed = step * self.config.images_per_step / state.seconds
        self.progress.advance(step, f"   loss {value:.3f}{self.accuracy}   {speed:,.0f} images/s")
        if is_time(step, self.config.running.log_every, self.config.optimisation.steps):
            row = TrainingRow(
                step=step,
                loss=value,
                accuracy=int(correct) / images,
                mean_loss=window.loss / window.steps,
                mean_accuracy=window.correct / window.images,
                learning_rate=rate,
            )
            self._keep(row)
            self.accuracy = f"   accuracy {row.mean_accuracy:.4f}"
            state.window = Window()
        if is_time(step, self.config.running.validate_every, self.config.optimisation.steps):
            validated = self._validate(state)
            self._keep(validated)
            if self.on_validation:
                self.on_validation(validated)

    def _validate(self, state: TrainState) -> ValidationRow:
        logits = predict_logits(state.network, self.validation.images, self.classes)
        labels = self.validation.labels
        return ValidationRow(state.step, negative_log_likelihood(logits, labels), accuracy(logits, labels))

    def _keep(self, row: TrainingRow | ValidationRow) -> None:
        line = json.dumps(asdict(row)).encode() + b"\n"
        self.content += line
        append(self.file, line)
        self.progress.message(describe(row))


def describe(row: TrainingRow | ValidationRow) -> str:
    """Write a measurement as a line; for training it is the blog's: accuracy and loss of the present batch."""
    if isinstance(row, TrainingRow):
        return f"step {row.step:>6,}   training accuracy {row.accuracy:.4f}   training loss {row.loss:.4f}"
    return (
        f"step {row.step:>6,}   validation accuracy {row.validation_accuracy:.4f}"
        f"   validation loss {row.validation_loss:.4f}"
    )


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Count the rows of `logits` ``(B, K)`` whose largest entry is the label's."""
    return torch.count_nonzero(logits.argmax(dim=1) == labels)
