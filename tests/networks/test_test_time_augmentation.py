"""Test-time augmentation: the mean probability over shifted copies, in evaluation mode only."""

import pytest
import torch
from torch import nn

from conftest import BLOG
from digitnet.errors import UsageError
from digitnet.networks.models import build_network
from digitnet.networks.test_time_augmentation import SHIFTS


@pytest.mark.parametrize("name", ["fast", "micro"])
def test_the_prediction_is_the_mean_probability_over_copies_shifted_by_hand(name: str) -> None:
    """The oracle rolls images whose border is background, so that no ink wraps around."""
    alone, several = network(name, 1).eval(), network(name, 5).eval()
    images = torch.zeros(6, 1, 28, 28, dtype=torch.uint8)
    images[..., 3:-3, 3:-3] = torch.randint(0, 256, (6, 1, 22, 22), dtype=torch.uint8)
    answers = torch.stack([alone(images.roll(shift, dims=(2, 3))) for shift in SHIFTS])  # (5, 6, 10)
    assert torch.allclose(several(images).softmax(dim=1), answers.softmax(dim=2).mean(dim=0), atol=1e-6)
    energy = answers.logsumexp(dim=2).mean(dim=0)
    assert torch.allclose(several(images).logsumexp(dim=1), energy, atol=1e-5)  # by which outliers are recognised
    assert len(set(SHIFTS)) == 5 and SHIFTS[0] == (0, 0)


def test_training_uses_the_unshifted_image_alone() -> None:
    images = torch.randint(0, 256, (6, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(network("fast", 5)(images), network("fast", 1)(images))


def test_the_tensors_have_the_same_names_with_and_without_test_time_augmentation() -> None:
    assert network("fast", 5).state_dict().keys() == network("fast", 1).state_dict().keys()


def test_the_preprocessed_image_is_shifted() -> None:
    """Deskewing would undo every shift before it."""
    images = torch.randint(0, 256, (6, 1, 28, 28), dtype=torch.uint8)
    config = {"network": "tiny", "preprocessing": "deskew"}
    alone, several = (build_network(BLOG.replace(tta=copies, **config), (28, 28), 10).eval() for copies in (1, 5))
    assert not torch.allclose(several(images).softmax(dim=1), alone(images).softmax(dim=1), atol=1e-6)
    layers = nn.Sequential(nn.Identity(), *list(alone)[1:])
    padded = torch.nn.functional.pad(alone[0](images), (1, 1, 1, 1))
    answers = [
        layers(padded[:, :, 1 - down : 29 - down, 1 - right : 29 - right]).softmax(dim=1) for down, right in SHIFTS
    ]
    assert torch.allclose(several(images).softmax(dim=1), torch.stack(answers).mean(dim=0), atol=1e-6)


def test_another_number_of_copies_is_refused() -> None:
    with pytest.raises(UsageError, match="tta: expected 1 or 5, found 4"):
        BLOG.replace(tta=4)


def network(name: str, copies: int) -> nn.Module:
    return build_network(BLOG.replace(network=name, tta=copies), (28, 28), 10)
