"""A data set as its files store it: training part, test part and label names, checked against each other."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from digitnet.data import idx
from digitnet.data.dataset import Split, UInt8
from digitnet.errors import DataError

OnMessage = Callable[[str], None]
"""Called with short sentences for a person, for example about a download."""

Part = Literal["train", "validation", "test"]

_PARTS: dict[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "t10k"), "test"),
}
"""What files and folders of each part are called."""


def find_part(name: str) -> Part | None:
    """Return the part that files or folders of this name hold, if it is one of the usual names."""
    return _PARTS.get(name.lower())


DIGITS = tuple("0123456789")
"""The label names of a data set that has none of its own."""

TEST_EVERY = 7
"""If there is no test part, every 7th image of each class becomes it: 6 to 1, as in MNIST."""


def ignore_message(text: str) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Raw:
    """Training and test part, and a validation part if the files have one: uint8, with images of one size."""

    train: Split
    test: Split
    label_names: tuple[str, ...]  # (K,): the name of each class
    validation: Split | None = None
    idx_hashes: tuple[str, ...] = ()  # of the files below, where they are known
    validation_images: int | None = None  # the first training images, where the data set has a number of its own

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the SHA-256 of four IDX files, or six, a line each; it does not depend on path or format.

        The files are those with train images, train labels, test images and test labels, and so on.
        """
        splits = [self.train, self.test, *([self.validation] if self.validation else [])]
        hashes = self.idx_hashes or [_hash_as_idx(a) for split in splits for a in (split.images, split.labels)]
        return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def pair(images: UInt8, labels: UInt8, label_names: Sequence[str], where: object) -> Split:
    """Join images ``(N, rows, columns)`` and labels ``(N,)``; raise DataError unless they match."""
    if len(images) != len(labels):
        raise DataError.mismatch(
            where,
            expected=f"a label for each of the {len(images):,} images",
            found=f"{len(labels):,} labels",
            remedy="Take both from the same data set.",
        )
    wrong = np.flatnonzero(labels >= len(label_names))
    if len(wrong):
        raise DataError.mismatch(
            where,
            expected=f"labels from 0 to {len(label_names) - 1}",
            found=f"{labels[wrong[0]]} for image {wrong[0]:,}",
            remedy="Correct the label; or, if there are more classes, name each on a line of labels.txt.",
        )
    return Split(images, labels)


def assemble(parts: Mapping[Part, Split], label_names: Sequence[str], where: object, on_message: OnMessage) -> Raw:
    """Make the data set of its parts, and split off a test part if there is none.

    Raises DataError where there is no training part, and unless the sizes of images agree.
    """
    if "train" not in parts:
        raise DataError.mismatch(
            where, expected="a training part", found=f"only {', '.join(parts)}", remedy="Add it, or name it so."
        )
    sizes = {part: "{}x{}".format(*split.images.shape[1:]) for part, split in parts.items()}
    for part, size in sizes.items():
        if size != sizes["train"]:
            raise DataError.mismatch(
                where,
                expected=f"{part} images of {sizes['train']} pixels, as in the training part",
                found=size,
                remedy="Scale the images to one size.",
            )
    train, test = parts["train"], parts.get("test")
    if test is None:
        on_message(f"{where} has no test part: every {TEST_EVERY}th image of each class becomes it.")
        train, test = split_off_test(train, where)
    return Raw(train, test, tuple(label_names), parts.get("validation"))


def split_off_test(everything: Split, where: object) -> tuple[Split, Split]:
    """Split into training and test part: every 7th image of each class is for testing.

    The same files always give the same parts. Raises DataError when a part would be empty.
    """
    rank = rank_in_class(everything.labels)
    chosen = rank % TEST_EVERY == TEST_EVERY - 1
    if not chosen.any():
        raise DataError.mismatch(
            where,
            expected=f"a test part, or at least {TEST_EVERY} images of one class to split it off",
            found=f"{len(everything):,} images",
            remedy="Add images.",
        )
    train, test = (Split(everything.images[part], everything.labels[part]) for part in (~chosen, chosen))
    return train, test


def rank_in_class(labels: UInt8) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Count, for each label of ``(N,)``, the equal labels before it."""
    rank = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        rank[places] = np.arange(len(places))
    return rank


def _hash_as_idx(values: UInt8) -> str:
    digest = hashlib.sha256(idx.header(values))
    digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
