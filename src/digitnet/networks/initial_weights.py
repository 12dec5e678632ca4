"""First weights of a network. To add a way: write a function of the network, and name it in INITIAL_WEIGHTS."""

from collections.abc import Callable

from torch import nn

from digitnet.config import InitialWeightsName


def keep(network: nn.Module) -> None:
    """Keep torch's own: uniform, within the inverse square root of the number of inputs."""


def draw_truncated_normal(network: nn.Module) -> None:
    """Draw weights from a normal distribution of deviation 0.1, cut off at 0.2; set every bias to 0.1.

    TensorFlow 1's tutorials did so: `tf.truncated_normal(shape, stddev=0.1)` draws a value again while it is more
    than two deviations from 0, and biases of `tf.constant(0.1)` let every ReLU begin active.
    """
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(layer.weight, std=0.1, a=-0.2, b=0.2)
            if layer.bias is not None:
                nn.init.constant_(layer.bias, 0.1)


INITIAL_WEIGHTS: dict[InitialWeightsName, Callable[[nn.Module], None]] = {
    "torch": keep,
    "truncated_normal": draw_truncated_normal,
}


def set_initial_weights(network: nn.Module, name: InitialWeightsName) -> None:
    """Set the first weights by the name of a way."""
    INITIAL_WEIGHTS[name](network)
