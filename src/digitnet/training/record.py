"""Record training and validation metrics in metrics.jsonl."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict

import torch
from torch import Tensor

from digitnet.data.dataset import Dataset
from digitnet.errors import DivergedError, RunError
from digitnet.files import append, sha256, write_whole
from digitnet.metrics import accuracy, negative_log_likelihood
from digitnet.networks.predict import predict_logits
from digitnet.progress import Progress
from digitnet.run_folder import Run, TrainingRow, ValidationRow
from digitnet.tracking.tracker import Tracker
from digitnet.training.schedule import make_schedule
from digitnet.training.state import Checkpoint, TrainState, Window


def is_due(step: int, every: int, last: int) -> bool:
    """Tell whether something is due after `step` steps: every so many, or only after the last if `every` is 0."""
    return step == last or (every > 0 and step % every == 0)


class Recorder:
    """Receives the result of each step; this base class records nothing."""

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        """Receive a step's mean cross-entropy and number of correct answers, both from before its update."""


class RunRecorder(Recorder):
    """Records training and validation metrics in a run folder, and shows them."""

    def __init__(
        self,
        run: Run,
        dataset: Dataset,
        progress: Progress,
        on_validation: Callable[[ValidationRow], None] | None = None,
        tracker: Tracker | None = None,
    ) -> None:
        self.file = run.path / "metrics.jsonl"
        self.config = run.config
        self.schedule = make_schedule(run.config.optimisation)
        self.validation = dataset.validation
        self.classes = dataset.classes
        self.progress = progress
        self.on_validation = on_validation
        self.tracker = tracker or Tracker()
        self.accuracy = ""  # of training, for the progress line
        self.content = b""  # of the file, a few hundred lines

    def rewind(self, checkpoint: Checkpoint) -> None:
        """Go back to the metrics of a checkpoint; raise RunError when the file has been changed."""
        self.content = self.file.read_bytes()[: checkpoint.metrics_bytes] if self.file.exists() else b""
        if sha256(self.content) != checkpoint.metrics_sha256:
            raise RunError(f"{self.file}: does not match its checkpoint. Train again in a new folder.")

    def begin(self) -> None:
        """Rewrite the file without lines from after the checkpoint; their steps are taken again."""
        write_whole(self.file, self.content)

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        """Record a step, and validate when that is due; raise DivergedError when the loss is not finite."""
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
        if is_due(step, self.config.running.log_every, self.config.optimisation.steps):
            row = TrainingRow(
                step=step,
                loss=value,
                accuracy=int(correct) / images,
                mean_loss=window.loss / window.steps,
                mean_accuracy=window.correct / window.images,
                learning_rate=rate,
            )
            self._record(row)
            self.accuracy = f"   accuracy {row.mean_accuracy:.4f}"
            state.window = Window()
        if is_due(step, self.config.running.validate_every, self.config.optimisation.steps):
            validation = self._validate(state)
            self._record(validation)
            if self.on_validation:
                self.on_validation(validation)

    def _validate(self, state: TrainState) -> ValidationRow:
        logits = predict_logits(state.network, self.validation.images, self.classes)
        labels = self.validation.labels
        return ValidationRow(state.step, negative_log_likelihood(logits, labels), accuracy(logits, labels))

    def _record(self, row: TrainingRow | ValidationRow) -> None:
        line = json.dumps(asdict(row)).encode() + b"\n"
        self.content += line
        append(self.file, line)
        self.tracker.record(row)
        self.progress.message(describe(row))


def describe(row: TrainingRow | ValidationRow) -> str:
    """Describe a row in one line; for training, as the blog does, by accuracy and loss of the current batch."""
    if isinstance(row, TrainingRow):
        return f"step {row.step:>6,}   training accuracy {row.accuracy:.4f}   training loss {row.loss:.4f}"
    return (
        f"step {row.step:>6,}   validation accuracy {row.validation_accuracy:.4f}"
        f"   validation loss {row.validation_loss:.4f}"
    )


def count_correct(logits: Tensor, labels: Tensor) -> Tensor:
    """Count the rows of `logits` ``(B, K)`` whose largest entry is the label's."""
    return torch.count_nonzero(logits.argmax(dim=1) == labels)
