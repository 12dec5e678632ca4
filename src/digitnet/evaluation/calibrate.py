"""From a run's answers about its validation images to the temperature and the thresholds of its model file.

Chosen here, on images that were neither trained on nor are tested on, and written into the file for good.
"""

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from digitnet import metrics
from digitnet.augmentation.augment import Augmentation, augmentation
from digitnet.data.dataset import Dataset, UInt8
from digitnet.modelfile import Calibration
from digitnet.networks.predict import predict_logits
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

ACCURACY = 0.995
"""What accepted answers reach on the validation images, half of them changed as in training."""

REFUSED = 0.02
"""Share of the changed digits that may be refused as no digit at all; of those as they are, fewer.

Where the run changed no image, both are the same: an exported `fast` refuses 2% of the digits as they are.
"""


def calibrate(run: Run, dataset: Dataset | None = None) -> Calibration:
    """Fit the temperature and choose the thresholds on the validation images.

    The temperature minimises the negative log-likelihood of the images as they are. The thresholds are for the
    pictures that a reader meets, so they are chosen on the images as they are and as the run's augmentation
    changes them: `sure` is the least probability from which on answers about both are right with ACCURACY,
    `digit` the score that REFUSED of the changed ones stay below.
    """
    dataset = run.check_data(dataset) if dataset else run.dataset
    network, images, labels = load_network(run), dataset.validation.images, dataset.validation.labels
    plain = predict_logits(network, images)  # (N, K) or (N, K + 1)
    changed = predict_logits(network, _change(images, augmentation(run.config.images.augment)))
    temperature = fit_temperature(plain[:, : dataset.classes], labels)
    probabilities = metrics.softmax(np.concatenate([plain, changed])[:, : dataset.classes] / temperature)
    right = probabilities.argmax(axis=1) == np.concatenate([labels, labels])
    surest = probabilities.max(axis=1)
    score = digit_score(torch.from_numpy(changed), dataset.classes).numpy()
    return Calibration(
        temperature=temperature,
        sure=metrics.coverage_curve(surest, right).threshold(ACCURACY),
        digit=float(np.quantile(score, REFUSED)),
        curve=metrics.coverage_curve(surest[: len(labels)], right[: len(labels)]).points(100),
    )


def _change(images: UInt8, augment: Augmentation, batch_size: int = 500) -> UInt8:
    """Change the images as in training, the same way each time."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        every = torch.from_numpy(images).unsqueeze(1)  # (N, 1, rows, columns)
        batches = [every[start : start + batch_size] for start in range(0, len(every), batch_size)]
        return torch.cat([augment(batch) for batch in batches]).squeeze(1).numpy()


def fit_temperature(logits: npt.NDArray[np.float32], labels: UInt8) -> float:
    """Find the number that the logits are to be divided by, 0.05 to 20 (Guo et al. 2017, section 4.2)."""

    def loss(log_temperature: float) -> float:
        return metrics.negative_log_likelihood(logits / np.exp(log_temperature), labels)

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def digit_score(logits: Tensor, classes: int) -> Tensor:
    """How much each row of logits ``(N, K)`` or ``(N, K + 1)`` speaks for a digit at all, in nats: ``(N,)``.

    The negative energy of the digits (Liu et al. 2020, arXiv 2010.03759), less the logit of "not a digit" where
    the network has one: then it is the log odds of a digit.
    """
    energy = logits[:, :classes].logsumexp(dim=1)
    return energy - logits[:, classes] if logits.shape[1] > classes else energy
