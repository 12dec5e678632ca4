"""From a run's answers about its validation images to the temperature and the thresholds of its model file.

Chosen here, on images that were neither trained on nor are tested on, and written into the file for good.
"""

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize_scalar

from digitnet import metrics
from digitnet.data.dataset import Dataset
from digitnet.modelfile import Calibration
from digitnet.run_folder import Run
from digitnet.training.export import digit_score
from digitnet.training.models import load_network
from digitnet.training.predict import predict_logits

ACCURACY = 0.999
"""What answers that are accepted must reach on the validation images."""

REFUSED = 0.005
"""Share of the validation's digits that may be refused as no digit at all."""


def calibrate(run: Run, dataset: Dataset) -> Calibration:
    """Fit the temperature and choose the thresholds on the validation images of `dataset`.

    The temperature minimises the negative log-likelihood; `sure` is the least probability from which on answers
    are right with ACCURACY; `digit` the score that REFUSED of the images stay below.
    """
    run.check_data(dataset)
    labels = dataset.validation.labels
    logits = predict_logits(load_network(run), dataset.validation.images)  # (N, K) or (N, K + 1)
    digits = logits[:, : dataset.classes]
    temperature = fit_temperature(digits, labels)
    probabilities = metrics.softmax(digits / temperature)
    curve = metrics.coverage_curve(probabilities.max(axis=1), probabilities.argmax(axis=1) == labels)
    score = digit_score(torch.from_numpy(logits), dataset.classes).numpy()
    return Calibration(
        temperature=temperature,
        sure=curve.threshold(ACCURACY),
        digit=float(np.quantile(score, REFUSED)),
        curve=curve.points(100),
    )


def fit_temperature(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.uint8]) -> float:
    """Find the number that the logits are to be divided by, 0.05 to 20 (Guo et al. 2017, section 4.2)."""

    def loss(log_temperature: float) -> float:
        return metrics.negative_log_likelihood(logits / np.exp(log_temperature), labels)

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))
