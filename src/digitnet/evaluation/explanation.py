"""One image and everything that explains a network's answer about it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from digitnet import metrics
from digitnet.data.dataset import Dataset, Split, UInt8
from digitnet.data.nearest import nearest_images
from digitnet.evaluation.occlusion import Change, Occlusion, occlude, smallest_change
from digitnet.evaluation.refusal import digit_score
from digitnet.networks.predict import predict_logits
from digitnet.networks.preprocessing import Scale
from digitnet.progress import Progress

NEIGHBOURS = 8
"""Nearest training images that are listed, and as many of each class that matters."""


@dataclass(frozen=True)
class Neighbour:
    """A training image that resembles the image."""

    index: int  #: position in the train split
    label: int
    distance: float  #: Euclidean, between pixels of 0 to 255


@dataclass(frozen=True)
class Explanation:
    """A network's answer about one image, and what it rests on."""

    image: UInt8  #: (rows, columns) as it enters the network
    preprocessed: UInt8  #: (rows, columns) after its preprocessing: deskewed, for example
    label_names: tuple[str, ...]  #: (K,)
    probabilities: tuple[float, ...]  #: (K,) of the classes; they sum to 1
    outlier: float | None  #: probability, 0 to 1, of "not a digit"; None for a network that can't say it
    true: int | None  #: label of a test image
    occlusion: Occlusion
    change: Change | None  #: the smallest square without which the answer is another one
    neighbours: tuple[Neighbour, ...]  #: nearest training images, nearest first
    of_class: dict[int, tuple[Neighbour, ...]]  #: likewise, of answer, rival and label alone

    @property
    def answer(self) -> int:
        """The most probable class."""
        return int(np.argmax(self.probabilities))

    @property
    def rival(self) -> int | None:
        """The second most probable class; None if there is only one class."""
        return runner_up(self.probabilities)

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pixels as plain values."""
        names, change = self.label_names, self.change
        return {
            "answer": names[self.answer],
            "probability": self.probabilities[self.answer],
            "rival": None if self.rival is None else names[self.rival],
            "label": None if self.true is None else names[self.true],
            "probabilities": dict(zip(names, self.probabilities, strict=True)),
            "not_a_digit": self.outlier,
            "occlusion": {
                "side": self.occlusion.side,
                "squares": len(self.occlusion.corners),
                "changes": {names[k]: count for k, count in self.occlusion.changes().items()},
            },
            "smallest_change": change
            and {
                "top": change.top,
                "left": change.left,
                "side": change.side,
                "answer": names[change.answer],
                "probability": float(change.probabilities[change.answer]),
            },
            "nearest": [self._describe(neighbour) for neighbour in self.neighbours],
            "nearest_of_class": {
                names[k]: [self._describe(neighbour) for neighbour in near] for k, near in self.of_class.items()
            },
        }

    def _describe(self, neighbour: Neighbour) -> dict[str, Any]:
        label = self.label_names[neighbour.label]
        return {"index": neighbour.index, "label": label, "distance": round(neighbour.distance, 3)}


def explain_image(
    network: nn.Module,
    image: UInt8,
    dataset: Dataset,
    true: int | None = None,
    progress: Progress | None = None,
) -> Explanation:
    """Explain the answer about an image ``(rows, columns)``, 0 to 255; `true` is its label, if known.

    The probabilities are the network's own, as in `evaluate`: not calibrated. `progress` shows the progress of the
    longest part, by default nowhere.
    """
    logits = predict_logits(network, image[None])  # (1, K), or (1, K + 1) of a network trained with outliers
    probabilities = tuple(float(p) for p in metrics.softmax(logits[:, : dataset.classes])[0])
    roles = int(np.argmax(probabilities)), runner_up(probabilities), true
    return Explanation(
        image=image,
        preprocessed=preprocess(network, image),
        label_names=dataset.label_names,
        probabilities=probabilities,
        outlier=_outlier_probability(logits, dataset.classes),
        true=true,
        occlusion=occlude(network, image, dataset.classes),
        change=smallest_change(network, image, dataset.classes, progress),
        neighbours=find_neighbours(image, dataset.train),
        of_class={k: find_neighbours(image, dataset.train, label=k) for k in roles if k is not None},
    )


def runner_up(probabilities: tuple[float, ...]) -> int | None:
    """Index of the second largest probability; None if there is only one."""
    return int(np.argsort(-np.array(probabilities), kind="stable")[1]) if len(probabilities) > 1 else None


@torch.inference_mode()
def preprocess(network: nn.Module, image: UInt8) -> UInt8:
    """Return an image ``(rows, columns)`` as the network's first layer makes it for the others, 0 to 255."""
    layer = next(module for module in network.modules() if isinstance(module, Scale))
    was_training = layer.training
    scaled = layer.eval()(torch.from_numpy(image.copy())[None, None])[0, 0]
    layer.train(was_training)
    return np.asarray((255 * scaled).round().clamp(0, 255).to(torch.uint8).numpy())


def find_neighbours(
    image: UInt8, split: Split, *, label: int | None = None, count: int = NEIGHBOURS
) -> tuple[Neighbour, ...]:
    """Find the nearest training images, nearest first; with `label`, among those of that class alone."""
    positions = np.arange(len(split)) if label is None else np.flatnonzero(split.labels == label)
    if not len(positions):
        return ()
    chosen = split if label is None else Split(split.images[positions], split.labels[positions])
    found = positions[nearest_images(image[None], chosen, count)[0]]
    return tuple(Neighbour(int(k), int(split.labels[k]), _distance(image, split.images[k])) for k in found)


def _distance(one: UInt8, other: UInt8) -> float:
    return float(np.linalg.norm(one.astype(np.float64) - other))


def _outlier_probability(logits: npt.NDArray[np.float32], classes: int) -> float | None:
    if logits.shape[1] == classes:
        return None
    log_odds = digit_score(torch.from_numpy(logits).double(), classes)  # of being a digit at all
    return float(torch.sigmoid(-log_odds)[0])
