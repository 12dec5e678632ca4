"""Fine-tune a network on a few digits of one hand, without forgetting the others."""

import copy
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digitnet import metrics
from digitnet.augmentation.affine import affine
from digitnet.augmentation.ink import ink
from digitnet.augmentation.outliers import make_outliers
from digitnet.data.dataset import Dataset
from digitnet.networks.predict import predict_logits
from digitnet.networks.preprocessing import Scale
from digitnet.training.randomness import seed_step

OWN, OTHER = 32, 96
"""Images of one's own hand, and of all that must not be forgotten, in a batch."""

OWN_SHARE = 0.25
"""Weight of one's own digits in the loss, as in the batch."""

LEARNING_RATE = 0.0003
"""Adam's. Ten times as much forgets twice as much of MNIST (docs/LOG.md)."""

_DIGITS, _OUTLIERS = 8_000, 4_000  # made once, in some seconds; 200 steps see each about twice


@dataclass(frozen=True)
class Rehearsal:
    """What a network must not forget: MNIST's digits, what is no digit, and how it answers about both."""

    images: Tensor  # (N, 1, 28, 28) uint8
    answers: Tensor  # (N, K) or (N, K + 1) float32, probabilities

    @classmethod
    def of(cls, network: nn.Sequential, dataset: Dataset, seed: int) -> "Rehearsal":
        """Draw training images, redraw them with other pens, make outliers, and ask `network` about both."""
        with torch.random.fork_rng(devices=[]):
            seed_step(seed, 0)
            chosen = torch.randperm(len(dataset.train))[:_DIGITS].numpy()
            digits = torch.from_numpy(dataset.train.images[chosen])[:, None]
            outliers, _ = make_outliers(dataset, _OUTLIERS, seed)
            images = torch.cat([*map(ink, digits.split(500)), outliers])  # type: ignore[no-untyped-call]
        return cls(
            images, torch.from_numpy(metrics.softmax(predict_logits(network, images[:, 0].numpy()))).float()
        )


def finetune(
    network: nn.Sequential, images: Tensor, labels: Tensor, rehearsal: Rehearsal, seed: int
) -> Iterator[nn.Sequential]:
    """Fine-tune a copy of `network` on images ``(n, 1, 28, 28)`` uint8, ``(n,)``; yield it after each step.

    One's own digits are learned by their labels. About all others the copy learns to answer as the network does
    (learning without forgetting: Li and Hoiem 2016, arXiv 1606.09282), which keeps its calibration too. BatchNorm
    keeps its statistics.
    """
    learner = _set_to_learn(copy.deepcopy(network))
    before_augmentation = _preprocessing_of(learner).before_augmentation
    optimizer = torch.optim.Adam(learner.parameters(), lr=LEARNING_RATE)
    for step in itertools.count():
        with torch.random.fork_rng(devices=[]):
            seed_step(seed, step)
            own, others = torch.randint(len(labels), (OWN,)), torch.randint(len(rehearsal.images), (OTHER,))
            own_images = affine(before_augmentation(images[own]))  # (OWN, 1, 28, 28) uint8
        logits = learner(torch.cat([own_images, before_augmentation(rehearsal.images[others])]))
        loss = OWN_SHARE * F.cross_entropy(logits[:OWN], labels[own])
        loss = loss + (1 - OWN_SHARE) * F.cross_entropy(logits[OWN:], rehearsal.answers[others])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has not annotated it
        optimizer.step()
        yield learner


def _set_to_learn(network: nn.Sequential) -> nn.Sequential:
    """Turn off what only answers need, as deskewing and test-time augmentation, but not BatchNorm's statistics."""
    network.eval()
    network.training = True
    _preprocessing_of(network).training = True
    return network


def _preprocessing_of(network: nn.Sequential) -> Scale:
    first = network[0]
    assert isinstance(first, Scale)
    return first
