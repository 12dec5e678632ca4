"""How this network reads a digit: the arrays and the words of a section that several pages share.

The page gets what each layer computes for each example, and the weights, so that its script can work out a sum
before the reader's eyes.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from digitnet.config import TrainConfig
from digitnet.data.dataset import UInt8
from digitnet.evaluation.layer_words import describe_layers, note_on_answers
from digitnet.evaluation.layers import Layer, trace_layers

Floats = npt.NDArray[np.floating[Any]]

MOST_WEIGHTS = 100_000  # of a layer that are put into the page; 0.4 MB
MOST_BYTES = 1_000_000  # of the examples' arrays; each value takes two


@dataclass(frozen=True)
class Example:
    """One image that the section shows."""

    image: UInt8  # (rows, columns)
    title: str
    note: str = ""
    is_wrong: bool = False
    probabilities: tuple[float, ...] = ()
    """(K,) The network's own answer, which test-time augmentation or further members change; empty if none did."""


def describe_reading(
    network: nn.Module, config: TrainConfig, examples: Sequence[Example], label_names: Sequence[str]
) -> dict[str, Any] | None:
    """Describe how a network reads each example: plain values for the template and its script.

    The last examples are left out where the page would become too large. None for a network that is no sequence of
    layers.
    """
    layers = trace_layers(network, np.stack([example.image for example in examples]))
    if not layers:
        return None
    pixels = examples[0].image.shape
    if layers[0].kind != "image":
        raw = np.stack([example.image for example in examples])[:, None].astype(np.float32)
        layers = [Layer("image", "Image", raw / np.float32(255)), *layers]
    size = 2 * sum(layer.sums[0].size for layer in layers)
    count = max(1, min(len(examples), MOST_BYTES // size))
    note = note_on_answers(config)
    names = [*label_names, "not a digit"][: layers[-1].sums.shape[1]]
    return {
        "note": note,
        "examples": [
            {
                "title": example.title,
                "note": example.note,
                "isWrong": example.is_wrong,
                "probabilities": [round(p, 6) for p in example.probabilities] if note else [],
            }
            for example in examples[:count]
        ],
        "labels": names,
        "layers": [
            {**described, **_encode_arrays(layer, count)}
            for described, layer in zip(describe_layers(layers, config, pixels), layers, strict=True)
        ],
    }


def _encode_arrays(layer: Layer, count: int) -> dict[str, Any]:
    embedded = layer.weights is not None and layer.weights.size <= MOST_WEIGHTS
    return {
        "sums": encode(layer.sums[:count]),
        "weights": _encode_exactly(layer.weights) if embedded and layer.weights is not None else None,
    }


def encode(values: Floats) -> dict[str, Any]:
    """Encode values in two bytes each, as whole multiples of a scale: exact to 1/65,000 of the largest."""
    scale = float(np.abs(values).max(initial=0.0)) / 32_767 or 1.0
    content = np.rint(values.astype(np.float64) / scale).astype("<i2").tobytes()
    return {"scale": scale, "data": base64.b64encode(content).decode("ascii")}


def _encode_exactly(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")
