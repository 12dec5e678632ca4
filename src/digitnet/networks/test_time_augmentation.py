"""Test-time augmentation: the mean probability over an image and copies of it that are shifted by a pixel."""

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SHIFTS = (0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)
"""Pixels (down, right) by which the copies are shifted; the first is the image as it is."""


class TestTimeAugmentation(nn.Sequential):
    """A network that averages its probabilities over shifted copies, at as many times the cost.

    A network with strides or pools is not invariant to shifts of a pixel; the mean depends less on where the digit
    happens to be. The first layer is the preprocessing, and the copies are shifted after it. In training mode it
    is the plain network.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``(B, K)``: of the plain network in training mode, otherwise of the mean probability."""
        preprocessing, *layers = self
        preprocessed = preprocessing(images)
        if self.training:
            return _apply(layers, preprocessed)
        return average_predictions(torch.stack([_apply(layers, copy) for copy in shifted_copies(preprocessed)]))


def _apply(layers: Iterable[nn.Module], images: Tensor) -> Tensor:
    for layer in layers:
        images = layer(images)
    return images


def shifted_copies(images: Tensor) -> list[Tensor]:
    """Shift images ``(B, 1, rows, columns)`` by each of SHIFTS; pixels from outside are background, 0."""
    rows, columns = images.shape[2:]
    padded = F.pad(images, (1, 1, 1, 1))
    return [padded[:, :, 1 - down : 1 - down + rows, 1 - right : 1 - right + columns] for down, right in SHIFTS]


def average_predictions(logits: Tensor) -> Tensor:
    """Logits ``(B, K)`` whose softmax is the mean probability of M predictions ``(M, B, K)``.

    Their logsumexp is the mean of the M logsumexps, from which `digit_score` recognises outliers; that of plain
    log-probabilities would be 0 for every image.
    """
    score = logits.logsumexp(dim=-1, keepdim=True)  # (M, B, 1)
    return (logits - score).logsumexp(dim=0) - math.log(len(logits)) + score.mean(dim=0)
