"""Augmentations keep shape and type, and draw from torch's default generator alone."""

import pytest
import torch
from torch import Tensor

from digitnet.augmentation.augment import AUGMENTATIONS, affine, none
from digitnet.training.randomness import seed_step


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_the_same_seed_and_step_augment_in_the_same_way(name: str) -> None:
    images = torch.randint(0, 256, (16, 1, 28, 28), dtype=torch.uint8)
    before = images.clone()
    results = []
    for step in (4, 4, 5):
        seed_step(1, step)
        results.append(AUGMENTATIONS[name](images))
    assert torch.equal(results[0], results[1])
    assert name == "none" or not torch.equal(results[0], results[2])
    assert results[0].shape == images.shape and results[0].dtype == torch.uint8
    assert torch.equal(images, before)


def test_none_returns_the_images_themselves() -> None:
    images = torch.randint(0, 256, (2, 1, 5, 6), dtype=torch.uint8)
    assert none(images) is images


def test_an_affine_transform_with_empty_ranges_is_the_identity() -> None:
    images = torch.randint(0, 256, (8, 1, 28, 20), dtype=torch.uint8)
    assert torch.equal(affine(images, degrees=0, scale=0, shear=0, pixels=0), images)


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [
        ({"degrees": 10}, {"turn": 10}),
        ({"scale": 0.1}, {"wide": 0.1, "high": 0.1}),
        ({"pixels": 2}, {"right": 2, "down": 2}),
        ({"shear": 0.1}, {"slant": 0.1}),
    ],
)
def test_an_affine_transform_stays_in_its_ranges_and_fills_them(
    amounts: dict[str, float], expected: dict[str, float]
) -> None:
    """The moments of an ellipse show how it was transformed: an oracle that is independent of the function."""
    torch.manual_seed(1)
    image = ellipse().repeat(400, 1, 1, 1)
    nothing = {"degrees": 0.0, "scale": 0.0, "shear": 0.0, "pixels": 0.0}
    before, after = moments(image[:1]), moments(affine(image, **{**nothing, **amounts}))
    changes = {
        "turn": after["angle"] - before["angle"],
        "wide": 1 - after["wide"] / before["wide"],
        "high": 1 - after["high"] / before["high"],
        "slant": after["slant"] - before["slant"],
        "right": after["x"] - before["x"],
        "down": after["y"] - before["y"],
    }
    for name, limit in expected.items():
        change = changes[name]
        assert change.abs().max() <= 1.15 * limit, name
        assert change.max() >= 0.85 * limit and change.min() <= -0.85 * limit, name
        assert abs(float(change.mean())) < 0.12 * limit, name


def ellipse() -> Tensor:
    """Draw a bright ellipse, higher than wide, in the middle: ``(1, 1, 56, 56)`` uint8."""
    y, x = torch.meshgrid(torch.arange(56) - 27.5, torch.arange(56) - 27.5, indexing="ij")
    return (255 * torch.sigmoid(4 * (1 - (x / 8) ** 2 - (y / 16) ** 2))).to(torch.uint8)[None, None]


def moments(images: Tensor) -> dict[str, Tensor]:
    """Measure each image's centre, its spread along the axes, its slant, and its long axis' angle in degrees."""
    weight = images[:, 0].double()
    weight = weight / weight.sum(dim=(1, 2), keepdim=True)
    y, x = torch.meshgrid(torch.arange(56.0), torch.arange(56.0), indexing="ij")
    centre_x, centre_y = ((weight * axis).sum(dim=(1, 2)) for axis in (x, y))
    dx, dy = x - centre_x[:, None, None], y - centre_y[:, None, None]
    xx, yy, xy = ((weight * product).sum(dim=(1, 2)) for product in (dx * dx, dy * dy, dx * dy))
    return {
        "x": centre_x,
        "y": centre_y,
        "wide": xx.sqrt(),
        "high": yy.sqrt(),
        "slant": xy / yy,
        "angle": torch.rad2deg(0.5 * torch.atan2(2 * xy, yy - xx)),
    }
