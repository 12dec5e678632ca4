"""A device is used if torch has it and it computes the same numbers as the CPU; otherwise an error says so."""

import copy

import pytest
import torch

from conftest import BLOG
from digitnet.errors import DeviceError
from digitnet.networks.models import build_network
from digitnet.training.device import check_device, choose_device, largest_difference

NETWORK = build_network(BLOG.replace(filters=(4, 8)), (28, 28), 10)
IMAGES = torch.randint(0, 256, (16, 1, 28, 28), dtype=torch.uint8)
LABELS = torch.arange(16) % 10


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_cuda_where_there_is_none_is_refused_with_the_available_devices() -> None:
    with pytest.raises(
        DeviceError, match=r"device='cuda': expected a CUDA device .* found only cpu.*device='auto'"
    ):
        choose_device("cuda")


def test_the_cpu_is_always_available() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    assert check_device(NETWORK, IMAGES, LABELS, torch.device("cpu")) == "Computing on the CPU."


def test_a_copy_of_a_network_has_no_difference() -> None:
    assert largest_difference(NETWORK, copy.deepcopy(NETWORK), IMAGES, LABELS)[1] == 0.0


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_one_wrong_weight_is_noticed(value: float) -> None:
    wrong = copy.deepcopy(NETWORK)
    with torch.no_grad():
        wrong[1].weight[0, 0, 0, 0] += value  # type: ignore[index,union-attr,operator]
    name, difference = largest_difference(NETWORK, wrong, IMAGES, LABELS)
    assert not difference <= 1e-3
    assert name


def test_the_comparison_turns_tf32_off_and_restores_the_setting() -> None:
    seen = []
    candidate = copy.deepcopy(NETWORK)
    candidate.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    before = torch.backends.cudnn.allow_tf32
    largest_difference(NETWORK, candidate, IMAGES, LABELS)
    assert seen == [False]
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.skipif(choose_device("auto").type == "cpu", reason="there is no accelerator here")
def test_the_accelerator_of_this_machine_agrees_with_the_cpu() -> None:
    assert "agree with the CPU's" in check_device(NETWORK, IMAGES, LABELS, choose_device("auto"))
