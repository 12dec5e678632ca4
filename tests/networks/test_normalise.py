"""Ink of any size, position and darkness becomes the same image: 20 pixels long, centred by its centre of mass."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from torch import Tensor

from digitnet.networks.normalise import centre_ink, extent


def stroke(points: list[tuple[int, int]], width: int = 12, side: int = 160) -> Tensor:
    """Draw a line of ink through `points`: ``(1, side, side)``, 0 to 1."""
    picture = Image.new("L", (4 * side, 4 * side))  # four times as large, for soft edges
    ImageDraw.Draw(picture).line([(4 * x, 4 * y) for x, y in points], fill=255, width=4 * width, joint="curve")
    return torch.from_numpy(np.array(picture.resize((side, side), Image.Resampling.BOX)))[None] / 255


SEVEN = stroke([(40, 30), (110, 30), (60, 130)])
LOW = stroke([(20, 90), (140, 80), (90, 110), (30, 105)])
"""One shape that is higher than wide, and one that is wider than high."""


def centre_of_mass(images: Tensor) -> tuple[float, float]:
    weight = images[0, 0] / images.sum()
    index = torch.arange(28.0)
    return float((weight.sum(dim=1) * index).sum()), float((weight.sum(dim=0) * index).sum())


@pytest.mark.parametrize("ink", [SEVEN, LOW], ids=["high", "wide"])
def test_the_longer_side_becomes_20_pixels_and_the_centre_of_mass_is_pixel_14(ink: Tensor) -> None:
    image = centre_ink(ink)
    assert image.shape == (1, 1, 28, 28)
    assert float(image.max()) == 255 and float(image.min()) == 0
    assert centre_of_mass(image) == pytest.approx((14, 14), abs=0.05)
    # the edge may be inside a pixel, so one pixel more or less can be dark
    longer = max(int(image[0, 0].amax(dim=axis).gt(127).sum()) for axis in (0, 1))
    assert longer in (19, 20, 21)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.floats(0.05, 1))
def test_position_padding_and_darkness_do_not_change_the_image(
    top: int, bottom: int, left: int, right: int, darkness: float
) -> None:
    padded = darkness * F.pad(SEVEN, (left, right, top, bottom))
    assert torch.allclose(centre_ink(padded), centre_ink(SEVEN), atol=0.5)


@pytest.mark.parametrize("factor", [2, 3, 5])
@pytest.mark.parametrize("ink", [SEVEN, LOW], ids=["high", "wide"])
def test_a_higher_resolution_of_the_same_ink_gives_the_same_image(ink: Tensor, factor: int) -> None:
    larger = ink.repeat_interleave(factor, dim=1).repeat_interleave(factor, dim=2)
    assert (centre_ink(larger) - centre_ink(ink)).abs().max() < 10  # of 255: edges are found to a part of a pixel


@pytest.mark.parametrize("ink", [SEVEN, LOW], ids=["high", "wide"])
def test_a_centred_image_stays_nearly_the_same(ink: Tensor) -> None:
    once = centre_ink(ink)
    twice = centre_ink(once[:, 0] / 255)
    assert (twice - once).abs().mean() < 1.5


def test_each_pixel_is_the_mean_of_the_area_that_it_covers() -> None:
    """120 pixels become 20, so each covers 6 x 6; the symmetric ink's middle goes to the centre of pixel 14."""
    quarter = torch.rand(60, 60, generator=torch.Generator().manual_seed(2)).clamp_min(0.5)
    quarter[0] = quarter[:, 0] = 1  # an edge of full ink is found exactly
    half = torch.cat([quarter, quarter.flip(1)], dim=1)
    ink = torch.cat([half, half.flip(0)])
    around = F.pad(ink, (27, 27, 27, 27))  # 174 rows: 29 pixels, and the middle is at the centre of the 15th
    expected = around.reshape(29, 6, 29, 6).mean(dim=(1, 3))[:28, :28]
    assert torch.allclose(centre_ink(ink[None])[0, 0], 255 * expected / expected.max(), atol=0.5)


def test_a_faint_speck_does_not_widen_the_ink() -> None:
    speck = SEVEN.clone()
    speck[0, 155, 155] = 0.3
    assert float(extent(speck.amax(dim=2))) == float(extent(SEVEN.amax(dim=2)))


@pytest.mark.parametrize("shape", [(1, 1), (5, 40), (28, 28)])
def test_a_picture_without_ink_stays_empty(shape: tuple[int, int]) -> None:
    assert torch.equal(centre_ink(torch.zeros(2, *shape)), torch.zeros(2, 1, 28, 28))


def test_each_picture_is_normalised_independently_of_its_batch() -> None:
    together = centre_ink(torch.cat([SEVEN, LOW, torch.zeros_like(LOW)]))
    alone = torch.cat([centre_ink(SEVEN), centre_ink(LOW), torch.zeros(1, 1, 28, 28)])
    assert torch.allclose(together, alone, atol=1e-3)
