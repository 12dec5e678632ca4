"""What many tests share: a data set that is drawn in a millisecond, and runs that were trained on it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import processes
from digitnet.data.dataset import Dataset, Split
from digitnet.presets import PRESETS
from digitnet.reading import formats
from digitnet.run_folder import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from torch import Tensor

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # also where a test imports MLflow before digitnet does
os.environ["OMP_NUM_THREADS"] = "1"  # subprocesses of tests: small work is faster on one thread

settings.register_profile(  # a busy machine is not a failure
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")

BLOG = PRESETS["blog"]

SHORT = BLOG.replace(
    filters=(4, 8),
    steps=40,
    batch_size=32,
    learning_rate=0.003,
    validation_images=60,
    log_every=10,
    validate_every=15,
    save_every=8,
    preprocessing="deskew",
    tta=5,
    augment="gentle",
    schedule="cosine",
    warmup=0.1,
    freeze_after=0.6,
    seed=3,
    device="cpu",
    threads=1,
)
"""A run of a second, with most features on and cadences that do not divide each other."""


def draw(count: int, seed: int) -> Split:
    """Draw images ``(count, 28, 28)`` of ten patterns with noise; the classes take turns."""
    patterns = np.kron(np.random.default_rng(7).random((10, 7, 7)) > 0.6, np.ones((4, 4))).astype(np.uint8)
    noise = np.random.default_rng(seed)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images = patterns[labels] * noise.integers(100, 256, (count, 28, 28)) + noise.integers(0, 40, (count, 28, 28))
    return Split(np.minimum(images, 255).astype(np.uint8), labels)


@pytest.fixture(scope="session")
def drawn() -> Dataset:
    """A data set of ten easy classes: 500 images to train on, 60 to validate, 103 to test."""
    both = draw(560, seed=1)
    return Dataset(
        name="drawn",
        fingerprint="d" * 64,
        label_names=tuple("0123456789"),
        train=Split(both.images[60:], both.labels[60:]),
        validation=Split(both.images[:60], both.labels[:60]),
        test=draw(103, seed=2),
    )


@pytest.fixture(scope="session")
def drawn_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same images as a file that ``--data`` takes."""
    path = tmp_path_factory.mktemp("data") / "drawn.npz"
    train, test = draw(560, seed=1), draw(103, seed=2)
    np.savez(path, x_train=train.images, y_train=train.labels, x_test=test.images, y_test=test.labels)
    return path


@pytest.fixture(scope="session")
def trained(drawn: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as training leaves it; take `finished`, a copy of it."""
    from digitnet.training.train import train

    return train(SHORT, dataset=drawn, out=tmp_path_factory.mktemp("runs") / "trained").path


@pytest.fixture
def finished(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was trained to its end, for this test alone."""
    return Run(shutil.copytree(trained, tmp_path_factory.mktemp("runs") / "finished"))


@pytest.fixture(scope="session")
def model(trained: Path, drawn: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model file of that run."""
    from digitnet.evaluation.calibrate import calibrate
    from digitnet.exporting.export import export

    run = Run(trained)
    return export(run, tmp_path_factory.mktemp("models") / "model.onnx", calibration=calibrate(run, drawn))


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def digitnet(tmp_path: Path) -> Command:
    """Run the command line in a process of its own, in an empty folder."""

    def run(*words: object, **environment: str) -> "subprocess.CompletedProcess[str]":
        return processes.run(*processes.DIGITNET, *words, cwd=tmp_path, env={**os.environ, **environment})

    return run


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As where digitnet was installed without its extra ``pictures``."""
    for extra in (formats.HEIC, formats.PDF):
        monkeypatch.setitem(sys.modules, extra.module, None)
    formats._is_installed.cache_clear()
    yield
    formats._is_installed.cache_clear()


def everything(run: Run) -> tuple[dict[str, object], dict[str, "Tensor"], bytes]:
    """All that a resumed run must share with one that never stopped: manifest, tensors, measurements."""
    from digitnet.training.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(run)
    assert checkpoint is not None
    manifest = {k: v for k, v in vars(checkpoint).items() if k not in ("tensors", "seconds")}
    return manifest, checkpoint.tensors, (run.path / "metrics.jsonl").read_bytes()


def assert_equal(one: Run, other: Run) -> None:
    """Compare two runs, bit for bit."""
    import torch

    (manifest, tensors, metrics), (manifest2, tensors2, metrics2) = everything(one), everything(other)
    assert manifest == manifest2
    assert metrics == metrics2
    assert tensors.keys() == tensors2.keys()
    assert {name.partition(".")[0] for name in tensors} == {"network", "optimizer"}
    for name, tensor in tensors.items():
        assert torch.equal(tensor, tensors2[name]), name


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Start a real browser for the tests of a file: Playwright runs an event loop in this thread until its end."""
    from browser import chromium

    with chromium() as started:
        yield started
