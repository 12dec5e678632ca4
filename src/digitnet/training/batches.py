"""Which images make up which step: a pure function of (seed, step), so there is nothing to save for a resume."""

from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset, Split

Positions = npt.NDArray[np.int64]


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, count: int) -> Positions:
    """Shuffle ``0 ... count - 1`` for one epoch; 0.6 ms for MNIST, once an epoch."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def batch_positions(seed: int, step: int, batch_size: int, count: int) -> Positions:
    """Positions ``(batch_size,)`` of the images of a step, counted from 0.

    The epochs stand end to end, each in an order of its own, and a batch is the next piece of that line: where
    an epoch ends inside a batch, the rest comes from the next one, as in the blog's ``next_batch``. So every
    image is seen exactly once an epoch, and no batch is ever short.
    """
    first, last = step * batch_size, (step + 1) * batch_size
    pieces = [
        epoch_order(seed, epoch, count)[max(first - epoch * count, 0) : last - epoch * count]
        for epoch in range(first // count, (last - 1) // count + 1)
    ]
    return np.concatenate(pieces)


class BatchSource(Protocol):
    """Hands out the images of each step."""

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(B, 1, rows, columns)`` uint8 and labels ``(B,)`` int64 of a step."""


class Batches:
    """The training images in memory, as bytes, handed out step by step."""

    def __init__(self, split: Split, batch_size: int, seed: int, device: torch.device | str = "cpu") -> None:
        self.images = torch.from_numpy(split.images).unsqueeze(1).to(device)  # (N, 1, rows, columns) uint8
        self.labels = torch.from_numpy(split.labels).to(device, torch.int64)  # (N,)
        self.batch_size = batch_size
        self.seed = seed

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(B, 1, rows, columns)`` uint8 and labels ``(B,)`` int64 of a step."""
        positions = torch.from_numpy(batch_positions(self.seed, step, self.batch_size, len(self.labels)))
        positions = positions.to(self.labels.device)
        return self.images[positions], self.labels[positions]


class BatchesWithDrawings:
    """Batches whose last images give way to drawn ones, most of which are no digits.

    The same number in every batch, so that all of them are alike; the images that give way are others in each
    epoch. A pool of 20,000 is drawn once, in a few seconds: each of them then comes back 20 times in 40 epochs of
    MNIST, and each time the augmentation changes it.
    """

    def __init__(self, batches: Batches, drawings: tuple[Tensor, Tensor], share: float) -> None:
        self.batches = batches
        self.images, self.labels = (tensor.to(batches.labels.device) for tensor in drawings)
        self.count = round(share * batches.batch_size)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(B, 1, rows, columns)`` uint8 and labels ``(B,)`` int64 of a step."""
        images, labels = self.batches.at(step)
        positions = torch.from_numpy(batch_positions(self.batches.seed, step, self.count, len(self.labels)))
        images[len(images) - self.count :] = self.images[positions]
        labels[len(labels) - self.count :] = self.labels[positions]
        return images, labels


def make_batches(config: TrainConfig, dataset: Dataset, device: torch.device | str = "cpu") -> BatchSource:
    """Hand out the training images as the configuration asks for: alone, or with drawn ones among them."""
    batches = Batches(dataset.train, config.images_per_step, config.seed, device)
    if not config.images.outliers:
        return batches
    from digitnet.augmentation.outliers import draw  # with matplotlib's fonts, which no other recipe needs

    return BatchesWithDrawings(batches, draw(dataset, 20_000, config.seed), config.images.outliers)
