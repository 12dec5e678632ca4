"""Calibrate a run's model file on its validation images: a temperature, and the thresholds of refusal."""

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from digitnet import metrics
from digitnet.augmentation.augment import AUGMENTATIONS, Augmentation
from digitnet.data.dataset import Dataset, UInt8
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.evaluation.refusal import (
    PHOTOGRAPHED_ACCURACY,
    TARGET_ACCURACY,
    answer_confidence,
    choose_digit_threshold,
    choose_sure_threshold,
)
from digitnet.modelfile import Calibration
from digitnet.networks.predict import predict_logits
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

PHOTOGRAPHS = 2_000
"""Photographs of validation images; a threshold is then uncertain by some thousandths."""


def calibrate(run: Run, dataset: Dataset | None = None, on_message: OnMessage = ignore_message) -> Calibration:
    """Fit the temperature and choose the thresholds on the validation images.

    The temperature minimises the negative log-likelihood of the plain images. The thresholds are for pictures that
    vary more than MNIST: of a run with photographs, they are chosen on photographs of validation images, as the
    reader reads them; of others, on the plain images and copies changed by the run's augmentation. All are
    in-sample, on the images they are chosen on.
    """
    dataset = run.check_data(dataset) if dataset else run.dataset
    network, images, labels = load_network(run), dataset.validation.images, dataset.validation.labels
    classes = dataset.classes
    plain = predict_logits(network, images)  # (N, K) or (N, K + 1)
    temperature = fit_temperature(plain[:, :classes], labels)
    if run.config.images.photographs:
        varied, truth = _read_photographs(network, temperature, run, dataset, on_message)
        accuracy = PHOTOGRAPHED_ACCURACY
    else:
        varied = predict_logits(network, _augment(images, AUGMENTATIONS[run.config.images.augment]))
        varied, truth = np.concatenate([plain, varied]), np.concatenate([labels, labels])
        accuracy = TARGET_ACCURACY
    confidence = answer_confidence(torch.from_numpy(varied) / temperature, classes).numpy()
    correct = varied[:, :classes].argmax(axis=1) == truth
    curve = metrics.coverage_curve(
        metrics.softmax(plain[:, :classes] / temperature).max(axis=1), plain[:, :classes].argmax(axis=1) == labels
    )
    return Calibration(
        temperature=temperature,
        sure=choose_sure_threshold(confidence, correct, accuracy),
        digit=choose_digit_threshold(varied[correct] / temperature, classes),
        curve=curve.points(100),
    )


def _read_photographs(
    network: nn.Module, temperature: float, run: Run, dataset: Dataset, on_message: OnMessage
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Read photographs of validation images: logits ``(n, K + 1)`` of the mark chosen in each, and the digits."""
    from digitnet.augmentation.pools import load_characters, take_photographs  # imports OpenCV
    from digitnet.finding.single import choose

    characters = load_characters(run.config.images.characters, on_message)
    crops = take_photographs(dataset, dataset.validation, PHOTOGRAPHS, characters, on_message)
    logits = predict_logits(network, crops.images)
    confidence = answer_confidence(torch.from_numpy(logits) / temperature, dataset.classes).numpy()
    chosen = []
    for number in np.unique(crops.photographs[crops.answers < dataset.classes]):
        own = np.flatnonzero(crops.photographs == number)
        chosen.append(own[choose(crops.costs[own].tolist(), confidence[own].tolist())])
    return logits[chosen], crops.answers[chosen]


def _augment(images: UInt8, augment: Augmentation, batch_size: int = 500) -> UInt8:
    """Augment the images as in training, but with a fixed seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        whole = torch.from_numpy(images).unsqueeze(1)  # (N, 1, rows, columns)
        batches = [whole[start : start + batch_size] for start in range(0, len(whole), batch_size)]
        return torch.cat([augment(batch) for batch in batches]).squeeze(1).numpy()


def fit_temperature(logits: npt.NDArray[np.float32], labels: UInt8) -> float:
    """Find the temperature, 0.05 to 20, with the least negative log-likelihood (Guo et al. 2017, section 4.2)."""

    def loss(log_temperature: float) -> float:
        return metrics.negative_log_likelihood(logits / np.exp(log_temperature), labels)

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))
