"""The training loss, and the plain cross-entropy that is recorded."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from digitnet.config import Optimisation

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Logits ``(B, K)`` and labels ``(B,)`` in; the mean loss to minimise and the mean cross-entropy to record out.

The recorded cross-entropy has no label smoothing, so that it compares with the validation loss in every recipe. In
an ensemble of M members each minimises the loss of its own images, independently of the others; the mean over all
images makes its gradient 1/M as large, to which Adam is invariant.
"""


def cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Minimise and record the plain cross-entropy."""
    loss = F.cross_entropy(logits, labels)
    return loss, loss.detach()


def make_loss(optimisation: Optimisation) -> Loss:
    """Make the loss of the configuration: cross-entropy, with label smoothing or without.

    With smoothing s the target is ``1 - s`` for the label plus ``s / K`` for each class (Szegedy et al. 2016,
    section 7, arXiv 1512.00567).
    """
    if not optimisation.label_smoothing:
        return cross_entropy

    def smoothed(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        loss = F.cross_entropy(logits, labels, label_smoothing=optimisation.label_smoothing)
        return loss, F.cross_entropy(logits.detach(), labels)

    return smoothed
