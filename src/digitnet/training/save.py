"""When the state is saved: every so many steps, after the last one, and when a signal asks to stop."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Protocol

from digitnet.errors import Interrupted
from digitnet.run_folder import Run
from digitnet.training.checkpoint import save_checkpoint
from digitnet.training.distributed import SINGLE_PROCESS, ProcessGroup
from digitnet.training.record import RunRecorder, is_time
from digitnet.training.state import TrainState


class Stop:
    """Remembers that a signal asked to stop.

    The handler only sets a number: one that wrote files could hang in the very write that it interrupted.
    """

    def __init__(self) -> None:
        self.signal_number = 0

    def ask(self, signal_number: int, frame: FrameType | None) -> None:
        """Ask to stop after the present step; a second Ctrl-C stops at once, without saving."""
        if self.signal_number and signal_number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal_number = signal_number


@contextlib.contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Listen to SIGINT and SIGTERM while the context is open; in another thread than the main one, to none."""
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


class Saver(Protocol):
    """Looks after the state between two steps."""

    def after_step(self, state: TrainState) -> None:
        """Save the state, if it is time."""


class NoSaver:
    """Saves nothing: for measurements, and for loops of one's own."""

    def after_step(self, state: TrainState) -> None:
        """Nothing to do."""


class FollowerSaver:
    """Saves nothing, and stops at the step at which the leading process saves and stops: for the other ranks."""

    def __init__(self, stop: Stop, group: ProcessGroup) -> None:
        self.stop = stop
        self.group = group

    def after_step(self, state: TrainState) -> None:
        """Raise Interrupted if a signal asked any of the processes to stop."""
        if asked := self.group.agree_on_stopping(self.stop.signal_number):
            raise Interrupted(f"Stopped by {signal.Signals(asked).name}.", signal_number=asked)


class RunSaver:
    """Saves the state into a run folder."""

    def __init__(self, run: Run, recorder: RunRecorder, stop: Stop, group: ProcessGroup = SINGLE_PROCESS) -> None:
        self.run = run
        self.config = run.config
        self.recorder = recorder
        self.stop = stop
        self.group = group

    def after_step(self, state: TrainState) -> None:
        """Save the state, if it is time; raise Interrupted after saving, if a signal asked to stop."""
        asked = self.group.agree_on_stopping(self.stop.signal_number)
        if asked or is_time(state.step, self.config.running.save_every, self.config.optimisation.steps):
            save_checkpoint(self.run, state, self.recorder.content)
        if asked:
            raise Interrupted(
                f"Stopped by {signal.Signals(asked).name} after step {state.step:,} of "
                f"{self.config.optimisation.steps:,}, and saved. "
                f"Continue with: digitnet train --resume --out {self.run.path}",
                signal_number=asked,
            )
