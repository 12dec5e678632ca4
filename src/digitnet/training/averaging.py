"""Which weights are judged: the last ones, or an average over the steps."""

import copy
from typing import Protocol

import torch
from torch import nn

from digitnet.config import TrainConfig


class Average(Protocol):
    """Follows the network while it trains."""

    network: nn.Module  # the one to judge

    def update(self, step: int) -> None:
        """Take in the weights after `step`, counted from 0."""


class LastWeights:
    """No average: the network as it is."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def update(self, step: int) -> None:
        """Nothing to do."""


class ExponentialAverage:
    """Exponential moving average: ``average += (1 - decay) * (weights - average)`` after each step.

    The decay rises as ``(1 + step) / (10 + step)`` up to its value, so that the first weights, which are noise,
    are soon forgotten (as TensorFlow's ExponentialMovingAverage does with num_updates).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.source = network
        self.network = copy.deepcopy(network).requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move the average towards the present weights; whole numbers (counters) are copied."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        present = self.source.state_dict()
        for name, value in self.network.state_dict().items():
            if value.is_floating_point():
                value.lerp_(present[name], share)
            else:
                value.copy_(present[name])


def make_average(network: nn.Module, config: TrainConfig) -> Average:
    """Follow `network` in the way that the configuration asks for."""
    return ExponentialAverage(network, config.ema_decay) if config.ema_decay else LastWeights(network)
