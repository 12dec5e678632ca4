"""Several views of each image when judging: as it is, and moved by a pixel."""

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOVES = (0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)
"""The views, as moves in pixels (down, right); the image as it is comes first."""


class Views(nn.Sequential):
    """A network that judges by the mean probability of several views, at as many times the cost.

    A convolution with a stride or a pool answers otherwise when its image moves by a pixel; the mean of several
    answers depends less on where a digit happens to lie. The first layer prepares the images, and the moves are
    behind it. In training it is the network alone.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Give logits ``(B, K)``; those of all views together, unless it is training."""
        prepare, *layers = self
        prepared = prepare(images)
        if self.training:
            return _through(layers, prepared)
        return mean_answer(torch.stack([_through(layers, view) for view in moved(prepared)]))


def _through(layers: Iterable[nn.Module], images: Tensor) -> Tensor:
    for layer in layers:
        images = layer(images)
    return images


def moved(images: Tensor) -> list[Tensor]:
    """Give the views of images ``(B, 1, rows, columns)``; from outside comes background, 0."""
    rows, columns = images.shape[2:]
    padded = F.pad(images, (1, 1, 1, 1))
    return [padded[:, :, 1 - d : 1 - d + rows, 1 - r : 1 - r + columns] for d, r in MOVES]


def mean_answer(logits: Tensor) -> Tensor:
    """Logits ``(B, K)`` whose softmax is the mean probability of several answers ``(M, B, K)``.

    The log of their summed exponentials is the mean one of the answers: `digit_score` tells by it what is no
    digit, and of the logs of probabilities it is 0, whatever the image.
    """
    score = logits.logsumexp(dim=-1, keepdim=True)  # (M, B, 1)
    return (logits - score).logsumexp(dim=0) - math.log(len(logits)) + score.mean(dim=0)
