"""Save the state every so many steps, after the last one, and when a signal stops the training."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from digitnet.errors import Interrupted
from digitnet.run_folder import Run
from digitnet.training.checkpoint import save_checkpoint
from digitnet.training.distributed import SINGLE_PROCESS, ProcessGroup
from digitnet.training.keep import make_keeper
from digitnet.training.record import RunRecorder, is_due
from digitnet.training.state import TrainState
from digitnet.wording import resume_command


class Stop:
    """Remembers the signal that asked to stop.

    The handler only stores its number: saving in the handler could interrupt, and break, another save.
    """

    def __init__(self) -> None:
        self.signal_number = 0

    def ask(self, signal_number: int, frame: FrameType | None) -> None:
        """Ask to stop after the current step; a second Ctrl-C stops at once, without saving."""
        if self.signal_number and signal_number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal_number = signal_number


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Handle SIGINT and SIGTERM while the context is open; outside the main thread, handle no signals."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # Python lets only the main thread set handlers
        return
    before = {number: signal.signal(number, stop.ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Saver:
    """Receives the state after each step; this base class saves nothing."""

    def after_step(self, state: TrainState) -> None:
        """Save the state if that is due; raise Interrupted to stop."""


class FollowerSaver(Saver):
    """For the ranks that do not lead: saves nothing, and stops at the same step as the leading process."""

    def __init__(self, stop: Stop, group: ProcessGroup) -> None:
        self.stop = stop
        self.group = group

    def after_step(self, state: TrainState) -> None:
        """Raise Interrupted if any of the processes got a signal to stop."""
        if number := self.group.agree_on_stopping(self.stop.signal_number):
            raise Interrupted(f"Stopped by {signal.Signals(number).name}.", signal_number=number)


class RunSaver(Saver):
    """Saves checkpoints in a run folder."""

    def __init__(self, run: Run, recorder: RunRecorder, stop: Stop, group: ProcessGroup = SINGLE_PROCESS) -> None:
        self.run = run
        self.config = run.config
        self.recorder = recorder
        self.stop = stop
        self.group = group
        self.keeper = make_keeper(run)

    def begin(self, state: TrainState) -> None:
        """Keep the weights before the first step, if the run keeps any."""
        self.keeper.keep(state)

    def after_step(self, state: TrainState) -> None:
        """Save the state if that is due or a signal asked to stop; then raise Interrupted for the signal."""
        self.keeper.keep(state)
        number = self.group.agree_on_stopping(self.stop.signal_number)
        if number or is_due(state.step, self.config.running.save_every, self.config.optimisation.steps):
            save_checkpoint(self.run, state, self.recorder.content)
        if number:
            resume = resume_command(self.run.path, track=self.recorder.tracker.name)
            raise Interrupted(
                f"Stopped by {signal.Signals(number).name} after step {state.step:,} of "
                f"{self.config.optimisation.steps:,}, and saved. "
                f"Continue with: {resume}",
                signal_number=number,
            )
