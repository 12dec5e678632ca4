"""A real, short training on MNIST reaches an accuracy that no broken one does."""

from pathlib import Path

import numpy as np
import pytest

from conftest import BLOG
from digitnet import load_dataset, metrics
from digitnet.evaluation.calibrate import calibrate
from digitnet.evaluation.evaluate import evaluate
from digitnet.exporting.export import export
from digitnet.presets import PRESETS
from digitnet.reading.network import Network
from digitnet.training.train import train


@pytest.mark.acceptance
def test_the_recipe_fast_reads_98_8_percent(tmp_path: Path) -> None:
    dataset = load_dataset("mnist")
    run = train(PRESETS["fast"], dataset=dataset, out=tmp_path / "run")
    evaluation = evaluate(run, dataset)
    assert evaluation.images == 10_000
    assert evaluation.accuracy >= 0.988  # 30 seeds: see docs/results.md

    # and its model file agrees about every one of the test images
    calibration = calibrate(run, dataset)
    network = Network(export(run, tmp_path / "model.onnx", calibration=calibration))
    answers = network.answer_images(dataset.test.images.astype(np.float32))
    assert (answers.probabilities.argmax(axis=1) == evaluation.logits.argmax(axis=1)).all()
    calibrated = metrics.softmax(evaluation.logits / calibration.temperature)
    np.testing.assert_allclose(answers.probabilities, calibrated, atol=1e-5)


@pytest.mark.acceptance
def test_a_thousand_steps_of_the_blogs_recipe_read_97_percent(tmp_path: Path) -> None:
    run = train(BLOG.replace(steps=1_000), out=tmp_path / "run")
    evaluation = evaluate(run)
    assert evaluation.images == 10_000
    assert evaluation.accuracy >= 0.970  # seeds 0 to 4: see docs/LOG.md
    assert run.history.training[-1].loss < run.history.training[0].loss
