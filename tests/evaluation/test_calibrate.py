"""Calibration: the temperature is found, and the thresholds keep their promises on the validation images."""

from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import SHORT
from digitnet import metrics
from digitnet.data.dataset import Dataset
from digitnet.evaluation.calibrate import calibrate, fit_temperature
from digitnet.evaluation.refusal import TARGET_ACCURACY, digit_score
from digitnet.networks.predict import predict_logits
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network
from digitnet.training.train import train


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_made_the_labels_is_found(temperature: float) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(scale=3, size=(20_000, 10)).astype(np.float32)
    chosen = (logits / temperature + random.gumbel(size=logits.shape)).argmax(axis=1)  # draws from the softmax
    assert fit_temperature(logits, chosen.astype(np.uint8)) == pytest.approx(temperature, rel=0.05)


def test_accepted_answers_about_the_validation_images_reach_the_target_accuracy(
    finished: Run, drawn: Dataset
) -> None:
    found = calibrate(finished, drawn)
    logits = predict_logits(load_network(finished), drawn.validation.images)
    probabilities = metrics.softmax(logits / found.temperature)
    correct = probabilities.argmax(axis=1) == drawn.validation.labels
    accepted = probabilities.max(axis=1) >= found.sure
    assert correct[accepted].mean() >= TARGET_ACCURACY  # the run's augmentation hardly changes that here
    assert found.curve[0] == (1.0, pytest.approx(correct.mean()))


def test_without_augmentation_the_refused_fraction_of_the_plain_digits_is_refused(
    drawn: Dataset, tmp_path: Path
) -> None:
    run = train(SHORT.replace(augment="none"), dataset=drawn, out=tmp_path / "run")
    found = calibrate(run, drawn)
    logits = torch.from_numpy(predict_logits(load_network(run), drawn.validation.images))
    assert (digit_score(logits / found.temperature, 10) < found.digit).sum() == 1  # 1% of 60 images


def test_calibration_is_deterministic_and_keeps_torchs_random_state(finished: Run, drawn: Dataset) -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    assert calibrate(finished, drawn) == calibrate(finished, drawn)
    assert torch.rand(1) == expected
