"""How this network reads a digit: the arrays and the words of a section that several pages share.

The page gets what each layer computes for each example, and the weights, so that its script can work out a sum
before the reader's eyes.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from digitnet.config import TrainConfig
from digitnet.data.dataset import UInt8
from digitnet.evaluation.layers import Affine, Layer, trace_layers

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
    names = [*label_names, "not a digit"][: layers[-1].sums.shape[1]]
    return {
        "note": _note(config),
        "examples": [
            {
                "title": example.title,
                "note": example.note,
                "isWrong": example.is_wrong,
                "probabilities": [round(p, 6) for p in example.probabilities] if _note(config) else [],
            }
            for example in examples[:count]
        ],
        "labels": names,
        "layers": [_to_plain(layer, _explain(layers, k, config, pixels), count) for k, layer in enumerate(layers)],
    }


def _note(config: TrainConfig) -> str:
    """Say what the network does besides what its layers show."""
    notes = []
    if config.model.members > 1:
        notes.append(f"You see the first of {config.model.members} networks, whose probabilities are averaged.")
    if config.model.tta > 1:
        notes.append(
            f"The run's own answers average over {config.model.tta} copies of each image, shifted by a pixel "
            "(test-time augmentation); you see the image as it is."
        )
    return " ".join(notes)


def _to_plain(layer: Layer, text: str, count: int) -> dict[str, Any]:
    embedded = layer.weights is not None and layer.weights.size <= MOST_WEIGHTS
    return {
        "kind": layer.kind,
        "name": layer.name,
        "text": text,
        "shape": list(layer.sums.shape[1:]),
        "parameters": layer.parameters,
        "sums": encode(layer.sums[:count]),
        "after": [
            {"kind": "BatchNorm", "scale": _round(step.scale), "shift": _round(step.shift)}
            if isinstance(step, Affine)
            else {"kind": "ReLU"}
            for step in layer.after
        ],
        "weights": _encode_exactly(layer.weights) if embedded and layer.weights is not None else None,
        "weightShape": list(layer.weights.shape) if layer.weights is not None else None,
        "bias": None if layer.bias is None else _round(layer.bias),
        **layer.geometry,
    }


def encode(values: Floats) -> dict[str, Any]:
    """Encode values in two bytes each, as whole multiples of a scale: exact to 1/65,000 of the largest."""
    scale = float(np.abs(values).max(initial=0.0)) / 32_767 or 1.0
    content = np.rint(values.astype(np.float64) / scale).astype("<i2").tobytes()
    return {"scale": scale, "data": base64.b64encode(content).decode("ascii")}


def _encode_exactly(values: Floats) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode("ascii")


def _round(values: Floats) -> list[float]:
    return [float(f"{value:.7g}") for value in values]


def _explain(layers: Sequence[Layer], k: int, config: TrainConfig, pixels: tuple[int, ...]) -> str:
    """Explain one layer in words that need no other knowledge than the layers before."""
    layer, before = layers[k], layers[k - 1] if k else None
    shape = layer.sums.shape[1:]
    if layer.kind == "image":
        rows, columns = pixels
        return (
            f"To the network, an image is {rows} x {columns} numbers, one for each pixel: 0 for the background, "
            "1 for full ink."
        )
    if layer.kind == "deskew":
        return (
            "The digit is moved to the middle, and its slant is taken out (deskewing). There is nothing to learn "
            "here: the same rule is applied to every image."
        )
    if layer.kind == "convolution" and before is not None:
        return _explain_convolution(layer, before, _is_first(layers, k)) + _explain_frozen(layers, k, config)
    if layer.kind == "pool":
        side = layer.geometry["size"]
        return (
            f"A max pool keeps the largest of every {side} x {side} numbers and drops the others. The map becomes "
            f"{side * side} times smaller, and a stroke may move by a pixel without changing much."
            + _explain_after(layer)
        )
    if layer.kind == "mean":
        return f"The mean of each of the {shape[0]} maps is taken: one number a map is left."
    if layer.kind == "dense" and before is not None:
        inputs = math.prod(before.sums.shape[1:])
        last = k == len(layers) - 1
        ends = (
            f" These {shape[0]} numbers, the logits, are the scores of the {shape[0]} possible answers."
            if last
            else ""
        )
        return (
            f"A dense layer weighs everything at once: each of its {shape[0]:,} outputs is the sum of all "
            f"{inputs:,} numbers before it, each multiplied by a weight of its own." + _explain_after(layer) + ends
        )
    return f"The layer {layer.name} of PyTorch." + _explain_after(layer)


def _explain_convolution(layer: Layer, before: Layer, first: bool) -> str:
    assert layer.weights is not None
    maps, _, rows, columns = layer.weights.shape
    grid, places = f"{rows} x {columns}", " x ".join(map(str, layer.sums.shape[2:]))
    if first:
        text = (
            f"A filter is a grid of {grid} weights. The convolution slides it over the image: at each place, each "
            "number is multiplied by the weight that lies on it, and the products are added up. The "
            f"{places} sums are a map of where the image looks like the filter. {maps} filters make {maps} maps."
        )
    elif layer.geometry["groups"] > 1:
        text = f"Each of the {maps} filters of {grid} weights slides over one map of the layer before."
    else:
        text = (
            f"Each of these {maps} filters looks at all {before.sums.shape[1]} maps before it at once: it has a "
            f"grid of {grid} weights for each of them, and adds up all products. So it finds combinations of what "
            "the layer before has found."
        )
    if layer.geometry["stride"] > 1:
        text += f" It moves by {layer.geometry['stride']} pixels at a time, so the maps are smaller."
    return text + _explain_after(layer)


def _explain_after(layer: Layer) -> str:
    unit = "output" if layer.kind == "dense" else "map"
    texts = {
        "Affine": f" BatchNorm then multiplies each {unit} by one number and adds another.",
        "Relu": " ReLU then turns every negative number into 0, so only what was found goes on.",
    }
    return "".join(texts[type(step).__name__] for step in layer.after)


def _explain_frozen(layers: Sequence[Layer], k: int, config: TrainConfig) -> str:
    fraction = config.optimisation.freeze_after
    if fraction >= 1 or not _is_first(layers, k):
        return ""
    return (
        f" In this run, these filters were frozen after {fraction:.0%} of the steps, to save time: they learned "
        "no further, and still look much like the random numbers they began as."
    )


def _is_first(layers: Sequence[Layer], k: int) -> bool:
    return all(layer.kind != "convolution" for layer in layers[:k])
