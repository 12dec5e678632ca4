"""The checkpoints that a run has kept, each as a model file: the graph of the last, with other weights."""

from collections.abc import Iterator

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from digitnet.config import TrainConfig
from digitnet.evaluation.layer_words import describe_layers
from digitnet.evaluation.layers import Layer, first_sequence, run_modules, trace_layers
from digitnet.exporting.fold import fold_batchnorm
from digitnet.modelfile import ModelInfo, metadata_of, seal
from digitnet.networks.normalise import SIDE


def make_checkpoint(content: bytes, network: nn.Module, info: ModelInfo, config: TrainConfig) -> bytes:
    """Put the weights of `network` into the model file `content` of the same network at another step.

    This takes milliseconds, where an export takes seconds. `network` has its BatchNorm folded in place. Raises
    ValueError if a tensor of the network has no place in the file.
    """
    network = fold_batchnorm(network)
    layers = trace_layers(network, np.zeros((2, SIDE, SIDE), np.uint8))
    model = onnx.load_from_string(content)
    wanted = dict(_name_tensors(network, layers))
    for initializer in model.graph.initializer:
        if initializer.name in wanted:
            array = wanted.pop(initializer.name).detach().numpy()
            if list(array.shape) != list(initializer.dims):
                raise ValueError(
                    f"{initializer.name}: expected {list(initializer.dims)}, found {list(array.shape)}"
                )
            initializer.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), initializer.name))
    if wanted:
        raise ValueError(f"the file has no {', '.join(sorted(wanted))}")
    values = metadata_of(info, describe_layers(layers, config, (SIDE, SIDE)))
    for entry in model.metadata_props:
        entry.value = values.get(entry.key, entry.value)
    return seal(bytes(model.SerializeToString()))


def _name_tensors(network: nn.Module, layers: list[Layer]) -> Iterator[tuple[str, Tensor]]:
    """Name the tensors as the file does: weights of its layers by their outputs, others by their modules."""
    sequence = first_sequence(network)
    assert sequence is not None
    modules = [module for module, _ in run_modules(sequence, torch.zeros(1, 1, SIDE, SIDE, dtype=torch.uint8))]
    names = {module: name for name, module in network.named_modules()}
    outputs = {
        f"{names[modules[layer.own]]}.weight": f"weights_{k}"
        for k, layer in enumerate(layers)
        if layer.weights is not None
    }
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            yield outputs.get(name, f"network.{name}"), tensor
