"""The loss has label smoothing; the recorded cross-entropy has not."""

import pytest
import torch
from torch import Tensor

from conftest import BLOG
from digitnet.training.loss import make_loss

SMOOTHINGS = [0.0, 0.1, 0.5, 0.99]


def batch() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    logits = 3 * torch.randn(64, 10, generator=generator)
    return logits.requires_grad_(), torch.randint(0, 10, (64,), generator=generator)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_the_loss_is_the_cross_entropy_with_smoothed_labels_by_definition(smoothing: float) -> None:
    logits, labels = batch()
    target = (1 - smoothing) * torch.eye(10)[labels] + smoothing / 10  # (B, K)
    expected = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    loss, _ = make_loss(BLOG.replace(label_smoothing=smoothing).optimisation)(logits, labels)
    assert torch.allclose(loss, expected)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert torch.allclose(gradient, (logits.softmax(dim=1) - target) / 64, atol=1e-7)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_the_recorded_cross_entropy_is_plain_and_has_no_gradient(smoothing: float) -> None:
    logits, labels = batch()
    _, recorded = make_loss(BLOG.replace(label_smoothing=smoothing).optimisation)(logits, labels)
    plain = -logits.log_softmax(dim=1)[torch.arange(64), labels].mean()
    assert torch.allclose(recorded, plain)
    assert not recorded.requires_grad
