"""Freezing: the first layer learns up to a step and then needs no gradients; the others keep learning."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from conftest import BLOG
from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.networks.freezing import Freeze, first_layer
from digitnet.networks.models import build_network
from digitnet.presets import PRESETS
from digitnet.training.record import Recorder
from digitnet.training.session import prepare
from digitnet.training.state import TrainState
from digitnet.training.train import fit

CONFIG = BLOG.replace(network="fast", steps=10, batch_size=32, learning_rate=0.01, validation_images=60)
FIRST = 3  # parameters of the first layer: the filters, and BatchNorm's weight and bias


def frozen(fraction: float, **changes: object) -> TrainConfig:
    return CONFIG.replace(freeze_after=fraction, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("members", [1, 3])
def test_the_first_layer_of_each_member_is_frozen_after_the_fraction_and_the_others_keep_learning(
    drawn: Dataset, members: int
) -> None:
    weights = trained(frozen(0.4, members=members), drawn)
    for step, (before, after) in enumerate(pairwise(weights), start=1):  # from the second step on
        changed = [not torch.equal(*pair) for pair in zip(before, after, strict=True)]
        others = len(changed) // members - FIRST
        assert changed == members * ([step < 4] * FIRST + [True] * others), step


def test_until_then_training_is_as_without_freezing(drawn: Dataset) -> None:
    freezing, plain = trained(frozen(0.4), drawn), trained(CONFIG, drawn)
    for step in range(4):
        assert all(map(torch.equal, freezing[step], plain[step]))
    assert not torch.equal(freezing[4][0], plain[4][0])


def test_frozen_parameters_get_no_gradients() -> None:
    network = build_network(CONFIG, (28, 28), 10)
    freeze = Freeze(network, frozen(0.5).optimisation)
    for step, expected in [(0, True), (4, True), (5, False), (9, False), (2, True)]:  # depends on the step alone
        freeze.before_step(step)
        network.zero_grad()
        network(torch.zeros(2, 1, 28, 28, dtype=torch.uint8)).sum().backward()
        learning = [parameter.grad is not None for parameter in network.parameters()]
        assert learning == [expected] * FIRST + [True] * (len(learning) - FIRST)


@pytest.mark.parametrize("name", PRESETS)
def test_the_first_layer_is_the_first_convolution_and_its_batch_norm(name: str) -> None:
    layers = first_layer(build_network(PRESETS[name], (28, 28), 10))
    expected = [nn.Conv2d] if name == "blog" else [nn.Conv2d, nn.BatchNorm2d]
    assert [type(layer) for layer in layers] == expected


def test_the_only_layer_of_a_network_is_never_frozen() -> None:
    assert first_layer(nn.Sequential(nn.Flatten(), nn.Linear(784, 10))) == []


@pytest.mark.parametrize(("fraction", "freezes"), [(1.0, False), (0.9, True), (0.0, True)])
def test_a_fraction_of_one_freezes_nothing(fraction: float, freezes: bool) -> None:
    network = build_network(CONFIG, (28, 28), 10)
    Freeze(network, frozen(fraction).optimisation).before_step(CONFIG.optimisation.steps - 1)
    assert all(parameter.requires_grad for parameter in network.parameters()) == (not freezes)


class WeightRecorder(Recorder):
    """A recorder that copies the weights after each step."""

    def __init__(self) -> None:
        self.weights: list[list[Tensor]] = []

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        self.weights.append([parameter.detach().clone() for parameter in state.network.parameters()])


def trained(config: TrainConfig, dataset: Dataset) -> list[list[Tensor]]:
    """Return the weights after each step."""
    recorder = WeightRecorder()
    fit(prepare(config, dataset, recorder=recorder))
    return recorder.weights
