"""The images of each step: a pure function of (seed, step), so resuming needs no saved state."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset, Split
from digitnet.data.raw import OnMessage, ignore_message

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


class BatchesWithPool:
    """Batches in which images of a pool replace `count` images, those before the last `after`.

    Other images are replaced in each epoch. The pool is made once; each of its images comes back every few epochs,
    changed by the augmentation.
    """

    def __init__(self, batches: "BatchSource", pool: tuple[Tensor, Tensor], count: int, after: int) -> None:
        self.batches = batches
        self.labels: Tensor = batches.labels
        self.seed: int = batches.seed
        self.pool_images, self.pool_labels = (tensor.to(batches.labels.device) for tensor in pool)
        self.count, self.after = count, after

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """Images ``(B, 1, rows, columns)`` uint8 and labels ``(B,)`` int64 of a step."""
        images, labels = self.batches.at(step)
        positions = torch.from_numpy(batch_positions(self.seed, step, self.count, len(self.pool_labels)))
        place = slice(len(labels) - self.after - self.count, len(labels) - self.after)
        images[place], labels[place] = self.pool_images[positions], self.pool_labels[positions]
        return images, labels


BatchSource = Batches | BatchesWithPool


def prepare_pools(config: TrainConfig, dataset: Dataset, on_message: OnMessage = ignore_message) -> None:
    """Make what takes minutes and is then kept in the cache: the photographs, if the configuration has any."""
    if config.images.photographs:
        from digitnet.augmentation import pools

        pools.make_photograph_pool(
            dataset, pools.load_characters(config.images.characters, on_message), on_message
        )


def make_batches(
    config: TrainConfig,
    dataset: Dataset,
    device: torch.device | str = "cpu",
    on_message: OnMessage = ignore_message,
) -> BatchSource:
    """Make batches of the training images, with outliers and photographs if the configuration has them.

    A batch begins with the data set's images; then come the outliers, and last the photographs.
    """
    batches: BatchSource = Batches(dataset.train, config.images_per_step, config.seed, device)
    outliers = round(config.images.outliers * config.images_per_step)
    photographs = round(config.images.photographs * config.images_per_step)
    if outliers or photographs:
        from digitnet.augmentation import pools  # imports matplotlib and OpenCV, which other recipes don't need

        characters = pools.load_characters(config.images.characters, on_message)
        if outliers:
            pool = pools.make_outlier_pool(dataset, config.seed, characters)
            batches = BatchesWithPool(batches, pool, outliers, photographs)
        if photographs:
            pool = pools.make_photograph_pool(dataset, characters, on_message)
            batches = BatchesWithPool(batches, pool, photographs, 0)
    return batches
