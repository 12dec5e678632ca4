"""Occlusion: take a square of an image away and see what becomes of the answer, at every place in turn.

Zeiler and Fergus 2014, "Visualizing and understanding convolutional networks", section 4.2 (arXiv 1311.2901).
They cover photographs with a grey square. Here the square becomes background, 0: on an image of ink that is no new
object but ink taken away, so it shows which strokes the answer rests on.

The image is changed before it enters the network, so that deskewing, test-time augmentation and every member of an
ensemble see the changed image. With deskewing, the rest also moves and shears a little, as if the ink had never
been there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import nn

from digitnet import metrics
from digitnet.data.dataset import UInt8
from digitnet.networks.predict import predict_logits
from digitnet.progress import Progress

Floats = npt.NDArray[np.float64]
Corners = npt.NDArray[np.int64]

_USUAL = 5 / 28
"""Side of the sliding square, of the image's shorter side: a little more than a stroke of MNIST is wide."""

_LARGEST = 11 / 28
"""Side of the largest square that `smallest_change` tries, likewise: half of a digit's height."""

_POSITIONS = 28
"""Places along the shorter side, about: the squares of a larger image are further apart."""

_LEAST_PROBABILITY = 1e-12
"""Probabilities count as at least this, so that logarithms are finite."""


@dataclass(frozen=True)
class Occlusion:
    """What a network answers without each of the squares of an image that hold ink."""

    answer: int  # class of the whole image
    side: int  # of a square, in pixels
    corners: Corners  # (S, 2) row and column of the upper left pixel of each square
    probabilities: Floats  # (S, K) without the square; each row sums to 1
    drop: Floats  # (rows, columns) see `occlude`

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """Class ``(S,)`` that is answered without each square."""
        return np.asarray(self.probabilities.argmax(axis=1))

    def changes(self) -> dict[int, int]:
        """Map each other class that is answered without some square to the number of squares, the most first."""
        counts = np.bincount(self.predicted, minlength=self.probabilities.shape[1])
        counts[self.answer] = 0
        return {int(k): int(counts[k]) for k in np.argsort(-counts, kind="stable") if counts[k]}

    def share(self, label: int) -> Floats:
        """Fraction ``(rows, columns)`` of the squares over each pixel without which `label` is answered."""
        is_label = (self.predicted == label).astype(np.float64)
        return _mean_over_pixels(is_label, self.corners, self.side, self.drop.shape)


@dataclass(frozen=True)
class Change:
    """A square without which the answer is another one."""

    top: int
    left: int
    side: int
    probabilities: Floats  # (K,) without it

    @property
    def answer(self) -> int:
        """The other answer."""
        return int(self.probabilities.argmax())


def occlude(network: nn.Module, image: UInt8, classes: int, side: int | None = None) -> Occlusion:
    """Take each square of `side` pixels that holds ink away from an image ``(rows, columns)``; read what is left.

    The drop of a pixel is the mean, over the squares that cover it, of the fall of the answer's log-probability;
    it is negative where the answer gains, and 0 where no square with ink covers it. `side` is 5 for images of
    28 x 28, and in proportion for others. Takes 0.1 s for the recipe fast.
    """
    side = side or usual_side(image)
    before = _probabilities(network, image[None], classes)[0]
    answer = int(before.argmax())
    corners = squares_with_ink(image, side)
    after = _probabilities(network, take_away(image, corners, side), classes)
    falls = _logarithm(before[answer]) - _logarithm(after[:, answer])
    return Occlusion(answer, side, corners, after, _mean_over_pixels(falls, corners, side, image.shape))


def smallest_change(
    network: nn.Module, image: UInt8, classes: int, progress: Progress | None = None
) -> Change | None:
    """Find the smallest square without which the answer is another one; None if there is none.

    Sides up to `largest_side` are tried. Of several squares of the same size it is the one without which the other
    answer is most probable. `progress` counts the squares, by default nowhere.
    """
    progress, tried = progress or Progress(), 0
    answer = int(_probabilities(network, image[None], classes)[0].argmax())
    sides = range(_step(image), largest_side(image) + 1, _step(image))
    squares = {side: squares_with_ink(image, side) for side in sides}
    progress.begin(sum(map(len, squares.values())), unit="squares of ink")
    for side, corners in squares.items():
        after = _probabilities(network, take_away(image, corners, side), classes)
        other = np.where(after.argmax(axis=1) == answer, 0, after.max(axis=1, initial=0))
        if other.any():
            best = int(other.argmax())
            return Change(int(corners[best, 0]), int(corners[best, 1]), side, after[best])
        tried += len(corners)
        progress.advance(tried)
    return None


def usual_side(image: UInt8) -> int:
    """Side of the sliding square for such an image: 5 pixels for 28 x 28."""
    return max(1, round(_USUAL * int(min(image.shape))))


def largest_side(image: UInt8) -> int:
    """Side of the largest square that `smallest_change` tries: 11 pixels for 28 x 28."""
    return max(1, round(_LARGEST * int(min(image.shape))))


def squares_with_ink(image: UInt8, side: int) -> Corners:
    """List the upper left pixels ``(S, 2)`` of the squares of `side` pixels inside the image that hold ink.

    On images of 56 x 56 and larger they are a few pixels apart, so that there are no more than a thousand or two.
    """
    step = _step(image)
    down, across = (np.unique(np.append(np.arange(0, n - side, step), n - side)) for n in image.shape)
    corners = np.stack(np.meshgrid(down, across, indexing="ij"), axis=2).reshape(-1, 2)
    has_ink = [image[top : top + side, left : left + side].any() for top, left in corners]
    return np.asarray(corners[np.array(has_ink, dtype=bool)])


def take_away(image: UInt8, corners: Corners, side: int) -> UInt8:
    """Copy the image ``(S, rows, columns)``, each time with another square of `side` pixels as background, 0."""
    copies = np.repeat(image[None], len(corners), axis=0)
    for copy, (top, left) in zip(copies, corners, strict=True):
        copy[top : top + side, left : left + side] = 0
    return copies


def _probabilities(network: nn.Module, images: UInt8, classes: int) -> Floats:
    if not len(images):
        return np.zeros((0, classes))
    return metrics.softmax(predict_logits(network, images, classes))


def _logarithm(probabilities: Floats) -> Floats:
    return np.log(np.maximum(probabilities, _LEAST_PROBABILITY))


def _mean_over_pixels(values: Floats, corners: Corners, side: int, shape: tuple[int, ...]) -> Floats:
    """Mean ``(rows, columns)`` of the values ``(S,)`` of the squares that cover each pixel, 0 where none does."""
    total, count = np.zeros(shape), np.zeros(shape)
    for value, (top, left) in zip(values, corners, strict=True):
        total[top : top + side, left : left + side] += value
        count[top : top + side, left : left + side] += 1
    return total / np.maximum(count, 1)


def _step(image: UInt8) -> int:
    """Pixels from each square to the next."""
    return max(1, int(min(image.shape)) // _POSITIONS)
