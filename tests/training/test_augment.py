"""Augmentations keep the shape, the type and the label, and draw from torch's generator alone."""

import pytest
import torch
import torch.nn.functional as F

from digitnet.errors import UsageError
from digitnet.training.augment import AUGMENTATIONS, augmentation, none, shift
from digitnet.training.randomness import seed_step


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_and_step_change_the_images_in_the_same_way(name: str) -> None:
    images = torch.randint(0, 256, (16, 1, 28, 28), dtype=torch.uint8)
    before = images.clone()
    results = []
    for step in (4, 4, 5):
        seed_step(1, step)
        results.append(augmentation(name)(images))
    assert torch.equal(results[0], results[1])
    assert name == "none" or not torch.equal(results[0], results[2])
    assert results[0].shape == images.shape and results[0].dtype == torch.uint8
    assert torch.equal(images, before)


def test_none_is_the_image_itself() -> None:
    images = torch.randint(0, 256, (2, 1, 5, 6), dtype=torch.uint8)
    assert none(images) is images


def test_a_shifted_image_is_the_image_moved_with_background_coming_in() -> None:
    images = torch.randint(1, 256, (600, 1, 12, 9), dtype=torch.uint8)
    seen = set()
    for image, moved in zip(images, shift(images), strict=True):
        padded = F.pad(image, (4, 4, 4, 4))
        places = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if torch.equal(padded[:, 4 - down : 16 - down, 4 - right : 13 - right], moved)
        ]
        assert len(places) == 1
        seen.update(places)
    assert len(seen) == 25  # 600 draws miss a place once in two billion


def test_an_unknown_augmentation_is_met_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean 'shift'"):
        augmentation("shfit")
