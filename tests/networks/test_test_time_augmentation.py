"""Views: the mean probability of an image and of itself moved by a pixel, when judging and only then."""

import pytest
import torch
from torch import nn

from conftest import BLOG
from digitnet.errors import UsageError
from digitnet.networks.models import build_network
from digitnet.networks.test_time_augmentation import MOVES


@pytest.mark.parametrize("name", ["fast", "micro"])
def test_views_answer_with_the_mean_probability_of_images_moved_by_hand(name: str) -> None:
    """The oracle rolls images whose border is background, so that nothing comes round."""
    alone, several = network(name, 1).eval(), network(name, 5).eval()
    images = torch.zeros(6, 1, 28, 28, dtype=torch.uint8)
    images[..., 3:-3, 3:-3] = torch.randint(0, 256, (6, 1, 22, 22), dtype=torch.uint8)
    answers = torch.stack([alone(images.roll(move, dims=(2, 3))) for move in MOVES])  # (5, 6, 10)
    assert torch.allclose(several(images).softmax(dim=1), answers.softmax(dim=2).mean(dim=0), atol=1e-6)
    energy = answers.logsumexp(dim=2).mean(dim=0)
    assert torch.allclose(several(images).logsumexp(dim=1), energy, atol=1e-5)  # which a refusal goes by
    assert len(set(MOVES)) == 5 and MOVES[0] == (0, 0)


def test_in_training_there_is_one_view() -> None:
    images = torch.randint(0, 256, (6, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(network("fast", 5)(images), network("fast", 1)(images))


def test_the_weights_have_the_same_names_with_views_and_without() -> None:
    assert network("fast", 5).state_dict().keys() == network("fast", 1).state_dict().keys()


def test_moves_are_of_the_prepared_image() -> None:
    """Deskewing takes out every move before it; those of the views come behind."""
    images = torch.randint(0, 256, (6, 1, 28, 28), dtype=torch.uint8)
    config = {"network": "tiny", "preprocessing": "deskew"}
    alone, several = (build_network(BLOG.replace(tta=v, **config), (28, 28), 10).eval() for v in (1, 5))
    assert not torch.allclose(several(images).softmax(dim=1), alone(images).softmax(dim=1), atol=1e-6)
    layers = nn.Sequential(nn.Identity(), *list(alone)[1:])
    prepared = torch.nn.functional.pad(alone[0](images), (1, 1, 1, 1))
    answers = [
        layers(prepared[:, :, 1 - down : 29 - down, 1 - right : 29 - right]).softmax(dim=1)
        for down, right in MOVES
    ]
    assert torch.allclose(several(images).softmax(dim=1), torch.stack(answers).mean(dim=0), atol=1e-6)


def test_another_number_of_views_is_refused() -> None:
    with pytest.raises(UsageError, match="--tta: expected 1 or 5, found 4"):
        BLOG.replace(tta=4)


def network(name: str, views: int) -> nn.Module:
    return build_network(BLOG.replace(network=name, tta=views), (28, 28), 10)
