"""Preparations stand before the network: what it is judged on is what it was trained on."""

import pytest
import torch

from conftest import BLOG
from digitnet.augmentation.augment import make_augmentation
from digitnet.errors import UsageError
from digitnet.networks.models import build_network
from digitnet.networks.preprocessing import PREPARATIONS, preparation, upright


@pytest.mark.parametrize("name", PREPARATIONS)
def test_a_network_is_trained_on_what_it_is_judged_on(name: str) -> None:
    """Without an augmentation, to the rounding of bytes."""
    images = bytes_of(torch.cat([ellipse(0.3, 3.0, -2.5), ellipse(-0.2, 0.0, 1.0)]))
    config = BLOG.replace(preprocessing=name)
    prepare = build_network(config, (40, 36), 10)[0]
    trained_on = prepare.train()(make_augmentation(config)(images))
    judged_on = prepare.eval()(images)
    assert trained_on.dtype == judged_on.dtype == torch.float32
    assert (trained_on - judged_on).abs().max() <= 0.51 / 255


def test_an_augmentation_moves_the_images_that_deskewing_has_centred() -> None:
    images = bytes_of(ellipse(0.3, 5.0, -4.0)).repeat(200, 1, 1, 1)
    torch.manual_seed(3)
    moved = make_augmentation(BLOG.replace(preprocessing="deskew", augment="affine"))(images)
    places = {tuple(round(place) for place in moments(image[0])[:2]) for image in moved}
    assert places == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}  # 200 draws miss one once in 140 times


def test_scaling_gives_the_bytes_of_training_as_they_are() -> None:
    images = torch.randint(0, 256, (4, 1, 9, 7), dtype=torch.uint8)
    assert preparation("scale").prepare(images) is images


@pytest.mark.parametrize("slant", [-0.4, 0.0, 0.3])
@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (3.0, -2.5), (-4.5, 1.0)])
def test_deskewed_ink_stands_upright_in_the_middle(slant: float, right: float, down: float) -> None:
    stood = upright(ellipse(slant, right, down))
    x, y, xy = moments(stood[0, 0])
    assert abs(x) < 0.05 and abs(y) < 0.05 and abs(xy) < 0.02
    assert (stood - ellipse(0.0, 0.0, 0.0)).abs().max() < 0.25  # of the one edge pixel that is hit worst


def test_deskewing_leaves_what_is_upright_and_what_is_empty() -> None:
    standing, empty = ellipse(0.0, 0.0, 0.0), torch.zeros(1, 1, 28, 20)
    assert torch.allclose(upright(standing), standing, atol=1e-4)
    assert torch.equal(upright(empty), empty)


def ellipse(slant: float, right: float, down: float) -> torch.Tensor:
    """Draw ``(1, 1, 40, 36)`` from 0 to 1: an ellipse whose rows slide by `slant` pixels against the next."""
    y, x = torch.meshgrid(torch.arange(40) - 19.5 - down, torch.arange(36) - 17.5 - right, indexing="ij")
    return torch.sigmoid(4 * (1 - ((x - slant * y) / 5) ** 2 - (y / 10) ** 2))[None, None]


def moments(image: torch.Tensor) -> tuple[float, float, float]:
    """Measure where the ink of an image ``(rows, columns)`` is, in pixels from the middle, and how it slants."""
    rows, columns = image.shape
    places = [
        (row - (rows - 1) / 2, column - (columns - 1) / 2) for row in range(rows) for column in range(columns)
    ]
    ink = image.double().flatten().tolist()
    y, x = (sum(w * place[axis] for w, place in zip(ink, places, strict=True)) / sum(ink) for axis in (0, 1))
    both = sum(w * (row - y) * (column - x) for w, (row, column) in zip(ink, places, strict=True))
    return x, y, both / sum(w * (row - y) ** 2 for w, (row, _) in zip(ink, places, strict=True))


def bytes_of(images: torch.Tensor) -> torch.Tensor:
    return (255 * images).round().to(torch.uint8)


def test_an_unknown_preparation_is_met_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Did you mean 'deskew'"):
        preparation("deskw")
