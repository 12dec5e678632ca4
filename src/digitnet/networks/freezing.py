"""Freezing: the first layer of a network stops learning before the others."""

from itertools import takewhile

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from digitnet.config import Optimisation
from digitnet.networks.models import Ensemble


class Freeze:
    """Freezes the first layer after `freeze_after`, a fraction of the steps; with 1 it is never frozen.

    The first layer sees the largest images, so it takes more time than any other: without its gradients a step of
    `fast` takes a quarter less. It has few weights and learns them early (Brock et al. 2017, arXiv 1706.04983,
    freeze one layer after the other).
    """

    def __init__(self, network: nn.Module, optimisation: Optimisation) -> None:
        members = network.members if isinstance(network, Ensemble) else [network]
        layers = [layer for member in members for layer in first_layer(member)] if optimisation.freezes else []
        self.parameters = [parameter for layer in layers for parameter in layer.parameters()]
        self.frozen_from = round(optimisation.freeze_after * optimisation.steps)

    def before_step(self, step: int) -> None:
        """Freeze or unfreeze for `step`, counted from 0; torch's optimizers skip parameters without gradients."""
        for parameter in self.parameters:
            parameter.requires_grad_(step < self.frozen_from)


def first_layer(network: nn.Module) -> list[nn.Module]:
    """List the first module with weights and the BatchNorms right after it; never the last module."""
    *trainable, _last = [module for module in network.modules() if list(module.parameters(recurse=False))]
    return [*trainable[:1], *takewhile(lambda module: isinstance(module, _BatchNorm), trainable[1:])]
