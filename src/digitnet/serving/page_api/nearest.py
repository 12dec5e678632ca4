"""The training images that are nearest to what the network saw, for the page."""

import base64
import threading
from typing import Any

import numpy as np

from digitnet.data.dataset import Split, UInt8
from digitnet.data.nearest import measure_distances, take_nearest
from digitnet.data.raw import DIGITS
from digitnet.serving.page_api.mnist import load_cached_mnist

NEAREST, OF_RIVAL = 5, 3
"""Images that are shown: the nearest of all, and the nearest of the second guess."""


class TrainingImages:
    """MNIST's training images; they are loaded when they are first asked for, and then take 50 MB."""

    def __init__(self) -> None:
        self._split: Split | None = None
        self._lock = threading.Lock()  # each search takes 30 MB

    def find_nearest(self, image: UInt8, rival: str) -> dict[str, Any]:
        """Find the training images nearest to `image` ``(28, 28)``, and those of the label `rival`; 0.1 s.

        Raises DataError where MNIST is not in the cache, since a page fetches nothing by itself.
        """
        with self._lock:
            if self._split is None:
                self._split = load_cached_mnist().train
            split = self._split
            (distances,) = measure_distances(image[None], split)
        of_rival = np.flatnonzero(split.labels == (DIGITS.index(rival) if rival in DIGITS else len(DIGITS)))
        nearest = take_nearest(distances, NEAREST)
        rivals = of_rival[take_nearest(distances[of_rival], OF_RIVAL)] if len(of_rival) else of_rival
        return {
            "images": len(split),
            "nearest": [_describe(split, int(index)) for index in nearest],
            "of_rival": [_describe(split, int(index)) for index in rivals],
        }


def _describe(split: Split, index: int) -> dict[str, Any]:
    image = base64.b64encode(split.images[index].tobytes()).decode("ascii")
    return {"index": index, "label": DIGITS[split.labels[index]], "image": image}
