"""A first layer that is frozen learns up to a step, and from there on costs nothing; the others go on."""

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
from digitnet.training.session import prepare
from digitnet.training.state import TrainState
from digitnet.training.train import fit

CONFIG = BLOG.replace(network="fast", steps=10, batch_size=32, learning_rate=0.01, validation_images=60)
FIRST = 3  # tensors of the first layer: the filters, and BatchNorm's weight and bias


def frozen(share: float, **changes: object) -> TrainConfig:
    return CONFIG.replace(freeze_after=share, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("members", [1, 3])
def test_the_first_layer_of_each_network_rests_after_its_share_and_the_others_go_on(
    drawn: Dataset, members: int
) -> None:
    weights = trained(frozen(0.4, members=members), drawn)
    for step, (before, after) in enumerate(pairwise(weights), start=1):  # of the second step
        moved = [not torch.equal(*pair) for pair in zip(before, after, strict=True)]
        others = len(moved) // members - FIRST
        assert moved == members * ([step < 4] * FIRST + [True] * others), step


def test_until_then_nothing_is_different(drawn: Dataset) -> None:
    some, all_of_them = trained(frozen(0.4), drawn), trained(CONFIG, drawn)
    for step in range(4):
        assert all(map(torch.equal, some[step], all_of_them[step]))
    assert not torch.equal(some[4][0], all_of_them[4][0])


def test_what_rests_is_left_out_of_the_gradients() -> None:
    network = build_network(CONFIG, (28, 28), 10)
    freeze = Freeze(network, frozen(0.5).optimisation)
    for step, expected in [(0, True), (4, True), (5, False), (9, False), (2, True)]:  # by the step alone
        freeze.before_step(step)
        network.zero_grad()
        network(torch.zeros(2, 1, 28, 28, dtype=torch.uint8)).sum().backward()
        learning = [parameter.grad is not None for parameter in network.parameters()]
        assert learning == [expected] * FIRST + [True] * (len(learning) - FIRST)


@pytest.mark.parametrize("name", PRESETS)
def test_the_first_layer_is_the_first_convolution_and_the_batch_norm_behind_it(name: str) -> None:
    layers = first_layer(build_network(PRESETS[name], (28, 28), 10))
    expected = [nn.Conv2d] if name == "blog" else [nn.Conv2d, nn.BatchNorm2d]
    assert [type(layer) for layer in layers] == expected


def test_a_network_of_one_layer_goes_on_learning() -> None:
    assert first_layer(nn.Sequential(nn.Flatten(), nn.Linear(784, 10))) == []


@pytest.mark.parametrize(("fraction", "freezes"), [(1.0, False), (0.9, True), (0.0, True)])
def test_a_fraction_of_one_freezes_nothing(fraction: float, freezes: bool) -> None:
    network = build_network(CONFIG, (28, 28), 10)
    Freeze(network, frozen(fraction).optimisation).before_step(CONFIG.optimisation.steps - 1)
    assert all(parameter.requires_grad for parameter in network.parameters()) == (not freezes)


class Copies:
    """A recorder that copies the weights after each step."""

    def __init__(self) -> None:
        self.weights: list[list[Tensor]] = []

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        self.weights.append([parameter.detach().clone() for parameter in state.network.parameters()])


def trained(config: TrainConfig, dataset: Dataset) -> list[list[Tensor]]:
    """Give the weights after each step."""
    copies = Copies()
    fit(prepare(config, dataset, recorder=copies))
    return copies.weights
