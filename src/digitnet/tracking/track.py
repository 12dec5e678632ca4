"""Trackers by name: ``train("fast", track="mlflow")`` tracks a run as it is trained, `track` afterwards."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from digitnet.data.raw import OnMessage
from digitnet.engines.calls import first_line
from digitnet.errors import DigitnetError, TrackingError, look_up
from digitnet.run_folder import Run
from digitnet.tracking.tracker import Status, Tracker
from digitnet.wording import command


def _tensorboard() -> type[Tracker]:
    from digitnet.tracking.tensorboard import TensorBoardTracker

    return TensorBoardTracker


def _mlflow() -> type[Tracker]:
    from digitnet.tracking.mlflow import MLflowTracker

    return MLflowTracker


TRACKERS: dict[str, Callable[[], type[Tracker]]] = {"tensorboard": _tensorboard, "mlflow": _mlflow}
"""Each imports a tracker, and with it the package that it needs."""


class SafeTracker(Tracker):
    """A tracker whose failure does not end the training: it is reported once, and nothing more is sent."""

    def __init__(self, name: str, on_message: OnMessage) -> None:
        self.name = name
        self.on_message = on_message
        self.tracker = _make(name)

    def begin(self, run: Run) -> None:
        """Begin, or give up."""
        self.path = run.path
        self._attempt(lambda: self.tracker.begin(run))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Log, or give up."""
        self._attempt(lambda: self.tracker.log(step, values))

    def end(self, status: Status) -> None:
        """End, or give up."""
        self._attempt(lambda: self.tracker.end(status))

    def _attempt(self, call: Callable[[], None]) -> None:
        try:
            with _sentences(self.name):
                call()
        except DigitnetError as error:
            self.tracker = Tracker()
            self.on_message(
                f"{error} Nothing more will be sent. "
                f"Send the rest when the run has ended: {command('track', self.path, '--to', self.name)}"
            )


def make_tracker(name: str | None, on_message: OnMessage) -> Tracker:
    """Make a tracker to train with; without a name, it does nothing.

    Raises UsageError for an unknown name, ModuleNotFoundError if its package is not installed, TrackingError if
    it can't be reached. Later failures only become a message.
    """
    return SafeTracker(name, on_message) if name else Tracker()


def track(run: Run | Path | str, to: str) -> None:
    """Send what a run has measured to ``tensorboard`` or ``mlflow``, where each step is shown once however often.

    The run may have been trained without a tracker. Raises what `make_tracker` does, TrackingError also for later
    failures, and RunError while the run is being trained.
    """
    run = run if isinstance(run, Run) else Run(run)
    tracker = _make(to)
    with run.locked(), _sentences(to):
        tracker.begin(run)
        tracker.end("FINISHED" if run.is_finished else "KILLED")


def _make(name: str) -> Tracker:
    kind = look_up("tracker", name, TRACKERS)()
    with _sentences(name):
        return kind()


@contextmanager
def _sentences(name: str) -> Iterator[None]:
    """Turn what a tracker's library raises into one sentence."""
    handled = sys.exception()  # what ended the training, perhaps
    try:
        yield
    except (DigitnetError, ModuleNotFoundError):
        raise
    except Exception as error:
        cause: BaseException = error
        # "Connection refused", for example, within what urllib3, requests and MLflow make of it.
        while (context := cause.__context__) and context is not handled:
            cause = context
        raise TrackingError(
            f"{name}: the run could not be tracked ({first_line(cause).rstrip('.')}). "
            "Check its server and its settings."
        ) from error
