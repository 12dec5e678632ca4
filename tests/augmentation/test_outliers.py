"""What is drawn: mostly things that are no digits, the same for one seed, and ones and sevens of another hand."""

import dataclasses

import pytest
import torch

from conftest import draw as draw_split
from digitnet.augmentation.outliers import (
    KINDS,
    LETTERS,
    SYMBOLS,
    Drawing,
    alphabet,
    draw,
    with_bar,
    with_foot_or_flag,
)
from digitnet.data.dataset import Dataset, Split
from digitnet.errors import UsageError


@pytest.fixture(scope="module")
def upright() -> torch.Tensor:
    """Eight upright strokes: ``(8, 28, 28)``, 0 to 1."""
    strokes = torch.zeros(8, 28, 28)
    strokes[:, 5:24, 13:15] = 1
    return strokes


def test_most_drawings_are_no_digits_and_the_others_ones_and_sevens(drawn: Dataset) -> None:
    images, labels = draw(drawn, 400, seed=1)
    assert images.shape == (len(labels), 1, 28, 28) and images.dtype == torch.uint8 and labels.dtype == torch.int64
    counts = dict(zip(*(part.tolist() for part in labels.unique(return_counts=True)), strict=True))
    assert counts == {1: 40, 7: 20, 10: len(labels) - 60}
    assert len(labels) == pytest.approx(400, abs=len(KINDS))
    assert not torch.equal(labels, labels.sort().values)  # in no order


def test_data_without_digits_gets_only_things_that_are_none(drawn: Dataset) -> None:
    clothes = dataclasses.replace(drawn, label_names=tuple("abcdefghij"))
    assert set(draw(clothes, 200, seed=1)[1].tolist()) == {10}


def test_data_without_a_one_gets_no_drawn_ones(drawn: Dataset) -> None:
    others = drawn.train.labels != 1
    few = dataclasses.replace(drawn, train=Split(drawn.train.images[others], drawn.train.labels[others]))
    assert set(draw(few, 200, seed=1)[1].tolist()) == {7, 10}


def test_the_same_seed_draws_the_same_and_leaves_torchs_own_randomness_alone(drawn: Dataset) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, same, other = (draw(drawn, 100, seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, same) and not torch.equal(first, other)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("count", [1, 7])
def test_every_kind_draws_as_many_different_pictures_as_asked(kind: Drawing, count: int, drawn: Dataset) -> None:
    digits = torch.from_numpy(drawn.train.images[:count]) / 255
    before = digits.clone()
    pictures = kind(digits, torch.Generator().manual_seed(3))
    assert len(pictures) == count and pictures.dim() == 3
    assert float(pictures.min()) >= 0 and float(pictures.max()) <= 1.001
    assert torch.equal(digits, before)
    assert count == 1 or len({picture.numpy().tobytes() for picture in pictures}) > count // 2


def test_the_alphabet_has_ink_in_every_character_and_no_digit() -> None:
    printed = alphabet()
    assert len(printed) > 900
    assert torch.allclose(printed.amax(dim=(1, 2)), torch.ones(len(printed)))
    assert not set(LETTERS + SYMBOLS) & set("0123456789OoDIlijSsZzbgqy|/\\")


def test_a_foot_or_a_flag_widens_a_one_and_keeps_its_stem(upright: torch.Tensor) -> None:
    finished = with_foot_or_flag(upright, torch.Generator().manual_seed(1))
    assert (finished >= upright).all()
    widths = (finished.amax(dim=1) > 0.5).sum(dim=1)
    assert (widths >= 4).all() and (widths <= 19).all()


def test_a_bar_crosses_the_stem_of_a_seven_in_its_middle_third(upright: torch.Tensor) -> None:
    bars = with_bar(upright, torch.Generator().manual_seed(1)) - upright
    left, right = bars[:, :, :13].sum(dim=(1, 2)), bars[:, :, 15:].sum(dim=(1, 2))
    assert (left > 1).all() and (right > 1).all()
    rows = torch.arange(28.0)
    middle = (bars.sum(dim=2) * rows).sum(dim=1) / bars.sum(dim=(1, 2))
    assert (middle > 11).all() and (middle < 19).all()


def test_images_of_another_size_are_refused_with_theirs(drawn: Dataset) -> None:
    small = dataclasses.replace(drawn, train=Split(draw_split(20, 1).images[:, :8, :9], drawn.train.labels[:20]))
    with pytest.raises(UsageError, match=r"--not-digits: expected images of 28 x 28 .* found 8 x 9 in drawn"):
        draw(small, 10, seed=1)
