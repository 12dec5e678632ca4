"""Outliers: most images are outliers, some are ones and sevens, and the same seed makes the same images."""

import dataclasses

import pytest
import torch

from conftest import draw
from digitnet.augmentation.outliers import (
    KINDS,
    LETTERS,
    SYMBOLS,
    Kind,
    add_bar,
    add_foot_or_flag,
    make_outliers,
    printed_characters,
)
from digitnet.data.dataset import Dataset, Split
from digitnet.errors import UsageError


@pytest.fixture(scope="module")
def upright() -> torch.Tensor:
    """Eight upright strokes: ``(8, 28, 28)``, 0 to 1."""
    strokes = torch.zeros(8, 28, 28)
    strokes[:, 5:24, 13:15] = 1
    return strokes


def test_most_images_are_outliers_and_the_others_ones_and_sevens(drawn: Dataset) -> None:
    images, labels = make_outliers(drawn, 400, seed=1)
    assert images.shape == (len(labels), 1, 28, 28) and images.dtype == torch.uint8 and labels.dtype == torch.int64
    counts = dict(zip(*(part.tolist() for part in labels.unique(return_counts=True)), strict=True))
    assert counts == {1: 40, 7: 20, 10: len(labels) - 60}
    assert len(labels) == pytest.approx(400, abs=len(KINDS))
    assert not torch.equal(labels, labels.sort().values)  # shuffled


def test_data_without_digits_gets_only_outliers(drawn: Dataset) -> None:
    clothes = dataclasses.replace(drawn, label_names=tuple("abcdefghij"))
    assert set(make_outliers(clothes, 200, seed=1)[1].tolist()) == {10}


def test_data_without_ones_gets_no_extended_ones(drawn: Dataset) -> None:
    others = drawn.train.labels != 1
    few = dataclasses.replace(drawn, train=Split(drawn.train.images[others], drawn.train.labels[others]))
    assert set(make_outliers(few, 200, seed=1)[1].tolist()) == {7, 10}


def test_the_same_seed_makes_the_same_images_and_keeps_torchs_random_state(drawn: Dataset) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, same, other = (make_outliers(drawn, 100, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("count", [1, 7])
def test_every_kind_draws_the_requested_number_of_different_pictures(
    kind: Kind, count: int, drawn: Dataset
) -> None:
    digits = torch.from_numpy(drawn.train.images[:count]) / 255
    before = digits.clone()
    pictures = kind(digits, torch.Generator().manual_seed(3))
    assert len(pictures) == count and pictures.dim() == 3
    assert float(pictures.min()) >= 0 and float(pictures.max()) <= 1.001
    assert torch.equal(digits, before)
    assert count == 1 or len({picture.numpy().tobytes() for picture in pictures}) > count // 2


def test_every_printed_character_has_ink_and_none_is_like_a_digit() -> None:
    printed = printed_characters()
    assert len(printed) > 900
    assert torch.allclose(printed.amax(dim=(1, 2)), torch.ones(len(printed)))
    assert not set(LETTERS + SYMBOLS) & set("0123456789OoIlijSsZzbgqy|/\\")


def test_a_foot_or_a_flag_widens_a_one_and_keeps_its_stem(upright: torch.Tensor) -> None:
    finished = add_foot_or_flag(upright, torch.Generator().manual_seed(1))
    assert (finished >= upright).all()
    widths = (finished.amax(dim=1) > 0.5).sum(dim=1)
    assert (widths >= 4).all() and (widths <= 19).all()


def test_a_bar_crosses_the_stem_of_a_seven_in_its_middle_third(upright: torch.Tensor) -> None:
    bars = add_bar(upright, torch.Generator().manual_seed(1)) - upright
    left, right = bars[:, :, :13].sum(dim=(1, 2)), bars[:, :, 15:].sum(dim=(1, 2))
    assert (left > 1).all() and (right > 1).all()
    rows = torch.arange(28.0)
    middle = (bars.sum(dim=2) * rows).sum(dim=1) / bars.sum(dim=(1, 2))
    assert (middle > 11).all() and (middle < 19).all()


def test_images_of_another_size_are_refused(drawn: Dataset) -> None:
    small = dataclasses.replace(drawn, train=Split(draw(20, 1).images[:, :8, :9], drawn.train.labels[:20]))
    with pytest.raises(UsageError, match=r"outliers: expected images of 28 x 28 .* found 8 x 9 in drawn"):
        make_outliers(small, 10, seed=1)
