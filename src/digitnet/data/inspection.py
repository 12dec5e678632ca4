"""Inspect a data set before training: count what it contains, and warn of what is probably wrong with it.

The limits are set so that MNIST and Fashion-MNIST give no warning; tests check both.
"""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import Dataset, Split, UInt8
from digitnet.data.raw import DIGITS

_SAMPLE = 10_000  # training images for the checks that would take seconds on all of them

_OFF_CENTRE = 0.075  # median distance of the ink from the centre, in sides: MNIST 0.029, Fashion-MNIST 0.047
_HORIZONTAL = 0.5  # height / width of the mean 1, as variances: MNIST 5.27, transposed 0.19
_DIM = 64  # brightest pixel: MNIST 255, scikit-learn's digits 16
_UNBALANCED = 0.1  # smallest class / largest class: MNIST 0.80


@dataclass(frozen=True)
class Description:
    """What a data set contains."""

    name: str
    fingerprint: str
    label_names: tuple[str, ...]
    image_shape: tuple[int, int]  #: rows, columns
    pixel_range: tuple[int, int]  #: smallest and largest value of the training images, 0 to 255
    counts: dict[str, tuple[int, ...]]  #: for train, validation and test: the number of images of each class
    warnings: tuple[str, ...]  #: sentences for people

    def to_json(self) -> dict[str, Any]:
        """Return every field as plain values."""
        return dataclasses.asdict(self)


def describe(dataset: Dataset) -> Description:
    """Count, measure, and look for the usual defects; about 0.4 s for MNIST."""
    images = dataset.train.images
    return Description(
        name=dataset.name,
        fingerprint=dataset.fingerprint,
        label_names=dataset.label_names,
        image_shape=dataset.image_shape,
        pixel_range=(int(images.min()), int(images.max())),
        counts={name: _count(split, dataset.classes) for name, split in _splits(dataset)},
        warnings=tuple(warning for check in CHECKS for warning in check(dataset)),
    )


def find_inverted(dataset: Dataset) -> Iterator[str]:
    """Warn of dark ink on bright paper."""
    if _is_inverted(dataset.train.images):
        yield (
            "The images look inverted: their borders are bright, where 0 should be background and 255 ink. "
            "Subtract them from 255."
        )


def find_fractions(dataset: Dataset) -> Iterator[str]:
    """Warn of integers that only go from 0 to 1, or to another small white."""
    if (high := int(dataset.train.images.max())) <= _DIM:
        yield (
            f"The brightest pixel is {high}: the images look scaled to 0..{max(high, 1)}, where 0..255 was "
            "expected. "
            f"Multiply them by 255{f' / {high}' if high > 1 else ''} before you store them as integers."
        )


def find_off_centre(dataset: Dataset) -> Iterator[str]:
    """Warn if the ink's centre of mass is mostly not in the centre, where MNIST's is."""
    distances = _distances_from_middle(_ink(dataset))
    if len(distances) and (distance := np.median(distances)) > _OFF_CENTRE * np.mean(dataset.image_shape):
        yield (
            f"The images are not centred: in half of them the ink's centre of mass is more than {distance:.1f} "
            "pixels from the middle. Networks that learn from them expect new images to be placed the same way."
        )


def find_transposed(dataset: Dataset) -> Iterator[str]:
    """Warn of horizontal ones: EMNIST's files store columns where MNIST's store rows."""
    ones = _ink(dataset)[dataset.train.labels[:_SAMPLE] == 1]
    if dataset.label_names == DIGITS and ones.any() and _height_over_width(ones.mean(0)) < _HORIZONTAL:
        yield (
            "The images look transposed, as EMNIST's are stored: the ones are horizontal. "
            "Exchange rows and columns."
        )


def find_uneven_classes(dataset: Dataset) -> Iterator[str]:
    """Warn of classes without images, and of training classes that are much smaller than others."""
    for name, split in _splits(dataset):
        counts = np.array(_count(split, dataset.classes))
        if empty := [dataset.label_names[label] for label in np.flatnonzero(counts == 0)]:
            hint = " Is the training file sorted by class? Shuffle it." if name == "validation" else ""
            yield f"The {name} part has no images of {_enumerate(empty)}.{hint}"
        elif name == "train" and counts.min() < _UNBALANCED * counts.max():
            few, many = (dataset.label_names[label] for label in (counts.argmin(), counts.argmax()))
            yield (
                f"The classes are very unbalanced: {counts.min():,} training images of {few}, "
                f"{counts.max():,} of {many}. Accuracy will say little about the small ones."
            )


def find_duplicates(dataset: Dataset) -> Iterator[str]:
    """Warn of test images that are also training or validation images."""
    seen = {hash(image.tobytes()) for split in (dataset.train, dataset.validation) for image in split.images}
    twice = sum(hash(image.tobytes()) in seen for image in dataset.test.images)
    if twice:
        yield (
            f"{twice:,} of the {len(dataset.test):,} test images are also training or validation images, so "
            "the test accuracy will be too high. Remove them."
        )


CHECKS: tuple[Callable[[Dataset], Iterator[str]], ...] = (
    find_inverted,
    find_fractions,
    find_off_centre,
    find_transposed,
    find_uneven_classes,
    find_duplicates,
)
"""Every check: a function that yields its warnings. To add one, write it and name it here."""


def _splits(dataset: Dataset) -> tuple[tuple[str, Split], ...]:
    return ("train", dataset.train), ("validation", dataset.validation), ("test", dataset.test)


def _count(split: Split, classes: int) -> tuple[int, ...]:
    return tuple(np.bincount(split.labels, minlength=classes).tolist())


def _is_inverted(images: UInt8) -> bool:
    borders = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
    return bool(np.median(np.concatenate(borders, axis=1)) > 127)


def _ink(dataset: Dataset) -> npt.NDArray[np.float32]:
    """Ink of the first training images, ``(N, rows, columns)``: how far each pixel is from the background."""
    images = dataset.train.images[:_SAMPLE]
    return (255 - images if _is_inverted(images) else images).astype(np.float32)


def _distances_from_middle(ink: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Distance in pixels of the centre of mass from the image's centre, for each image with ink."""
    ink = ink[ink.any(axis=(1, 2))].astype(np.float64)
    mass = ink.sum(axis=(1, 2))
    down, right = (ink.sum(axis=axis) @ _places(ink.shape[3 - axis]) / mass for axis in (2, 1))
    distances: npt.NDArray[np.float64] = np.hypot(down, right)
    return distances


def _height_over_width(ink: npt.NDArray[np.float32]) -> float:
    """Variance of the ink's rows divided by that of its columns, for one image ``(rows, columns)``."""
    height, width = (_variance(ink.sum(axis=axis)) for axis in (1, 0))
    return height / max(width, 1e-9)


def _variance(weights: npt.NDArray[np.float32]) -> float:
    places = _places(len(weights))
    middle = np.average(places, weights=weights)
    return float(np.average((places - middle) ** 2, weights=weights))


def _places(count: int) -> npt.NDArray[np.float64]:
    """Signed distances of `count` pixels in a row from its middle."""
    return np.arange(count, dtype=np.float64) - (count - 1) / 2


def _enumerate(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more classes" if names[10:] else "")
