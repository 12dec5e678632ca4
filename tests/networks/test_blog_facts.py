"""The preset blog is the blog's experiment: each of its facts, stated again in numpy.

The number of parameters is in test_models.py, the order of the batches in test_batches.py, which images are held
out in test_load_dataset.py. tests/benchmarks/test_parity.py compares the preset with a program in TensorFlow.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats
from scipy.special import logsumexp
from torch import Tensor

from conftest import BLOG
from digitnet.data.dataset import Dataset
from digitnet.networks.models import build_network
from digitnet.training.record import Recorder
from digitnet.training.session import Session, prepare
from digitnet.training.state import TrainState
from digitnet.training.train import fit

Array = npt.NDArray[np.float64]

SHAPES = [(16, 1, 5, 5), (16,), (32, 16, 5, 5), (32,), (256, 1568), (256,), (10, 256), (10,)]
"""Weights and biases of two convolutions and two dense layers."""

NORMAL = stats.truncnorm(-2, 2, scale=0.1)
"""A normal distribution of deviation 0.1, cut off at two deviations."""


# --- the network -----------------------------------------------------------------------------------------------


def convolve(maps: Array, filters: Array, biases: Array) -> Array:
    """Slide filters (F, C, 5, 5) over maps (B, C, rows, columns) with a border of zeros, "same" padding."""
    padded = np.pad(maps, [(0, 0), (0, 0), (2, 2), (2, 2)])
    patches = sliding_window_view(padded, (5, 5), axis=(2, 3))  # (B, C, rows, columns, 5, 5)
    sums = np.tensordot(patches, filters, axes=([1, 4, 5], [1, 2, 3]))  # (B, rows, columns, F)
    return np.moveaxis(sums + biases, 3, 1)


def pool(maps: Array) -> Array:
    """Take the largest of each 2 x 2 pixels."""
    count, channels, rows, columns = maps.shape
    return maps.reshape(count, channels, rows // 2, 2, columns // 2, 2).max(axis=(3, 5))


def relu(values: Array) -> Array:
    return np.maximum(values, 0)


def logits_of(parameters: Sequence[Array], images: npt.NDArray[np.uint8]) -> Array:
    """Compute logits (B, 10) of images (B, 1, 28, 28)."""
    filters, biases, filters_2, biases_2, weights_3, biases_3, weights_4, biases_4 = parameters
    maps = pool(relu(convolve(images / 255, filters, biases)))  # (B, 16, 14, 14)
    maps = pool(relu(convolve(maps, filters_2, biases_2)))  # (B, 32, 7, 7)
    hidden = relu(maps.reshape(len(images), 1568) @ weights_3.T + biases_3)
    return hidden @ weights_4.T + biases_4


def cross_entropy_of(logits: Array, labels: npt.NDArray[np.int64]) -> float:
    """Average the negative log-probability of the labels over the batch."""
    return float(np.mean(logsumexp(logits, axis=1) - logits[np.arange(len(labels)), labels]))


def to_numpy(tensors: Sequence[Tensor]) -> list[Array]:
    return [tensor.detach().numpy().astype(np.float64) for tensor in tensors]


def test_the_network_has_the_blogs_layers(drawn: Dataset) -> None:
    network = build_network(BLOG, (28, 28), 10).eval()
    parameters = list(network.parameters())
    assert [tuple(tensor.shape) for tensor in parameters] == SHAPES
    images = drawn.test.images[:, None]
    with torch.no_grad():
        ours = network(torch.from_numpy(images)).numpy()
    expected = logits_of(to_numpy(parameters), images)
    assert np.abs(expected).max() > 1
    assert np.allclose(ours, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layer", range(4))
def test_first_weights_are_normal_of_deviation_a_tenth_cut_off_at_two_deviations(layer: int) -> None:
    parameters = to_numpy(list(build_network(BLOG, (28, 28), 10).parameters()))
    weights, biases = parameters[2 * layer].ravel(), parameters[2 * layer + 1]
    assert NORMAL.std() == pytest.approx(0.0880, abs=5e-5)
    error = NORMAL.std() / np.sqrt(len(weights))  # of the mean; that of the deviation is smaller
    assert abs(weights.mean()) < 4 * error
    assert abs(weights.std() - NORMAL.std()) < 4 * error
    assert np.abs(weights).max() <= np.float32(0.2)
    assert stats.kstest(weights, NORMAL.cdf).pvalue > 0.001
    assert np.all(biases == np.float32(0.1))


# --- the training ----------------------------------------------------------------------------------------------


class Snapshots(Recorder):
    """Keeps the loss and the gradients of each step, and the weights after it."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.gradients: list[list[Array]] = []
        self.weights: list[list[Array]] = []

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        parameters = list(state.network.parameters())
        assert all(parameter.grad is not None for parameter in parameters)
        self.losses.append(float(loss))
        self.gradients.append(to_numpy([parameter.grad for parameter in parameters if parameter.grad is not None]))
        self.weights.append(to_numpy(parameters))


@pytest.fixture(scope="module")
def steps(drawn: Dataset) -> tuple[Session, Snapshots]:
    """Three steps of the preset, which begin with the weights of its seed."""
    snapshots = Snapshots()
    session = prepare(BLOG.replace(steps=3), drawn, recorder=snapshots)
    snapshots.weights.append(to_numpy(list(session.state.network.parameters())))
    fit(session)
    return session, snapshots


def test_ten_thousand_steps_of_128_images_leave_the_first_5000_to_validation() -> None:
    assert (BLOG.optimisation.steps, BLOG.optimisation.batch_size) == (10_000, 128)
    assert BLOG.images.validation_images == 5_000


def test_the_loss_is_the_mean_cross_entropy_of_the_images_as_they_are(
    steps: tuple[Session, Snapshots],
) -> None:
    session, snapshots = steps
    for step, loss in enumerate(snapshots.losses):
        images, labels = (tensor.numpy() for tensor in session.batches.at(step))
        assert images.shape == (128, 1, 28, 28)
        assert loss == pytest.approx(
            cross_entropy_of(logits_of(snapshots.weights[step], images), labels), rel=1e-5
        )


@pytest.mark.parametrize("number", range(8), ids=str)
def test_the_gradient_is_the_slope_of_that_loss(steps: tuple[Session, Snapshots], number: int) -> None:
    """Along the gradient itself, and along random signs, which shows what the first would miss."""
    session, snapshots = steps
    images, labels = (tensor.numpy() for tensor in session.batches.at(0))
    gradient, source = snapshots.gradients[0][number], np.random.default_rng(number)
    signs = source.choice([-1.0, 1.0], gradient.shape) / np.sqrt(gradient.size)
    for direction in (gradient / np.linalg.norm(gradient), signs):
        ends = []
        for distance in (1e-6, -1e-6):
            moved = list(snapshots.weights[0])
            moved[number] = moved[number] + distance * direction
            ends.append(cross_entropy_of(logits_of(moved, images), labels))
        slope = (ends[0] - ends[1]) / 2e-6
        assert np.vdot(gradient, direction) == pytest.approx(slope, abs=1e-4 * np.linalg.norm(gradient))


def test_each_step_is_one_of_adam_with_its_published_defaults_and_a_rate_of_0_0005(
    steps: tuple[Session, Snapshots],
) -> None:
    """Kingma and Ba 2015, algorithm 1 (arXiv 1412.6980): a constant rate, and no weight decay."""
    _, snapshots = steps
    for number in range(8):
        mean, square = 0.0, 0.0
        for step, gradients in enumerate(snapshots.gradients, 1):
            gradient, before = gradients[number], snapshots.weights[step - 1][number]
            mean = 0.9 * mean + 0.1 * gradient
            square = 0.999 * square + 0.001 * gradient**2
            corrected, corrected_square = mean / (1 - 0.9**step), square / (1 - 0.999**step)
            expected = before - 0.0005 * corrected / (np.sqrt(corrected_square) + 1e-8)
            assert np.allclose(snapshots.weights[step][number], expected, rtol=0, atol=5e-8)


def test_adam_divides_by_the_published_epsilon_where_gradients_vanish(drawn: Dataset) -> None:
    """A gradient of 1e-8, as small as epsilon, takes half a step."""
    optimizer = prepare(BLOG, drawn).state.optimizer
    parameter = optimizer.param_groups[0]["params"][0]
    before = parameter.detach().clone()
    parameter.grad = torch.full_like(parameter, 1e-8)
    optimizer.step()
    assert torch.allclose(before - parameter.detach(), torch.tensor(0.00025), rtol=0, atol=5e-8)


def test_the_rate_is_constant_over_all_steps(drawn: Dataset) -> None:
    session = prepare(BLOG, drawn)
    assert {session.schedule(step) for step in range(0, 10_000, 7)} == {0.0005}
    assert not session.freeze.parameters


def test_a_test_image_is_evaluated_once_as_it_is(drawn: Dataset) -> None:
    seen = []
    network = build_network(BLOG, (28, 28), 10).eval()
    network[1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))  # type: ignore[operator]
    images = torch.from_numpy(drawn.test.images[:, None])
    network(images)
    (scaled,) = seen
    assert torch.allclose(scaled, images.float() / 255)
