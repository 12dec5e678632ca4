"""All that a run must remember to go on as if it had never stopped, and its safe keeping in the run folder.

A checkpoint is two files. The tensors go to ``checkpoint-STEP.safetensors``; then ``checkpoint.json``, which
names that file and its SHA-256 and carries a seal over itself, is renamed into place. That rename is the
moment of saving: killed before it, the old pair is still whole; after it, the new one is. No pickle anywhere.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from digitnet.errors import DivergedError, RunError
from digitnet.files import sha256, write_whole
from digitnet.run_folder import Run
from digitnet.training.averaging import Average

_MANIFEST = "checkpoint.json"


@dataclass
class Window:
    """Sums over the steps since the last line of the metrics file."""

    steps: int = 0
    images: int = 0
    loss: float = 0.0
    right: int = 0


@dataclass
class TrainState:
    """What changes from step to step. Batches, schedule and randomness do not: they follow from the step."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    average: Average
    step: int = 0  # steps taken
    window: Window = field(default_factory=Window)
    seconds_before: float = 0.0  # spent by the processes that came before this one
    began: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds spent training, over all interruptions."""
        return self.seconds_before + time.perf_counter() - self.began

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Name every tensor of the state, the live ones, not copies."""
        for name, tensor in self.network.state_dict().items():
            yield f"network.{name}", tensor
        if self.average.network is not self.network:
            for name, tensor in self.average.network.state_dict().items():
                yield f"average.{name}", tensor
        for index, parameter in enumerate(_parameters(self.optimizer)):
            for name, tensor in self.optimizer.state[parameter].items():
                yield f"optimizer.{index}.{name}", tensor

    def restore(self, checkpoint: "Checkpoint") -> None:
        """Become the state that was saved; raise RunError when it is another network's."""
        saved = checkpoint.tensors
        for index, parameter in enumerate(_parameters(self.optimizer)):
            prefix = f"optimizer.{index}."
            for name in [name for name in saved if name.startswith(prefix)]:
                self.optimizer.state[parameter][name.removeprefix(prefix)] = _room_for(saved[name], parameter)
        own = dict(self.tensors())
        if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in saved.items()}:
            raise RunError("The checkpoint holds another network's tensors. Train again in a new folder.")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(saved[name])
        self.step, self.window = checkpoint.step, checkpoint.window
        self.seconds_before, self.began = checkpoint.seconds, time.perf_counter()


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _room_for(saved: Tensor, parameter: Tensor) -> Tensor:
    """Allocate an optimizer's tensor where its parameter is, in its layout: the fused Adam walks both in step."""
    like = parameter if saved.shape == parameter.shape else saved  # a count of steps has a shape of its own
    return torch.empty_like(like, device=parameter.device, requires_grad=False)


@dataclass(frozen=True)
class Checkpoint:
    """A saved state, read and verified."""

    step: int
    seconds: float
    window: Window
    judged: str  # "network." or "average.": the prefix of the weights to judge
    metrics_bytes: int  # length of metrics.jsonl at that step
    metrics_sha256: str
    tensors: dict[str, Tensor]


def save_checkpoint(run: Run, state: TrainState, metrics: bytes) -> None:
    """Make `state` the run's newest checkpoint, with the bytes of metrics.jsonl that belong to it.

    Takes about 10 ms for the blog's network. Raises DivergedError, and keeps the checkpoint that is there, when
    a number is not finite; StorageError when the disk refuses.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise DivergedError(f"{name} holds a number that is not finite after step {state.step:,}.")
    content = serialise_tensors(tensors)
    file = f"checkpoint-{state.step:06d}.safetensors"
    manifest = {
        "step": state.step,
        "seconds": state.seconds,
        "window": asdict(state.window),
        "judged": "network." if state.average.network is state.network else "average.",
        "metrics_bytes": len(metrics),
        "metrics_sha256": sha256(metrics),
        "tensors": file,
        "tensors_sha256": sha256(content),
    }
    write_whole(run.path / file, content)
    write_whole(run.path / _MANIFEST, json.dumps({**manifest, "seal": _seal(manifest)}, indent=2) + "\n")
    for old in run.path.glob("checkpoint-*.safetensors"):
        if old.name != file:
            old.unlink(missing_ok=True)


def load_checkpoint(run: Run) -> Checkpoint | None:
    """Read and verify the newest checkpoint; None when the run never saved one, RunError when it is damaged."""
    if not (run.path / _MANIFEST).exists():
        return None
    manifest = run.read_json(_MANIFEST)
    if manifest.pop("seal", None) != _seal(manifest):
        raise _damaged(run, _MANIFEST, "its seal does not fit its content")
    file = run.path / str(manifest["tensors"])
    try:
        content = file.read_bytes()
    except OSError as fault:
        raise _damaged(run, file.name, str(fault.strerror)) from fault
    if sha256(content) != manifest["tensors_sha256"]:
        raise _damaged(run, file.name, f"expected SHA-256 {manifest['tensors_sha256']}, found {sha256(content)}")
    try:
        tensors = parse_tensors(content)
    except SafetensorError as fault:  # only if it was written so: the hash is right
        raise _damaged(run, file.name, str(fault)) from fault
    return Checkpoint(
        step=manifest["step"],
        seconds=manifest["seconds"],
        window=Window(**manifest["window"]),
        judged=manifest["judged"],
        metrics_bytes=manifest["metrics_bytes"],
        metrics_sha256=manifest["metrics_sha256"],
        tensors=tensors,
    )


def read_weights(run: Run) -> dict[str, Tensor]:
    """Read the weights to judge from the newest checkpoint; raise RunError when there is none."""
    checkpoint = load_checkpoint(run)
    if checkpoint is None:
        raise RunError(f"{run.path}: expected a checkpoint, found none. Continue the run with --resume.")
    prefix = checkpoint.judged
    return {n.removeprefix(prefix): t for n, t in checkpoint.tensors.items() if n.startswith(prefix)}


def _seal(manifest: dict[str, Any]) -> str:
    return sha256(json.dumps(manifest, sort_keys=True).encode())


def _damaged(run: Run, name: str, reason: str) -> RunError:
    return RunError(f"{run.path / name}: the checkpoint is damaged ({reason}). Train again in a new folder.")
