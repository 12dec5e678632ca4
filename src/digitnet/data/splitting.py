"""The validation split: what is learned nothing from, and chosen on."""

from typing import Any

import numpy as np

from digitnet.config import Images
from digitnet.data.dataset import Dataset, Split, UInt8
from digitnet.data.raw import OnMessage, Raw, rank_in_class
from digitnet.errors import DataError
from digitnet.wording import option

USUAL = Images.validation_images
"""The blog's number, and so the usual one: 5,000."""

TENTH = 10
"""Where the usual number is more than half of the training images, one of so many in each class is kept."""


def split(raw: Raw, name: str, asked: int | None, on_message: OnMessage) -> Dataset:
    """Hold out images for validation: the data set's own, or so many as `asked`, the first training images.

    None and the usual number leave it to the data set. Raises DataError for a number that leaves nothing.
    """
    train, validation = _split(raw, name, asked, on_message)
    return Dataset(name, raw.fingerprint, raw.label_names, train, validation, raw.test, asked or USUAL)


def _split(raw: Raw, name: str, asked: int | None, on_message: OnMessage) -> tuple[Split, Split]:
    is_usual = asked in (None, USUAL)
    if raw.validation is not None:
        if not is_usual and asked != len(raw.validation):
            raise DataError.mismatch(
                name,
                expected=f"{len(raw.validation):,} validation images, its own validation part",
                found=f"{asked:,}",
                remedy=f"Leave out {option('validation_images')}.",
            )
        return raw.train, raw.validation
    count = (raw.validation_images or USUAL) if is_usual or asked is None else asked
    images = len(raw.train)
    is_large = count > images // 2
    is_sorted = raw.validation_images is None and not is_large and _lacks_a_class(raw.train.labels, count)
    if is_usual and (is_large or is_sorted):
        chosen = _choose_tenth(raw.train)
        why = (
            f"{name} has {images:,} training images, too few to keep {count:,} of them"
            if is_large
            else f"The first {count:,} training images of {name}, or the others, lack a class"
        )
        count = int(chosen.sum())
        on_message(f"{why}: a tenth of each class, {count:,} in all, is kept for validation.")
        parts: tuple[Any, Any] = ~chosen, chosen
    else:
        parts = slice(count, None), slice(None, count)
    if not 0 < count < images:
        raise DataError.mismatch(
            name,
            expected=f"from 1 to {images - 1:,} of the {images:,} training images for validation",
            found=f"{count:,}",
            remedy=f"Choose another number with {option('validation_images')}.",
        )
    train, validation = (Split(raw.train.images[part], raw.train.labels[part]) for part in parts)
    return train, validation


def _lacks_a_class(labels: UInt8, count: int) -> bool:
    """Tell whether the first labels, or the others, lack a class, as where the images are sorted by class."""
    return len({frozenset(np.unique(part)) for part in (labels, labels[:count], labels[count:])}) > 1


def _choose_tenth(train: Split) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Choose the first of every ten images of each class ``(N,)``, but no class's only one."""
    has_others = np.bincount(train.labels)[train.labels] > 1
    chosen: np.ndarray[tuple[int], np.dtype[np.bool_]] = (rank_in_class(train.labels) % TENTH == 0) & has_others
    return chosen
