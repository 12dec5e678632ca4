"""What every tracker does, and the one that does nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from digitnet.config import FIELDS, TrainConfig
from digitnet.errors import Interrupted
from digitnet.run_folder import Run, TrainingRow, ValidationRow

Status = Literal["FINISHED", "KILLED", "FAILED"]
"""How a run ended, in MLflow's words; KILLED is one that a signal stopped."""

VALIDATION_ACCURACY = "accuracy/validation"
TEST_ACCURACY = "accuracy/test"


class Tracker:
    """Shows the measurements of a run outside its folder; this base class shows them nowhere."""

    name = ""
    """As in TRACKERS."""

    def begin(self, run: Run) -> None:
        """Begin with what the run has measured so far; a run that was tracked before is continued."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Show measurements that were made after `step` steps, by their names."""

    def end(self, status: Status) -> None:
        """Say how the run ended; more may be logged afterwards, followed by another end."""

    @contextmanager
    def follow(self, run: Run) -> Iterator[None]:
        """Begin, and say at the end of the block how it ended."""
        self.begin(run)
        try:
            yield
        except (Interrupted, KeyboardInterrupt):
            self.end("KILLED")
            raise
        except BaseException:
            self.end("FAILED")
            raise
        self.end("FINISHED")

    def record(self, row: TrainingRow | ValidationRow) -> None:
        """Show a line of metrics.jsonl."""
        self.log(row.step, name_values(row))

    def add_test(self, run: Run) -> None:
        """Show the test accuracy of a run that has ended."""
        self.log(run.summary["steps"], _test_values(run))
        self.end("FINISHED")


def name_values(row: TrainingRow | ValidationRow) -> dict[str, float]:
    """Name the values of a row; those of training are means since the row before."""
    if isinstance(row, TrainingRow):
        return {
            "loss/training": row.mean_loss,
            "accuracy/training": row.mean_accuracy,
            "learning_rate": row.learning_rate,
        }
    return {"loss/validation": row.validation_loss, VALIDATION_ACCURACY: row.validation_accuracy}


def measured(run: Run) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield everything that a run has measured so far: the steps taken, and the values by their names."""
    run = Run(run.path)  # reads the files anew, as they grow
    rows: list[TrainingRow | ValidationRow] = [*run.history.training, *run.history.validation]
    for row in rows:
        yield row.step, name_values(row)
    if run.is_finished and "test" in run.summary:
        yield run.summary["steps"], _test_values(run)


def parameters(config: TrainConfig) -> dict[str, int | float | str]:
    """Return the fields of a configuration, without the layers of other networks; lists become text."""
    fields = {name: config.value(name) for name in FIELDS if name not in config.model.unused}
    return {name: value if isinstance(value, int | float) else str(value) for name, value in fields.items()}


def _test_values(run: Run) -> dict[str, float]:
    return {TEST_ACCURACY: run.summary["test"]["accuracy"]}
