"""The average is what its formula says, and its do-nothing twin is the network itself."""

import torch
from torch import nn

from digitnet.config import TrainConfig
from digitnet.training.averaging import ExponentialAverage, LastWeights, make_average


def test_the_average_follows_its_closed_form() -> None:
    network = nn.Linear(1, 1, bias=False)
    values = [3.0, -1.0, 4.0, 1.5, 9.0, 2.0]
    with torch.no_grad():
        network.weight.fill_(values[0])
    average = ExponentialAverage(network, decay=0.3)
    expected = values[0]
    for step, value in enumerate(values[1:]):
        with torch.no_grad():
            network.weight.fill_(value)
        average.update(step)
        decay = min(0.3, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert torch.allclose(average.network.weight, torch.tensor(expected))  # type: ignore[arg-type]
    assert network.weight.item() == values[-1]


def test_counters_are_copied_and_statistics_are_averaged() -> None:
    network = nn.BatchNorm1d(2)
    average = ExponentialAverage(network, decay=0.5)
    network(torch.randn(8, 2))
    average.update(100)
    assert average.network.state_dict()["num_batches_tracked"] == 1
    middle = (network.running_mean / 2).detach()  # the average began at zero
    assert torch.allclose(average.network.state_dict()["running_mean"], middle)


def test_without_a_decay_the_network_itself_is_judged() -> None:
    network = nn.Linear(1, 1)
    average = make_average(network, TrainConfig(ema_decay=0.0))
    assert isinstance(average, LastWeights) and average.network is network
    assert make_average(network, TrainConfig(ema_decay=0.5)).network is not network
