"""The augmentation `ink` keeps digits recognisable, and its building blocks match torch and scipy."""

import numpy as np
import pytest
import scipy.ndimage
import torch
import torch.nn.functional as F

from digitnet.augmentation.ink import DEFECTS, DEGRADATIONS, Change, blur, dilate, enlarge, ink, redraw
from digitnet.errors import UsageError


@pytest.fixture
def rings() -> torch.Tensor:
    """Forty rings of MNIST's size: ``(40, 1, 28, 28)`` uint8."""
    y, x = torch.meshgrid(torch.arange(28) - 14.0, torch.arange(28) - 14.0, indexing="ij")
    ring = 255 * torch.sigmoid(4 * (1.5 - ((x / 0.7).square() + y.square()).sqrt().sub(8.5).abs()))
    return ring.to(torch.uint8).repeat(40, 1, 1, 1)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 40])
def test_a_batch_of_any_size_keeps_its_shape_and_its_ink(count: int, rings: torch.Tensor) -> None:
    changed = ink(rings[:count])
    assert changed.shape == (count, 1, 28, 28) and changed.dtype == torch.uint8
    assert (changed.amax(dim=(1, 2, 3)) > 0).all()


def test_each_image_keeps_its_position_in_the_batch() -> None:
    """Every other image is empty; those with ink stay lighter than the empty ones."""
    images = torch.zeros(64, 1, 28, 28, dtype=torch.uint8)
    images[::2, :, 6:22, 12:16] = 255
    torch.manual_seed(1)
    inked = ink(images)[:, 0, 6:22, 9:19].float().mean(dim=(1, 2))
    assert inked[::2].median() > 2 * inked[1::2].median()
    assert (inked[::2] > inked[1::2].median()).float().mean() > 0.9


def test_a_redrawn_ring_is_still_a_ring_20_pixels_long(rings: torch.Tensor) -> None:
    torch.manual_seed(2)
    redrawn = redraw(rings)[:, 0] / 255
    assert (redrawn[:, 13:16, 13:16].mean(dim=(1, 2)) < 0.6).float().mean() > 0.9  # its middle is empty
    long = torch.maximum(*((redrawn.amax(dim=axis) > 0.5).sum(dim=1) for axis in (1, 2))).float()
    assert long.median() == pytest.approx(20, abs=1)
    thickness = redrawn.mean(dim=(1, 2))
    assert thickness.max() > 2 * thickness.min()  # pencils and felt pens


@pytest.mark.parametrize(
    ("side", "change"), [(48, change) for _, change in DEFECTS] + [(28, change) for _, change in DEGRADATIONS]
)
def test_a_change_keeps_shape_and_input_and_accepts_an_empty_batch(side: int, change: Change) -> None:
    torch.manual_seed(3)
    pictures = torch.rand(6, side, side)
    before = pictures.clone()
    changed = change(pictures)
    assert changed.shape == pictures.shape and bool(torch.isfinite(changed).all())
    assert torch.equal(pictures, before) and not torch.equal(changed, pictures)
    assert change(pictures[:0]).shape == (0, side, side)


@pytest.mark.parametrize("reach", [1, 2, 3])
def test_dilate_is_torchs_max_pool(reach: int) -> None:
    pictures = torch.rand(3, 20, 20)
    expected = F.max_pool2d(pictures[:, None], 2 * reach + 1, 1, reach)[:, 0]
    assert torch.equal(dilate(pictures, reach), expected)


def test_blur_is_scipys_gaussian() -> None:
    pictures = torch.rand(2, 48, 48)
    expected = scipy.ndimage.gaussian_filter(pictures.numpy(), (0, 1.2, 1.2), mode="constant", truncate=8)
    assert np.allclose(blur(pictures, 1.2).numpy(), expected, atol=1e-4)


def test_enlarge_is_torchs_bicubic_interpolation() -> None:
    values = torch.rand(4, 2, 5, 5)
    expected = F.interpolate(values, 48, mode="bicubic", align_corners=True)
    assert torch.allclose(enlarge(values, 48), expected, atol=1e-5)


def test_images_of_another_size_are_refused() -> None:
    with pytest.raises(UsageError, match=r"augment='ink': expected images of 28 x 28 pixels.* found 8 x 9"):
        ink(torch.zeros(2, 1, 8, 9, dtype=torch.uint8))
