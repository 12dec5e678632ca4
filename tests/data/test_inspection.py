"""Inspection: silent about good data, and a plain sentence for each of the usual faults."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from digitnet.data.dataset import Dataset, Split, UInt8
from digitnet.data.inspection import describe
from digitnet.data.load import load_dataset

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    """The first 7,000 images of each part, which is quick."""
    return keep(load_dataset("mnist"), slice(7_000))


def change(dataset: Dataset, images: Callable[[UInt8], UInt8]) -> Dataset:
    """Change the images of every part."""
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    return dataclasses.replace(
        dataset, **{name: Split(images(part.images), part.labels) for name, part in parts.items()}
    )


def keep(dataset: Dataset, chosen: slice) -> Dataset:
    parts = {name: getattr(dataset, name) for name in ("train", "validation", "test")}
    return dataclasses.replace(
        dataset, **{name: Split(part.images[chosen], part.labels[chosen]) for name, part in parts.items()}
    )


def test_mnist_is_described_without_a_warning() -> None:
    description = describe(load_dataset("mnist"))
    assert description.warnings == ()
    assert description.image_shape == (28, 28)
    assert description.pixel_range == (0, 255)
    assert description.counts["test"] == (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)  # as published
    assert [sum(counts) for counts in description.counts.values()] == [55_000, 5_000, 10_000]


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_is_described_without_a_warning() -> None:
    assert describe(load_dataset("fashion-mnist")).warnings == ()


DAMAGES: list[tuple[Callable[[UInt8], UInt8], str]] = [
    (lambda images: 255 - images, "look inverted"),
    (lambda images: images // 128, "look scaled to 0..1"),
    (lambda images: np.roll(images, 4, axis=2), "not centred"),
    (lambda images: np.pad(images[:, 4:24, 4:24], ((0, 0), (8, 0), (0, 8))), "not centred"),
    (lambda images: images.transpose(0, 2, 1), "look transposed"),
]


@pytest.mark.parametrize(("damage", "words"), DAMAGES)
def test_each_damage_of_the_images_has_its_warning(
    mnist: Dataset, damage: Callable[[UInt8], UInt8], words: str
) -> None:
    warnings = describe(change(mnist, damage)).warnings
    others = [warning for warning in warnings if "also training or validation" not in warning]
    assert [words in warning for warning in others] == [True]


def test_inverted_and_transposed_are_both_seen(mnist: Dataset) -> None:
    warnings = describe(change(mnist, lambda images: 255 - images.transpose(0, 2, 1))).warnings
    assert ["inverted" in warnings[0], "transposed" in warnings[1]] == [True, True]


def test_only_digits_can_look_transposed(mnist: Dataset) -> None:
    letters = dataclasses.replace(mnist, label_names=tuple("abcdefghij"))
    assert describe(change(letters, lambda images: images.transpose(0, 2, 1))).warnings == ()


def test_a_missing_class_is_named(mnist: Dataset) -> None:
    test = Split(mnist.test.images[mnist.test.labels != 7], mnist.test.labels[mnist.test.labels != 7])
    (warning,) = describe(dataclasses.replace(mnist, test=test)).warnings
    assert warning == "The test part has no images of 7."


def test_a_sorted_training_file_is_noticed_by_its_validation_part(mnist: Dataset) -> None:
    ones = mnist.train.labels == 1
    validation = Split(mnist.train.images[ones], mnist.train.labels[ones])
    (warning,) = describe(dataclasses.replace(mnist, validation=validation)).warnings
    assert warning.startswith("The validation part has no images of 0, 2, 3, 4")
    assert "sorted by class" in warning


def test_very_unbalanced_classes_are_named(mnist: Dataset) -> None:
    few = (mnist.train.labels != 4) | (np.arange(len(mnist.train)) < 300)
    train = Split(mnist.train.images[few], mnist.train.labels[few])
    (warning,) = describe(dataclasses.replace(mnist, train=train)).warnings
    assert "very unbalanced" in warning
    assert "training images of 4" in warning


def test_test_images_that_were_learnt_from_are_counted(mnist: Dataset) -> None:
    test = Split(mnist.train.images[:500], mnist.train.labels[:500])
    (warning,) = describe(dataclasses.replace(mnist, test=test)).warnings
    assert warning.startswith("500 of the 500 test images")


@pytest.mark.parametrize("value", [0, 255])
def test_images_without_anything_in_them_are_described_too(mnist: Dataset, value: int) -> None:
    blank = change(mnist, lambda images: np.full_like(images, value))
    assert describe(blank).pixel_range == (value, value)


def test_a_description_is_plain_values(mnist: Dataset) -> None:
    plain = json.loads(json.dumps(describe(mnist).to_json()))
    assert plain["image_shape"] == [28, 28]
    assert plain["warnings"] == []
