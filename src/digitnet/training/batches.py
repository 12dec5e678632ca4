"""The images of each step: a pure function of (seed, step), so resuming needs no saved state."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset, Split

Positions = npt.NDArray[np.int64]


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, count: int) -> Positions:
    """Shuffle ``0 ... count - 1`` for one epoch; 0.6 ms for MNIST, once per epoch."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def batch_positions(seed: int, step: int, batch_size: int, count: int) -> Positions:
    """Positions ``(batch_size,)`` of the images of a step, counted from 0.

    The epochs, each in its own order, follow one another in one sequence, and a batch is its next part: where an
    epoch ends inside a batch, the rest comes from the next epoch, as in the blog's ``next_batch``. So every image
    is seen exactly once per epoch, and no batch is short.
    """
    first, last = step * batch_size, (step + 1) * batch_size
    parts = [
        epoch_order(seed, epoch, count)[max(first - epoch * count, 0) : last - epoch * count]
        for epoch in range(first // count, (last - 1) // count + 1)
    ]
    return np.concatenate(parts)


class Batches:
    """The training images, held on the device as uint8, in batches."""

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


class BatchesWithOutliers:
    """Batches in which synthetic images, most of them outliers, replace a fixed number of the last images.

    Other images are replaced in each epoch. The synthetic images are a pool, made once, of which each comes back
    every few epochs, changed by the augmentation.
    """

    def __init__(self, batches: Batches, pool: tuple[Tensor, Tensor], fraction: float) -> None:
        self.batches = batches
        self.images, self.labels = (tensor.to(batches.labels.device) for tensor in pool)
        self.count = round(fraction * batches.batch_size)

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(B, 1, rows, columns)`` uint8 and labels ``(B,)`` int64 of a step."""
        images, labels = self.batches.at(step)
        positions = torch.from_numpy(batch_positions(self.batches.seed, step, self.count, len(self.labels)))
        images[len(images) - self.count :] = self.images[positions]
        labels[len(labels) - self.count :] = self.labels[positions]
        return images, labels


BatchSource = Batches | BatchesWithOutliers


def make_batches(config: TrainConfig, dataset: Dataset, device: torch.device | str = "cpu") -> BatchSource:
    """Make batches of the training images, with outliers if the configuration has them.

    The pool of 20,000 is made in a few seconds; in 40 epochs of MNIST each of its images comes 20 times.
    """
    batches = Batches(dataset.train, config.images_per_step, config.seed, device)
    if not config.images.outliers:
        return batches
    from digitnet.augmentation.outliers import make_outliers  # imports matplotlib, which other recipes don't need

    return BatchesWithOutliers(batches, make_outliers(dataset, 20_000, config.seed), config.images.outliers)
