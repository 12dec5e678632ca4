"""Follow images through a network, layer by layer: what each layer computes, and with which weights."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from digitnet.data.dataset import UInt8
from digitnet.networks.models import Ensemble
from digitnet.networks.preprocessing import Deskew, Scale

Floats = npt.NDArray[np.float32]
Kind = Literal["image", "deskew", "convolution", "pool", "mean", "dense", "other"]


@dataclass(frozen=True)
class Affine:
    """BatchNorm in evaluation mode: each map times `scale` plus `shift`, ``(maps,)`` each."""

    scale: Floats
    shift: Floats


@dataclass(frozen=True)
class Relu:
    """ReLU: negative values become 0."""


@dataclass(frozen=True)
class Layer:
    """One layer for N images, with the BatchNorm and the ReLU that follow it, in their order."""

    kind: Kind
    name: str
    """In words, such as ``Max pool``."""
    sums: Floats
    """What the layer itself computes, ``(N, maps, rows, columns)`` or ``(N, units)``, before `after`."""
    after: tuple[Affine | Relu, ...] = ()
    parameters: int = 0
    """Trainable parameters, BatchNorm's included."""
    weights: Floats | None = None
    """Of a convolution ``(maps, inputs per group, rows, columns)``, or of a dense layer ``(units, inputs)``."""
    bias: Floats | None = None
    """One number a map or unit."""
    geometry: dict[str, int] = field(default_factory=dict)
    """``stride``, ``padding`` and ``groups`` of a convolution, ``size`` of a pool."""
    own: int = 0
    """Index of its own module among all that `run_modules` yields."""
    last: int = 0
    """Index of the last module of `after`, or its own: that module's output is the layer's."""

    @property
    def outputs(self) -> Floats:
        """What the next layer is given, in the shape of `sums`."""
        values = self.sums
        for step in self.after:
            if isinstance(step, Affine):
                across = (-1, *(1,) * (values.ndim - 2))
                values = values * step.scale.reshape(across) + step.shift.reshape(across)
            else:
                values = np.maximum(values, 0)
        return values


@torch.inference_mode()
def trace_layers(network: nn.Module, images: UInt8) -> list[Layer]:
    """Follow images ``(N, rows, columns)`` through a network, or through the first member of an ensemble.

    Test-time augmentation is left out: the images are followed as they are. Empty for a network that is no
    sequence of layers.
    """
    first = first_sequence(network)
    if first is None:
        return []
    was_training = network.training
    network.eval()
    try:
        return _merge(run_modules(first, torch.from_numpy(images.copy())[:, None]))
    finally:
        network.train(was_training)


def filters_of(layers: Sequence[Layer]) -> list[Floats]:
    """List the weights of each convolution, ``(maps, inputs per group, rows, columns)``."""
    return [layer.weights for layer in layers if layer.kind == "convolution" and layer.weights is not None]


def maps_of(layers: Sequence[Layer]) -> list[Floats]:
    """List the maps ``(maps, rows, columns)`` of the first image that each convolution hands on.

    Where a pool follows, they are taken after it: the BatchNorm behind it may have a negative scale, and then does
    not commute with it.
    """
    return [
        (after if after.kind == "pool" else layer).outputs[0]
        for layer, after in pairwise(layers)
        if layer.kind == "convolution"
    ]


def first_sequence(network: nn.Module) -> nn.Sequential | None:
    """Return the network, or the first member of an ensemble; None if it is no sequence of layers."""
    first = network.members[0] if isinstance(network, Ensemble) else network
    return first if isinstance(first, nn.Sequential) else None


def run_modules(network: nn.Sequential, values: Tensor) -> Iterator[tuple[nn.Module, Tensor]]:
    """Yield each module with its output, also those of sequences inside."""
    values = values.to(next((weights.device for weights in network.parameters()), "cpu"))
    for layer in network:
        if isinstance(layer, nn.Sequential):
            for inner, output in run_modules(layer, values):
                yield inner, output
                values = output
        else:
            values = layer(values)
            yield layer, values


def _merge(outputs: Iterable[tuple[nn.Module, Tensor]]) -> list[Layer]:
    """Make a Layer of each module that changes a value; BatchNorm and ReLU join the layer before."""
    layers: list[Layer] = []
    for index, (module, output) in enumerate(outputs):
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)) and layers:
            count = layers[-1].parameters + _count(module)
            layers[-1] = replace(
                layers[-1], after=(*layers[-1].after, _affine(module)), parameters=count, last=index
            )
        elif isinstance(module, nn.ReLU) and layers:
            layers[-1] = replace(layers[-1], after=(*layers[-1].after, Relu()), last=index)
        elif not isinstance(module, (nn.Flatten, nn.Dropout, nn.Identity)) and not _is_idle(
            module, output, layers
        ):
            layers.append(replace(_describe(module, output.float().cpu().numpy()), own=index, last=index))
    return layers


def _describe(module: nn.Module, values: Floats) -> Layer:
    match module:
        case Deskew():
            return Layer("deskew", "Deskew", values)
        case Scale():
            return Layer("image", "Image", values)
        case nn.Conv2d(padding=(int(padding), _), stride=(int(stride), _), groups=groups):
            geometry = {"stride": stride, "padding": padding, "groups": groups}
            return Layer("convolution", "Convolution", values, (), _count(module), *_learned(module), geometry)
        case nn.Linear():
            return Layer("dense", "Dense", values, (), _count(module), *_learned(module))
        case nn.MaxPool2d(kernel_size=int(size)):
            return Layer("pool", "Max pool", values, geometry={"size": size})
        case nn.AdaptiveAvgPool2d():
            return Layer("mean", "Mean of each map", values)
    return Layer("other", type(module).__name__, values, parameters=_count(module))


def _is_idle(module: nn.Module, output: Tensor, layers: Sequence[Layer]) -> bool:
    """Tell whether a module has changed no value; a pool leaves maps of one pixel as they are."""
    if isinstance(module, (nn.Flatten, nn.Dropout, nn.Identity)):
        return True
    return isinstance(module, nn.MaxPool2d) and bool(layers) and output.shape == layers[-1].sums.shape


def _affine(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Affine:
    assert norm.running_mean is not None and norm.running_var is not None
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    return Affine(_copy(scale), _copy(norm.bias - norm.running_mean * scale))


def _learned(module: nn.Conv2d | nn.Linear) -> tuple[Floats, Floats | None]:
    return _copy(module.weight), None if module.bias is None else _copy(module.bias)


def _copy(tensor: Tensor) -> Floats:
    return tensor.detach().float().cpu().numpy().copy()


def _count(module: nn.Module) -> int:
    return sum(weights.numel() for weights in module.parameters())
