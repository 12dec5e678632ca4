"""The training images that are nearest to what the network saw, for the page."""

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.data.cache import is_cached
from digitnet.data.catalog import MNIST
from digitnet.data.dataset import Split, UInt8
from digitnet.data.load import load_dataset
from digitnet.data.nearest import nearest_images
from digitnet.data.raw import DIGITS
from digitnet.errors import DataError

NEAREST, OF_RIVAL = 5, 3
"""Images that are shown: the nearest of all, and the nearest of the second guess."""


class TrainingImages:
    """MNIST's training images; they are loaded when they are first asked for, which takes 50 MB."""

    def __init__(self) -> None:
        self._split: Split | None = None

    def find_nearest(self, image: UInt8, rival: str) -> dict[str, Any]:
        """Find the training images nearest to `image` ``(28, 28)``, and those of the label `rival`; 0.1 s.

        Raises DataError where MNIST is not in the cache, since a page fetches nothing by itself.
        """
        if self._split is None:
            self._split = load_training_images()
        split = self._split
        of_rival = split.labels == (DIGITS.index(rival) if rival in DIGITS else len(DIGITS))
        return {
            "images": len(split),
            "nearest": _find(image, split, np.ones(len(split), np.bool_), NEAREST),
            "of_rival": _find(image, split, of_rival, OF_RIVAL),
        }


def load_training_images() -> Split:
    """Load MNIST's training images without those for validation; raise DataError where the cache has no MNIST."""
    if not is_cached(MNIST):
        raise DataError.mismatch(
            "MNIST", expected="its files in the cache", found="none", remedy="Run: digitnet data fetch mnist"
        )
    return load_dataset("mnist").train


def _find(image: UInt8, split: Split, chosen: npt.NDArray[np.bool_], count: int) -> list[dict[str, Any]]:
    among = np.flatnonzero(chosen)
    if not len(among):
        return []
    (found,) = nearest_images(image[None], Split(split.images[among], split.labels[among]), count)
    return [
        {
            "index": int(index),
            "label": DIGITS[split.labels[index]],
            "image": base64.b64encode(split.images[index].tobytes()).decode("ascii"),
        }
        for index in among[found]
    ]
