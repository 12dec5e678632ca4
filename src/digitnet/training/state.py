"""All that changes from step to step: what a run must remember to go on as if it had never stopped."""

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
    """What changes from step to step. Batches, schedule and randomness do not: they follow from the step."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
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


@dataclass(frozen=True)
class Checkpoint:
    """A saved state, read and verified."""

    step: int
    seconds: float
    window: Window
    metrics_bytes: int  # length of metrics.jsonl at that step
    metrics_sha256: str
    tensors: dict[str, Tensor]


def _parameters(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _room_for(saved: Tensor, parameter: Tensor) -> Tensor:
    """Allocate an optimizer's tensor where its parameter is, in its layout: the fused Adam walks both in step."""
    like = parameter if saved.shape == parameter.shape else saved  # a count of steps has a shape of its own
    return torch.empty_like(like, device=parameter.device, requires_grad=False)
