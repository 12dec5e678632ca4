"""The blog's program in TensorFlow and digitnet's preset: their accuracies over seeds, and their steps."""

import json
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import stats
from torch import Tensor

from benchmarks import parity, peers
from conftest import BLOG
from digitnet.data.dataset import Dataset
from digitnet.training.record import Recorder
from digitnet.training.session import prepare
from digitnet.training.state import TrainState
from digitnet.training.train import fit

Arrays = list[npt.NDArray[np.float32]]

# --- accuracies over seeds -------------------------------------------------------------------------------------


def draw(seed: int, count: int, mean: float, sd: float) -> list[float]:
    return list(np.random.default_rng(seed).normal(mean, sd, count))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("count", "sd"), [(2, 0.002), (3, 0.0002), (5, 0.001)])
def test_the_interval_of_the_difference_is_welchs(seed: int, count: int, sd: float) -> None:
    theirs, ours = draw(seed, count, 0.9915, sd), draw(seed + 100, 20, 0.991, 0.001)
    found = parity.difference_interval(theirs, ours)
    expected = stats.ttest_ind(theirs, ours, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_the_interval_holds_the_true_difference_19_times_in_20() -> None:
    source, held = np.random.default_rng(1), 0
    for _ in range(1_000):
        theirs, ours = source.normal(0.9915, 0.002, 4), source.normal(0.991, 0.0007, 20)
        interval = parity.difference_interval(theirs, ours)
        held += interval.low <= 0.0005 <= interval.high
    assert 925 <= held <= 975


def test_the_sentence_compares_means_in_percent() -> None:
    theirs, ours = [0.991, 0.992, 0.993], [0.9912, 0.9914, 0.9916, 0.9918]
    expected = stats.ttest_ind(theirs, ours, equal_var=False).confidence_interval(0.95)
    assert parity.describe(theirs, ours) == (
        "TensorFlow's program: 99.20 ± 0.10 (3 seeds); digitnet's: 99.15 ± 0.03 (4 seeds); difference 0.05, "
        f"95% interval {100 * expected.low:.2f} to {100 * expected.high:.2f}."
    )


def test_one_seed_concludes_nothing() -> None:
    assert parity.describe([0.992], [0.991, 0.993]) == (
        "TensorFlow's program: 99.20 (1 seed); digitnet's: 99.20 ± 0.14 (2 seeds); difference 0.00; "
        "one seed has no spread, so nothing can be concluded."
    )


def test_digitnets_seeds_are_those_of_the_variant_blog(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "blog-tensorflow.json", tmp_path / "blog.json"
    runs = [{"seed": seed, "test_accuracy": accuracy} for seed, accuracy in enumerate([0.99, 0.992])]
    theirs.write_text(json.dumps({"recipe": parity.PROGRAM.recipe, "runs": runs}))
    variants = [{"results": {"name": "wider", "test": [0.5, 0.6]}}]
    ours.write_text(json.dumps({"variants": variants}))
    assert "digitnet's seeds are not stored yet" in parity.compare_stored(theirs, ours)
    variants.append({"results": {"name": "blog", "test": [0.991, 0.993]}})
    ours.write_text(json.dumps({"variants": variants}))
    assert parity.compare_stored(theirs, ours) == parity.describe([0.99, 0.992], [0.991, 0.993])


def test_each_seed_is_stored_as_it_ends_and_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, ran = tmp_path / "blog-tensorflow.json", []

    def run(program: peers.Program, python: Path, data: Path, seed: int, threads: int) -> dict[str, Any]:
        if seed == 2:
            raise peers.RunError("stopped")
        ran.append(seed)
        return {"program": "blog", "seed": seed, "steps": 9, "test_accuracy": 0.99, "versions": {}, "ended": ""}

    monkeypatch.setattr(parity, "run_program", run)
    monkeypatch.setattr(parity, "prepare", lambda environment: Path("python"))
    monkeypatch.setattr(parity, "fetch", lambda name: Path("mnist"))
    parity.run_missing(file, 1, threads=1)
    with pytest.raises(peers.RunError):
        parity.run_missing(file, 4, threads=1)
    assert ran == [0, 1]
    assert [run["seed"] for run in parity.stored_runs(file)] == [0, 1]
    file.write_text(json.dumps({"recipe": {"hidden": 0}, "runs": parity.stored_runs(file)}))
    assert parity.stored_runs(file) == []  # of another network


# --- steps, in TensorFlow and here -----------------------------------------------------------------------------

PYTHON = peers.ENVIRONMENTS / "blog" / "bin" / "python"


def in_tensorflow(test: Callable[..., None]) -> Callable[..., None]:
    """Leave the test out if the program has no environment yet."""
    reason = "expected TensorFlow in the environment that benchmarks.parity makes, found none"
    return pytest.mark.acceptance(pytest.mark.skipif(not PYTHON.exists(), reason=reason)(test))


def as_tensorflow(tensors: Iterable[Tensor]) -> Arrays:
    """Copy the eight weights and biases, with their axes as TensorFlow has them: channels last."""
    arrays = [tensor.detach().numpy().copy() for tensor in tensors]
    filters, biases, filters_2, biases_2, weights_3, biases_3, weights_4, biases_4 = arrays
    hidden = weights_3.reshape(256, 32, 7, 7).transpose(2, 3, 1, 0).reshape(1568, 256)
    first, second = (array.transpose(2, 3, 1, 0) for array in (filters, filters_2))
    return [first, biases, second, biases_2, hidden, biases_3, weights_4.T, biases_4]


class Steps(Recorder):
    """Three steps of the preset, and what TensorFlow computes from the same weights and batches."""

    def __init__(self, drawn: Dataset, folder: Path) -> None:
        session = prepare(BLOG.replace(steps=3), drawn, recorder=self)
        self.losses: list[float] = []
        self.gradients: list[Arrays] = []
        self.weights = [as_tensorflow(session.state.network.parameters())]  # before the first step, after it, ...
        batches = [session.batches.at(step) for step in range(3)]
        with torch.no_grad():
            self.logits = session.state.network(batches[0][0]).numpy()
        self.found = ask_tensorflow(self.weights[0], batches, folder)
        fit(session)

    def after_step(self, state: TrainState, loss: Tensor, correct: Tensor, images: int) -> None:
        self.losses.append(float(loss))
        gradients = [parameter.grad for parameter in state.network.parameters()]
        self.gradients.append(as_tensorflow(gradient for gradient in gradients if gradient is not None))
        self.weights.append(as_tensorflow(state.network.parameters()))

    def list_found(self, name: str) -> Arrays:
        """List what TensorFlow found for each of the eight weights and biases."""
        return [self.found[f"{name}_{number}"] for number in range(8)]


def ask_tensorflow(weights: Arrays, batches: list[tuple[Tensor, Tensor]], folder: Path) -> dict[str, Any]:
    images = [images.numpy().reshape(128, 784).astype(np.float32) / 255 for images, _ in batches]
    labels = [np.eye(10)[labels.numpy()] for _, labels in batches]
    given, found = folder / "given.npz", folder / "found.npz"
    named = {f"weights_{number}": array for number, array in enumerate(weights)}
    np.savez(given, images=np.stack(images), labels=np.stack(labels), **named)  # type: ignore[arg-type]
    done = subprocess.run(
        [PYTHON, Path(__file__).parent / "steps_in_tensorflow.py", given, found],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(peers.ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    assert done.returncode == 0, done.stderr
    return dict(np.load(found))


@pytest.fixture(scope="module")
def steps(drawn: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Steps:
    return Steps(drawn, tmp_path_factory.mktemp("steps"))


def distance(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Compute the norm of the difference, relative to that of the first."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(one))


@in_tensorflow
def test_the_same_weights_give_the_same_logits_loss_and_gradients(steps: Steps) -> None:
    assert np.allclose(steps.logits, steps.found["logits"], rtol=0, atol=2e-5)
    assert steps.losses[0] == pytest.approx(float(steps.found["loss"]), rel=1e-6)
    for ours, theirs in zip(steps.gradients[0], steps.list_found("gradients"), strict=True):
        assert distance(ours, theirs) < 2e-5


@in_tensorflow
def test_a_step_differs_only_in_where_adam_adds_epsilon(steps: Steps) -> None:
    """TensorFlow adds it before it corrects the second moment, which makes it 30 times as large in this step."""
    first = zip(*steps.weights[:2], steps.gradients[0], steps.list_found("step_1"), strict=True)
    rate = 0.0005 * np.sqrt(1 - 0.999) / (1 - 0.9)

    def step(before: npt.NDArray[np.float32], gradient: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        mean, root = 0.1 * gradient, np.sqrt(0.001 * gradient**2)
        return np.asarray(before - rate * mean / (root + 1e-8))

    for before, ours, gradient, theirs in first:
        rounding = 1e-6 * np.abs(gradient).max()  # in either program: a gradient near 0 may change its sign
        low, high = (step(before, gradient.astype(np.float64) + some) for some in (rounding, -rounding))
        assert (low - 2e-6 <= theirs).all() and (theirs <= high + 2e-6).all()
        seen = np.abs(gradient) > 1e-4
        assert np.allclose(theirs[seen], ours[seen], rtol=0, atol=3e-6)


@in_tensorflow
def test_after_three_steps_the_weights_have_moved_alike(steps: Steps) -> None:
    after = zip(steps.weights[0], steps.weights[3], steps.list_found("step_3"), strict=True)
    for before, ours, theirs in after:
        assert distance(ours - before, theirs - before) < 0.05


@in_tensorflow
def test_the_program_draws_its_first_weights_from_the_same_distribution(steps: Steps) -> None:
    initial = steps.list_found("initial")
    assert [array.shape for array in initial] == [array.shape for array in steps.weights[0]]
    for theirs, ours in zip(initial[::2], steps.weights[0][::2], strict=True):
        assert stats.ks_2samp(theirs.ravel(), ours.ravel()).pvalue > 0.001
        assert np.abs(theirs).max() <= np.float32(0.2)
    for theirs, ours in zip(initial[1::2], steps.weights[0][1::2], strict=True):
        assert np.array_equal(theirs, ours)


@in_tensorflow
def test_the_programs_batches_follow_one_another_through_whole_epochs(steps: Steps) -> None:
    order = steps.found["order"]
    first, second = order[:55_000], order[55_000:110_000]
    assert np.array_equal(np.sort(first), np.arange(55_000)) and np.array_equal(np.sort(second), np.arange(55_000))
    assert not np.array_equal(first, second)
