"""Look inside a network: the weights of its filters, and their feature maps for one image."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from digitnet.data.dataset import UInt8
from digitnet.networks.models import Ensemble

Floats = npt.NDArray[np.float32]


def filters(network: nn.Module) -> list[Floats]:
    """Copy the weights of each convolution, ``(out, in, k, k)``, the first layer first."""
    return [layer.weight.detach().float().cpu().numpy().copy() for layer in _convolutions(network)]


@torch.inference_mode()
def activations(network: nn.Module, image: UInt8) -> list[Floats]:
    """Feature maps ``(maps, rows, columns)`` of each convolution for one image, the first layer first.

    They are taken after BatchNorm, if there is one, and ReLU: 0 where the filter does not match, larger where it
    matches better. A max pool is left out, whether it comes before or after the ReLU, since
    the two commute.
    """
    maps: dict[nn.Module, Floats] = {}
    norms = _norms(network)

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        activation = norms.get(layer, nn.Identity())(output[:1]).relu()
        maps.setdefault(layer, activation[0].float().cpu().numpy())  # of the first, unshifted copy

    device = next(network.parameters()).device
    hooks = [layer.register_forward_hook(keep) for layer in _convolutions(network)]
    was_training = network.training
    network.eval()
    try:
        network(torch.from_numpy(image.copy())[None, None].to(device))  # (1, 1, rows, columns)
    finally:
        network.train(was_training)
        for hook in hooks:
            hook.remove()
    return list(maps.values())


def _convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in _first_member(network).modules() if isinstance(module, nn.Conv2d)]


def _norms(network: nn.Module) -> dict[nn.Module, nn.BatchNorm2d]:
    """Map each convolution to the BatchNorm after it, if there is one."""
    layers = [m for m in _first_member(network).modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    return {layer: norm for layer, norm in pairwise(layers) if isinstance(norm, nn.BatchNorm2d)}


def _first_member(network: nn.Module) -> nn.Module:
    """Return the network itself, or the first member of an ensemble."""
    return network.members[0] if isinstance(network, Ensemble) else network
