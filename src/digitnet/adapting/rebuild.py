"""A model file's network as a torch module again, from the layers and weights that the file describes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from digitnet.errors import ModelError
from digitnet.exporting.export import ExportedNetwork
from digitnet.networks.models import MaxPool2x2
from digitnet.networks.preprocessing import Deskew, Scale
from digitnet.networks.test_time_augmentation import TestTimeAugmentation
from digitnet.reading.network import NOTHING, SIDE, Float32, Network
from digitnet.wording import option

_CLOSE = 1e-4
"""The most by which a probability may differ: the file describes biases by seven digits, and sums round."""


def rebuild_network(network: Network, where: str) -> nn.Sequential:
    """Build the network of a model file in torch, in evaluation mode; its answers are compared with the file's.

    Raises ModelError, which begins with `where`, for a file that does not describe its layers, and for one whose
    answers they don't give, as those of an ensemble.
    """
    if not network.layers:
        raise ModelError.mismatch(
            where,
            expected="a model file that describes its layers",
            found="one that an older digitnet wrote",
            remedy="Export its run again with: digitnet export RUN",
        )
    modules = list(_rebuild(network))
    for candidate in (nn.Sequential(*modules).eval(), TestTimeAugmentation(*modules).eval()):
        if _answers_alike(candidate, network):
            return candidate
    raise ModelError.mismatch(
        where,
        expected="a single network",
        found="one whose answers its layers alone don't give, as those of an ensemble",
        remedy=f"Adapt a model that was trained without {option('members')}.",
    )


def _rebuild(network: Network) -> Iterator[nn.Module]:
    is_flat = False
    for layer, weights in zip(network.layers, network.read_weights(), strict=True):
        if layer["kind"] == "dense" and not is_flat:
            yield nn.Flatten()
        is_flat = is_flat or layer["kind"] == "dense"
        yield _make(layer, weights)
        for step in layer["after"]:
            yield nn.ReLU() if step["kind"] == "ReLU" else _make_affine(step["scale"], step["shift"], is_flat)


def _make(layer: dict[str, Any], weights: Float32 | None) -> nn.Module:
    match layer["kind"]:
        case "image":
            return Scale()
        case "deskew":
            return Deskew()
        case "pool":
            return MaxPool2x2()
        case "mean":
            return nn.AdaptiveAvgPool2d(1)
        case "convolution" if weights is not None:
            filters, inputs, side, _ = weights.shape
            groups, has_bias = layer["groups"], layer["bias"] is not None
            return _fill(
                nn.Conv2d(
                    inputs * groups, filters, side, layer["stride"], layer["padding"], groups=groups, bias=has_bias
                ),
                weights,
                layer["bias"],
            )
        case "dense" if weights is not None:
            return _fill(
                nn.Linear(weights.shape[1], weights.shape[0], layer["bias"] is not None), weights, layer["bias"]
            )
    raise ModelError(f"The layer {layer['name']}: digitnet can't fine-tune this kind. Choose another model.")


def _fill(module: nn.Conv2d | nn.Linear, weights: Float32, bias: list[float] | None) -> nn.Module:
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weights))
        if module.bias is not None and bias is not None:
            module.bias.copy_(torch.tensor(bias))
    return module


def _make_affine(scale: list[float], shift: list[float], is_flat: bool) -> nn.Module:
    """Make a BatchNorm that in evaluation mode multiplies by `scale` and adds `shift`."""
    norm = (nn.BatchNorm1d if is_flat else nn.BatchNorm2d)(len(scale), eps=0.0)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor(scale))
        norm.bias.copy_(torch.tensor(shift))
    return norm


@torch.inference_mode()
def _answers_alike(candidate: nn.Module, network: Network) -> bool:
    """Ask both about noise of several strengths: it excites every filter."""
    strengths = np.linspace(0.2, 1, 8)[:, None, None]
    images = (np.random.default_rng(0).uniform(0, 255, (8, SIDE, SIDE)) * strengths).astype(np.float32)
    whole = ExportedNetwork(candidate, len(network.info.labels), network.info.calibration)
    crops: Tensor = torch.from_numpy(NOTHING[0])
    found = whole(crops, torch.from_numpy(images))[0].numpy()
    return bool(np.abs(found - network.answer_images(images).probabilities).max() < _CLOSE)
