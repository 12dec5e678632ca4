"""Fine-tune on some of one's own digits and judge on the others, in turn: each by a network that never saw it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from digitnet.adapting.finetune import Rehearsal, finetune
from digitnet.adapting.judge import Bools, Judge
from digitnet.data.dataset import Split

FOLDS = 5

STEPS = 30, 100, 200
"""Steps to choose from. They take seconds; more were no better on 100 digits of 8 x 8 pixels (docs/LOG.md)."""


@dataclass(frozen=True)
class CrossValidation:
    """What networks that did not learn an image say about it."""

    right: Bools  # (n,) with the number of steps that is best on the other folds
    steps: int  # the number that is best on all


def cross_validate(
    network: nn.Sequential,
    own: Split,
    rehearsal: Rehearsal,
    judge: Judge,
    seed: int,
    after_step: Callable[[], None],
) -> CrossValidation:
    """Judge fine-tuning on `own` digits by five folds, and choose how many steps it takes.

    The number with the lowest mean loss is chosen. So that the choice does not flatter the result, each fold is
    judged with the number that is best on the other four.
    """
    folds = assign_folds(own, seed)
    right = np.zeros((len(STEPS), len(own)), np.bool_)
    losses = np.zeros((len(STEPS), len(own)))
    for fold in range(FOLDS):
        learned, held_out = folds != fold, folds == fold
        images, labels = to_tensors(own, learned)
        for step, learner in enumerate(islice(finetune(network, images, labels, rehearsal, seed), STEPS[-1]), 1):
            after_step()
            if step in STEPS:
                place = STEPS.index(step), held_out
                right[place], losses[place] = judge.judge(
                    learner, Split(own.images[held_out], own.labels[held_out])
                )
    judged = np.zeros(len(own), np.bool_)
    for fold in range(FOLDS):
        best = losses[:, folds != fold].mean(axis=1).argmin()
        judged[folds == fold] = right[best, folds == fold]
    return CrossValidation(judged, STEPS[int(losses.mean(axis=1).argmin())])


def assign_folds(own: Split, seed: int) -> npt.NDArray[np.int64]:
    """Assign each digit ``(n,)`` to one of FOLDS, each label spread evenly; equal images share one."""
    _, first, same = np.unique(own.images, axis=0, return_index=True, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(own.labels[first][order], kind="stable")]
    folds = np.zeros(len(first), np.int64)
    folds[order] = np.arange(len(first)) % FOLDS
    return folds[same.reshape(-1)]


def to_tensors(own: Split, chosen: Bools | slice = slice(None)) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images ``(n, 1, 28, 28)`` uint8 and labels ``(n,)`` int64 of the chosen digits."""
    return torch.from_numpy(own.images[chosen])[:, None], torch.from_numpy(own.labels[chosen].astype(np.int64))
