"""The networks. To add one: write the function, name it in NETWORKS, and pin its parameters in tests.

Every network takes the raw images ``(B, 1, rows, columns)`` uint8, 0 to 255, and returns logits ``(B, K)``: the
scaling is its first layer, so that it travels with the weights.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from digitnet.config import TrainConfig
from digitnet.errors import UsageError, nearest
from digitnet.run_folder import Run
from digitnet.training.state import read_weights


class Scale(nn.Module):
    """Bytes to numbers: uint8 0 to 255 becomes float32 0 to 1."""

    def forward(self, images: Tensor) -> Tensor:
        """Divide by 255."""
        return images.to(torch.float32).div_(255)


def blog(config: TrainConfig, image_shape: tuple[int, int], classes: int) -> nn.Sequential:
    """Build the blog's network: convolution, max pool, ReLU for each entry of `filters`, then dense.

    The pool stands before the ReLU: both only ever keep the largest, so they commute, and a quarter of the work
    is left for the ReLU. An image is halved by each pool until a side is a single pixel.
    """
    rows, columns = image_shape
    channels = 1
    layers: list[nn.Module] = [Scale()]
    for filters in config.filters:
        layers.append(
            nn.Conv2d(channels, filters, config.kernel_size, padding="same")
        )  # (B, filters, rows, columns)
        if min(rows, columns) > 1:
            layers.append(nn.MaxPool2d(2))  # (B, filters, rows / 2, columns / 2)
            rows, columns = rows // 2, columns // 2
        layers.append(nn.ReLU())
        channels = filters
    layers.append(nn.Flatten())  # (B, channels * rows * columns): 1,568 for the preset
    features = channels * rows * columns
    if config.hidden:
        layers += [nn.Linear(features, config.hidden), nn.ReLU()]
        features = config.hidden
    layers.append(nn.Linear(features, classes))  # (B, K); the softmax is in the loss
    return nn.Sequential(*layers)


NETWORKS: dict[str, Callable[[TrainConfig, tuple[int, int], int], nn.Module]] = {"blog": blog}


def build_network(config: TrainConfig, image_shape: tuple[int, int], classes: int) -> nn.Module:
    """Build the network that the configuration names, its first weights drawn from the seed.

    Laid out channels last: a step of the blog's network takes 14 to 20 ms so, against 35 to 55 in torch's
    default layout (two cores, batch 128). Raises UsageError for an unknown name.
    """
    if config.network not in NETWORKS:
        raise UsageError(f"There is no network {config.network!r}. {nearest(config.network, NETWORKS)}")
    with torch.random.fork_rng(devices=[]):  # leaves the caller's randomness as it was
        torch.default_generator.manual_seed(config.seed)
        network = NETWORKS[config.network](config, image_shape, classes)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # a gap in torch


def parameter_count(network: nn.Module) -> int:
    """Count the numbers that training changes."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def load_network(run: Run) -> nn.Module:
    """Rebuild a run's network with the weights to judge, on the CPU; raise RunError when they can't be read."""
    environment = run.environment
    rows, columns = environment["image_shape"]
    network = build_network(run.config, (rows, columns), len(environment["label_names"]))
    network.load_state_dict(read_weights(run))
    return network.eval()
