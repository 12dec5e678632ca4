"""The test images that a network reads wrongly, each with the training images that resemble it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import Dataset, UInt8
from digitnet.data.disputed import disputed_labels
from digitnet.data.nearest import nearest_images
from digitnet.metrics import softmax
from digitnet.pages import notebook


@dataclass(frozen=True)
class Mistake:
    """A test image that was read wrongly."""

    index: int  #: position in the test file
    image: UInt8  #: (rows, columns)
    true: int
    predicted: int
    probabilities: tuple[float, ...]  #: (K,), sums to 1
    neighbours: tuple[int, ...]  #: positions in the train split of the nearest training images, nearest first
    disputed: str | None  #: what annotators said, if they dispute the label

    @property
    def confidence(self) -> float:
        """Probability of the wrong answer."""
        return self.probabilities[self.predicted]

    def __repr__(self) -> str:
        return f"<Mistake {self.index}: {self.true} read as {self.predicted}, {self.confidence:.1%}>"

    def _repr_html_(self) -> str:
        return notebook.block(repr(self), notebook.gallery([self.image], [f"test image {self.index}"]))


def rank_mistakes(logits: npt.NDArray[np.float32], labels: UInt8) -> npt.NDArray[np.intp]:
    """Positions of the images ``(N,)`` that are read wrongly, the most confident mistakes first."""
    probabilities = softmax(logits)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]


def find_mistakes(logits: npt.NDArray[np.float32], dataset: Dataset, neighbours: int = 5) -> list[Mistake]:
    """List the test images that are read wrongly, the most confident mistakes first.

    `logits` are ``(N, K)`` for the test images in file order. The neighbours are the nearest training images by
    Euclidean distance between pixels, independent of the network.
    """
    probabilities = softmax(logits)
    predicted = probabilities.argmax(axis=1)
    wrong = rank_mistakes(logits, dataset.test.labels)
    disputes = disputed_labels(dataset)
    nearest = nearest_images(dataset.test.images[wrong], dataset.train, neighbours)
    return [
        Mistake(
            index=int(index),
            image=dataset.test.images[index],
            true=int(dataset.test.labels[index]),
            predicted=int(predicted[index]),
            probabilities=tuple(float(p) for p in probabilities[index]),
            neighbours=tuple(int(n) for n in near),
            disputed=disputes.get(int(index)),
        )
        for index, near in zip(wrong, nearest, strict=True)
    ]
