"""A look inside a network: what its filters hold, and what they answer to one image."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from digitnet.data.dataset import UInt8
from digitnet.networks.models import Ensemble

Floats = npt.NDArray[np.float32]


def filters(network: nn.Module) -> list[Floats]:
    """Copy the weights of each convolution ``(out, in, k, k)``, the first layer first; any sign, any size."""
    return [layer.weight.detach().float().cpu().numpy().copy() for layer in _convolutions(network)]


@torch.inference_mode()
def activations(network: nn.Module, image: UInt8) -> list[Floats]:
    """Show one image ``(rows, columns)`` to the network, and collect what each convolution answers.

    Gives ``(maps, rows, columns)`` for each convolution, the first layer first: 0 where the filter found nothing
    of its pattern, larger where it found more. Max pooling and ReLU commute, so the ReLU is taken here, before the
    pool, whichever of them the network has first; and before the ReLU the BatchNorm, if there is one.
    """
    answers: dict[nn.Module, Floats] = {}
    norms = _norms(network)

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        answer = norms.get(layer, nn.Identity())(output[:1]).relu()  # of the first of several views
        answers.setdefault(layer, answer[0].float().cpu().numpy())

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
    return list(answers.values())


def _convolutions(network: nn.Module) -> list[nn.Conv2d]:
    """List the convolutions of a network."""
    return [module for module in _one(network).modules() if isinstance(module, nn.Conv2d)]


def _norms(network: nn.Module) -> dict[nn.Module, nn.BatchNorm2d]:
    """Find the BatchNorm behind each convolution that has one."""
    layers = [m for m in _one(network).modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    return {layer: norm for layer, norm in pairwise(layers) if isinstance(norm, nn.BatchNorm2d)}


def _one(network: nn.Module) -> nn.Module:
    """Give the network, or of several together the first, which speaks for them."""
    return network.members[0] if isinstance(network, Ensemble) else network
