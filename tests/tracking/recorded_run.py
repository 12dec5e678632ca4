"""What metrics.jsonl has of a run, and ways to end its training early."""

import signal
from collections.abc import Callable

from digitnet.progress import Progress
from digitnet.run_folder import Run

Curves = dict[str, list[tuple[int, float]]]


def recorded(run: Run) -> Curves:
    """The steps and values of every curve."""
    training, validation = run.history.training, run.history.validation
    return {
        "loss/training": [(row.step, row.mean_loss) for row in training],
        "accuracy/training": [(row.step, row.mean_accuracy) for row in training],
        "learning_rate": [(row.step, row.learning_rate) for row in training],
        "loss/validation": [(row.step, row.validation_loss) for row in validation],
        "accuracy/validation": [(row.step, row.validation_accuracy) for row in validation],
    }


class Calling(Progress):
    """Calls something after a step, and keeps the messages."""

    def __init__(self, step: int, call: Callable[[], object]) -> None:
        self.step, self.call = step, call
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)

    def advance(self, done: int, status: str = "") -> None:
        if done == self.step:
            self.call()


def interrupting(step: int) -> Progress:
    """Press Ctrl-C after a step."""
    return Calling(step, lambda: signal.raise_signal(signal.SIGINT))


def failing(step: int) -> Progress:
    """End the training after a step as a bug would, without saving."""
    return Calling(step, lambda: 1 // 0)
