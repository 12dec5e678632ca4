"""A device is used when it is there and computes what the CPU does; otherwise a sentence says so."""

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
def test_cuda_without_cuda_is_refused_with_what_there_is() -> None:
    with pytest.raises(
        DeviceError, match=r"--device cuda: expected a CUDA device .* found only cpu.*--device auto"
    ):
        choose_device("cuda")


def test_the_cpu_is_always_there() -> None:
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    assert check_device(NETWORK, IMAGES, LABELS, torch.device("cpu")) == "Computing on the CPU."


def test_a_copy_computes_the_same() -> None:
    assert largest_difference(NETWORK, copy.deepcopy(NETWORK), IMAGES, LABELS)[1] == 0.0


@pytest.mark.parametrize("value", [0.5, float("nan")])
def test_one_wrong_weight_shows(value: float) -> None:
    wrong = copy.deepcopy(NETWORK)
    with torch.no_grad():
        wrong[1].weight[0, 0, 0, 0] += value  # type: ignore[index,union-attr,operator]
    name, difference = largest_difference(NETWORK, wrong, IMAGES, LABELS)
    assert not difference <= 1e-3
    assert name


def test_the_comparison_is_made_without_tf32_and_leaves_the_setting_as_it_was() -> None:
    seen = []
    watched = copy.deepcopy(NETWORK)
    watched.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    before = torch.backends.cudnn.allow_tf32
    largest_difference(NETWORK, watched, IMAGES, LABELS)
    assert seen == [False]
    assert torch.backends.cudnn.allow_tf32 == before


@pytest.mark.skipif(choose_device("auto").type == "cpu", reason="there is no accelerator here")
def test_the_accelerator_here_computes_what_the_cpu_does() -> None:
    assert "agree with the CPU's" in check_device(NETWORK, IMAGES, LABELS, choose_device("auto"))
