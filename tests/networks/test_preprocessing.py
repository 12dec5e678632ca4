"""Preprocessing: the network sees the same images in evaluation as in training."""

import pytest
import torch

from conftest import BLOG
from digitnet.augmentation.augment import make_augmentation
from digitnet.networks.models import build_network
from digitnet.networks.preprocessing import PREPROCESSING, deskew, make_preprocessing


@pytest.mark.parametrize("name", PREPROCESSING)
def test_a_network_sees_the_same_images_in_training_and_in_evaluation(name: str) -> None:
    """Without an augmentation, to the rounding of bytes."""
    images = bytes_of(torch.cat([ellipse(0.3, 3.0, -2.5), ellipse(-0.2, 0.0, 1.0)]))
    config = BLOG.replace(preprocessing=name)
    preprocess = build_network(config, (40, 36), 10)[0]
    in_training = preprocess.train()(make_augmentation(config)(images))
    in_evaluation = preprocess.eval()(images)
    assert in_training.dtype == in_evaluation.dtype == torch.float32
    assert (in_training - in_evaluation).abs().max() <= 0.51 / 255


def test_the_augmentation_shifts_images_after_they_are_centred() -> None:
    images = bytes_of(ellipse(0.3, 5.0, -4.0)).repeat(200, 1, 1, 1)
    torch.manual_seed(3)
    augmented = make_augmentation(BLOG.replace(preprocessing="deskew", augment="affine"))(images)
    places = {tuple(round(place) for place in moments(image[0])[:2]) for image in augmented}
    assert places == {(x, y) for x in range(-2, 3) for y in range(-2, 3)}  # 200 draws miss one once in 140 times


def test_scaling_leaves_the_images_before_the_augmentation_as_they_are() -> None:
    images = torch.randint(0, 256, (4, 1, 9, 7), dtype=torch.uint8)
    assert make_preprocessing("scale").before_augmentation(images) is images


@pytest.mark.parametrize("slant", [-0.4, 0.0, 0.3])
@pytest.mark.parametrize(("right", "down"), [(0.0, 0.0), (3.0, -2.5), (-4.5, 1.0)])
def test_deskewed_ink_is_upright_and_centred(slant: float, right: float, down: float) -> None:
    deskewed = deskew(ellipse(slant, right, down))
    x, y, xy = moments(deskewed[0, 0])
    assert abs(x) < 0.05 and abs(y) < 0.05 and abs(xy) < 0.02
    assert (deskewed - ellipse(0.0, 0.0, 0.0)).abs().max() < 0.25  # at the worst edge pixel


def test_deskewing_does_not_change_upright_or_empty_images() -> None:
    upright, empty = ellipse(0.0, 0.0, 0.0), torch.zeros(1, 1, 28, 20)
    assert torch.allclose(deskew(upright), upright, atol=1e-4)
    assert torch.equal(deskew(empty), empty)


def ellipse(slant: float, right: float, down: float) -> torch.Tensor:
    """Draw an ellipse ``(1, 1, 40, 36)``, 0 to 1, whose rows are sheared by `slant` pixels each."""
    y, x = torch.meshgrid(torch.arange(40) - 19.5 - down, torch.arange(36) - 17.5 - right, indexing="ij")
    return torch.sigmoid(4 * (1 - ((x - slant * y) / 5) ** 2 - (y / 10) ** 2))[None, None]


def moments(image: torch.Tensor) -> tuple[float, float, float]:
    """Centre of mass of an image ``(rows, columns)``, x and y in pixels from the middle, and its slant."""
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
