"""Which images make up which step: a pure function of (seed, step), so there is nothing to save for a resume."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from digitnet.data.dataset import Split

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
