"""The images of a split that are nearest to others: Euclidean distance between pixels."""

import math

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import Split, UInt8

Distances = npt.NDArray[np.float64]


def nearest_images(queries: UInt8, split: Split, count: int, block: int = 4_096) -> list[npt.NDArray[np.int64]]:
    """For each query ``(rows, columns)``, the positions of the `count` nearest images of `split`, nearest first.

    Exact, since double precision holds every sum of bytes; ties are in the order of the split. 80 queries against
    MNIST's 55,000 take 0.5 s, one takes 0.08 s.
    """
    return [take_nearest(row, count) for row in measure_distances(queries, split, block)]


def measure_distances(queries: UInt8, split: Split, block: int = 4_096) -> Distances:
    """Measure squared distances ``(Q, N)`` of images to Q queries, each row less a constant of its own."""
    pixels = queries.reshape(len(queries), math.prod(split.images.shape[1:])).astype(np.float64)  # (Q, D)
    distances = np.empty((len(queries), len(split)))
    for start in range(0, len(split), block):
        images = split.images[start : start + block].reshape(-1, pixels.shape[1]).astype(np.float64)
        # |q - x|^2 = |q|^2 - 2 q.x + |x|^2, and |q|^2 does not change the order
        distances[:, start : start + block] = (images * images).sum(axis=1) - 2 * pixels @ images.T
    return distances


def take_nearest(distances: Distances, count: int) -> npt.NDArray[np.int64]:
    """Return the positions of the `count` smallest of one or more distances ``(N,)``, the smallest first."""
    last = min(count, len(distances)) - 1
    near = np.flatnonzero(distances <= np.partition(distances, last)[last])  # `count` of them, or more with ties
    return near[distances[near].argsort(kind="stable")][:count]
