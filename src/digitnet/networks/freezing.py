"""Whether the first layer learns to the end, or rests once it has learned what it can."""

from itertools import takewhile
from typing import Protocol

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from digitnet.config import Optimisation
from digitnet.networks.models import Ensemble


class Freeze(Protocol):
    """Says at each step what learns."""

    def before_step(self, step: int) -> None:
        """Let learn what learns at `step`, counted from 0."""


class NoFreeze:
    """All layers learn at every step."""

    def before_step(self, step: int) -> None:
        """Nothing to do."""


class FreezeFirstLayer:
    """The first layer learns in the steps before `end` alone.

    Its images are the largest, so it takes the most time of all, and a step of `fast` without its gradients a
    quarter less; its few weights are learned soonest (Brock et al. 2017, arXiv 1706.04983, freeze one layer after
    the other).
    """

    def __init__(self, network: nn.Module, end: int) -> None:
        members = network.members if isinstance(network, Ensemble) else [network]
        self.parameters = [p for member in members for layer in first_layer(member) for p in layer.parameters()]
        self.end = end

    def before_step(self, step: int) -> None:
        """Ask for gradients, or for none: torch's optimizers pass over a weight that has none."""
        for parameter in self.parameters:
            parameter.requires_grad_(step < self.end)


def first_layer(network: nn.Module) -> list[nn.Module]:
    """Find the first module with weights of its own, and the BatchNorms right behind it; never the last module."""
    *learning, _last = [module for module in network.modules() if list(module.parameters(recurse=False))]
    return [*learning[:1], *takewhile(lambda module: isinstance(module, _BatchNorm), learning[1:])]


def make_freeze(network: nn.Module, optimisation: Optimisation) -> Freeze:
    """Freeze the first layer of `network`, if that is asked for."""
    end = round(optimisation.freeze_after * optimisation.steps)
    return FreezeFirstLayer(network, end) if optimisation.freezes else NoFreeze()
