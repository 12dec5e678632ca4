"""What a step descends, beside what is recorded of it."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from digitnet.config import Optimisation

Loss = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Logits ``(B, K)`` and labels ``(B,)`` in; two means in nats out: the loss to descend, and the one to record.

What is recorded is always the plain cross-entropy, so that it can be laid beside the validation's, whatever the
recipe. Of M members each descends the loss of its own images, so none learns to make up for the others; the mean
makes its gradient 1/M of what it is alone, which Adam does not see.
"""


def cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Descend what is recorded."""
    loss = F.cross_entropy(logits, labels)
    return loss, loss.detach()


def make_loss(optimisation: Optimisation) -> Loss:
    """Make the loss that the configuration asks for: with label smoothing, or plain.

    Label smoothing asks for ``1 - s`` of the probability for the label and ``s / K`` for every class, its own
    included (Szegedy et al. 2016, section 7, arXiv 1512.00567).
    """
    if not optimisation.label_smoothing:
        return cross_entropy

    def smoothed(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        loss = F.cross_entropy(logits, labels, label_smoothing=optimisation.label_smoothing)
        return loss, F.cross_entropy(logits.detach(), labels)

    return smoothed
