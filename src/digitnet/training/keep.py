"""Keep the weights of some steps, so that one can watch how a network learned."""

import re
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor

from digitnet.errors import RunError
from digitnet.files import make_folder, write_whole
from digitnet.run_folder import Run
from digitnet.training.state import TrainState

_FOLDER = "checkpoints"


class Keeper:
    """Receives the state before the first step and after each; this base class keeps nothing."""

    def keep(self, state: TrainState) -> None:
        """Keep the weights if they are those of a step to keep."""


class WeightKeeper(Keeper):
    """Keeps weights in a run folder: ``checkpoints/10.safetensors`` after 10 steps."""

    def __init__(self, run: Run) -> None:
        self.folder = run.path / _FOLDER
        self.steps = frozenset(steps_to_keep(run.config.optimisation.steps))

    def keep(self, state: TrainState) -> None:
        """Keep the weights if they are those of a step to keep; raise StorageError if they can't be written."""
        if state.step in self.steps:
            tensors = {name: t.detach().cpu().contiguous() for name, t in state.network.state_dict().items()}
            write_whole(make_folder(self.folder) / f"{state.step}.safetensors", serialise_tensors(tensors))


def make_keeper(run: Run) -> Keeper:
    """Make what the configuration of a run asks for."""
    return WeightKeeper(run) if run.config.running.keep_checkpoints else Keeper()


def steps_to_keep(last: int) -> tuple[int, ...]:
    """List 0, then 1, 2, 5, 10, 20, 50 and so on below the last step, and the last: most is learned early."""
    early = (digit * 10**power for power in range(len(str(last))) for digit in (1, 2, 5))
    return 0, *(step for step in early if step < last), last


def read_kept(run: Run) -> Iterator[tuple[int, dict[str, Tensor]]]:
    """Yield the steps that a run has kept, the first one first, with the network's tensors by their names.

    Raises RunError if a file is damaged.
    """
    for step, file in sorted(_list_kept(run.path / _FOLDER)):
        try:
            yield step, parse_tensors(file.read_bytes())
        except (OSError, SafetensorError) as error:
            raise RunError(f"{file}: the checkpoint is damaged ({error}). Remove it, or train again.") from error


def _list_kept(folder: Path) -> Iterator[tuple[int, Path]]:
    for file in folder.glob("*.safetensors"):
        if re.fullmatch("[0-9]{1,9}", file.stem):
            yield int(file.stem), file
