"""The training state: everything that changes from step to step, and so everything that a checkpoint saves."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from digitnet.errors import RunError


@dataclass
class Window:
    """Sums over the steps since the last line of the metrics file."""

    steps: int = 0
    images: int = 0
    loss: float = 0.0
    correct: int = 0


@dataclass
class TrainState:
    """What changes from step to step; batches, learning rate and random seeds follow from the step alone."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    step: int = 0  # steps taken
    window: Window = field(default_factory=Window)
    seconds_before: float = 0.0  # spent before the last resume
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds spent training, without interruptions."""
        return self.seconds_before + time.perf_counter() - self.started

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Yield every tensor of the state with its name; not copies."""
        for name, tensor in self.network.state_dict().items():
            yield f"network.{name}", tensor
        for index, parameter in enumerate(_parameters(self.optimizer)):
            for name, tensor in self.optimizer.state[parameter].items():
                yield f"optimizer.{index}.{name}", tensor

    def restore(self, checkpoint: "Checkpoint") -> None:
        """Copy the saved state into this one; raise RunError when it is another network's."""
        saved = checkpoint.tensors
        for index, parameter in enumerate(_parameters(self.optimizer)):
            prefix = f"optimizer.{index}."
            for name in [name for name in saved if name.startswith(prefix)]:
                self.optimizer.state[parameter][name.removeprefix(prefix)] = _empty_like(saved[name], parameter)
        own = dict(self.tensors())
        if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in saved.items()}:
            raise RunError("The checkpoint holds another network's tensors. Train again in a new folder.")
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(saved[name])
        self.step, self.window = checkpoint.step, checkpoint.window
        self.seconds_before, self.started = checkpoint.seconds, time.perf_counter()


@dataclass(frozen=True)
class Checkpoint:
    """A saved state, loaded and verified."""

    step: int
    seconds: float
    window: Window
    metrics_bytes: int  # length of metrics.jsonl at that step
    metrics_sha256: str
    tensors: dict[str, Tensor]


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _empty_like(saved: Tensor, parameter: Tensor) -> Tensor:
    """Allocate an optimizer's tensor on its parameter's device and in its layout, as the fused Adam requires."""
    like = parameter if saved.shape == parameter.shape else saved  # Adam's step count is a scalar
    return torch.empty_like(like, device=parameter.device, requires_grad=False)
