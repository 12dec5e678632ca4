"""A look inside a network: what its filters hold, and what they answer to one image."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from digitnet.data.dataset import UInt8
from digitnet.training.models import Ensemble

Floats = npt.NDArray[np.float32]


def filters(network: nn.Module) -> list[Floats]:
    """Copy the weights of each convolution ``(out, in, k, k)``, the first layer first; any sign, any size."""
    return [layer.weight.detach().float().cpu().numpy().copy() for layer in _convolutions(network)]


@torch.inference_mode()
def activations(network: nn.Module, image: UInt8) -> list[Floats]:
    """Show one image ``(rows, columns)`` to the network, and collect what each convolution answers.

    Gives ``(maps, rows, columns)`` for each convolution, the first layer first: 0 where the filter found nothing
    of its pattern, larger where it found more. Max pooling and ReLU commute, so the ReLU is taken here, before the
    pool, whichever of them the network has first.
    """
    answers: dict[nn.Module, Floats] = {}

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        answers.setdefault(layer, output[0].relu().float().cpu().numpy())  # the first of several views

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
    """List the convolutions of a network; of several together, those of the first, which speaks for them."""
    one = network.members[0] if isinstance(network, Ensemble) else network
    return [module for module in one.modules() if isinstance(module, nn.Conv2d)]
