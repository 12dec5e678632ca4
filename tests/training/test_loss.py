"""The loss: what is recorded is the plain cross-entropy, whatever is descended."""

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
def test_it_is_the_cross_entropy_to_the_smoothed_labels_by_its_definition(smoothing: float) -> None:
    logits, labels = batch()
    wanted = (1 - smoothing) * torch.eye(10)[labels] + smoothing / 10  # (B, K)
    expected = -(wanted * logits.log_softmax(dim=1)).sum(dim=1).mean()
    descended, _ = make_loss(BLOG.replace(label_smoothing=smoothing).optimisation)(logits, labels)
    assert torch.allclose(descended, expected)
    (gradient,) = torch.autograd.grad(descended, logits)
    assert torch.allclose(gradient, (logits.softmax(dim=1) - wanted) / 64, atol=1e-7)


@pytest.mark.parametrize("smoothing", SMOOTHINGS)
def test_what_is_recorded_is_plain_and_carries_no_gradient(smoothing: float) -> None:
    logits, labels = batch()
    _, recorded = make_loss(BLOG.replace(label_smoothing=smoothing).optimisation)(logits, labels)
    plain = -logits.log_softmax(dim=1)[torch.arange(64), labels].mean()
    assert torch.allclose(recorded, plain)
    assert not recorded.requires_grad
