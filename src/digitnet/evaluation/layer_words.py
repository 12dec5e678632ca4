"""The layers of a network for people: names, shapes and words, as plain values that a page can hold."""

import math
from collections.abc import Sequence
from typing import Any

from digitnet.config import TrainConfig
from digitnet.evaluation.layers import Affine, Floats, Layer


def describe_layers(layers: Sequence[Layer], config: TrainConfig, pixels: tuple[int, ...]) -> list[dict[str, Any]]:
    """Describe layers that begin with the image, of `pixels` (rows, columns); their large arrays are left out."""
    return [_describe(layer, _explain(layers, k, config, pixels)) for k, layer in enumerate(layers)]


def note_on_answers(config: TrainConfig) -> str:
    """Say what the network does besides what its layers show; empty if nothing."""
    notes = []
    if config.model.members > 1:
        notes.append(f"You see the first of {config.model.members} networks, whose probabilities are averaged.")
    if config.model.tta > 1:
        notes.append(
            f"The run's own answers average over {config.model.tta} copies of each image, shifted by a pixel "
            "(test-time augmentation); you see the image as it is."
        )
    return " ".join(notes)


def _describe(layer: Layer, text: str) -> dict[str, Any]:
    return {
        "kind": layer.kind,
        "name": layer.name,
        "text": text,
        "shape": list(layer.sums.shape[1:]),
        "parameters": layer.parameters,
        "after": [
            {"kind": "BatchNorm", "scale": _round(step.scale), "shift": _round(step.shift)}
            if isinstance(step, Affine)
            else {"kind": "ReLU"}
            for step in layer.after
        ],
        "weightShape": list(layer.weights.shape) if layer.weights is not None else None,
        "bias": None if layer.bias is None else _round(layer.bias),
        **layer.geometry,
    }


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
