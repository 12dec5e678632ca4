"""Write event files into the run folder, so that ``tensorboard --logdir runs`` shows each run by its name."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from digitnet.run_folder import Run
from digitnet.tracking.tracker import TEST_ACCURACY, VALIDATION_ACCURACY, Status, Tracker, measured, parameters

# TensorBoard imports TensorFlow where it is installed, which takes seconds and prints lines, unless there is a
# module of this name.
sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))

from torch.utils.tensorboard import SummaryWriter  # noqa: E402 - after that
from torch.utils.tensorboard.summary import hparams  # noqa: E402

_SECONDS = 2  # after which what was measured is in the file


class TensorBoardTracker(Tracker):
    """Writes an event file for each session; the newest has everything that the run has measured."""

    name = "tensorboard"

    def begin(self, run: Run) -> None:
        """Begin a file that replaces the earlier ones: steps after the last checkpoint are taken again.

        The earlier ones are left, as a TensorBoard that is reading one does not go on to the next without it.
        """
        _wait_for_a_later_name(run.path)
        self.folder = run.path
        self.writer = SummaryWriter(str(run.path), purge_step=0, flush_secs=_SECONDS)
        metrics = dict.fromkeys((VALIDATION_ACCURACY, TEST_ACCURACY), 0.0)  # only their names are used
        experiment, start, self.finished = hparams(parameters(run.config), metrics)  # type: ignore[no-untyped-call]
        self._add(experiment)
        self._add(start)
        for step, values in measured(run):
            self.log(step, values)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the values as scalars."""
        if self.writer.file_writer is None:  # after the end
            _wait_for_a_later_name(self.folder)
        for name, value in values.items():
            self.writer.add_scalar(name, value, step)

    def end(self, status: Status) -> None:
        """Close the file; what is logged afterwards opens another."""
        if status == "FINISHED":
            self._add(self.finished)
        self.writer.close()

    def _add(self, summary: object) -> None:
        self.writer._get_file_writer().add_summary(summary)  # type: ignore[no-untyped-call]


def _wait_for_a_later_name(folder: Path) -> None:
    """Wait, a second at most: TensorBoard reads the files in the order of their names, which have only seconds."""
    seconds = [file.name.split(".")[3] for file in folder.glob("events.out.tfevents.*")]
    newest = max((int(text) for text in seconds if text.isdecimal()), default=0)
    if int(time.time()) == newest:  # a later one is of another clock, and would keep us waiting for ever
        time.sleep(newest + 1 - time.time())
