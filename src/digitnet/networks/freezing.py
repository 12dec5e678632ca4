"""When the first layer of a network stops learning."""

from itertools import takewhile

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from digitnet.config import Optimisation
from digitnet.networks.models import Ensemble


class Freeze:
    """Freezes the first layer after a fraction of the steps, `freeze_after`; at 1 it does nothing.

    The images before the first layer are the largest, so it takes the most time of all: without its gradients a
    step of `fast` takes a quarter less. Its few weights are learned soonest (Brock et al. 2017, arXiv 1706.04983,
    freeze one layer after the other).
    """

    def __init__(self, network: nn.Module, optimisation: Optimisation) -> None:
        members = network.members if isinstance(network, Ensemble) else [network]
        layers = [layer for member in members for layer in first_layer(member)] if optimisation.freezes else []
        self.parameters = [parameter for layer in layers for parameter in layer.parameters()]
        self.end = round(optimisation.freeze_after * optimisation.steps)

    def before_step(self, step: int) -> None:
        """Ask for gradients at `step`, counted from 0, or for none: torch's optimizers skip what has none."""
        for parameter in self.parameters:
            parameter.requires_grad_(step < self.end)


def first_layer(network: nn.Module) -> list[nn.Module]:
    """Find the first module with weights of its own, and the BatchNorms right behind it; never the last module."""
    *learning, _last = [module for module in network.modules() if list(module.parameters(recurse=False))]
    return [*learning[:1], *takewhile(lambda module: isinstance(module, _BatchNorm), learning[1:])]
