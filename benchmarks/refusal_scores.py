"""Compare scores that tell digits from what is none, on the crops of a run with photographs.

    .venv/bin/python -m benchmarks.refusal_scores runs/reader

For each score, the threshold refuses a hundredth of the digits that the finder cuts out of photographs of MNIST's
validation images, and the share of other marks that it refuses is counted: those of the same photographs, by which
a score may be chosen, and characters, clothes and letters, which were neither trained on nor chosen by. The result
is stored in benchmarks/results/refusal-scores.json.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table
from sklearn.covariance import LedoitWolf
from torch import Tensor, nn

from benchmarks.reader import list_others
from digitnet.augmentation.photograph_crops import NONE, UNKNOWN, normalise
from digitnet.augmentation.pools import PHOTOGRAPHS, load_characters, take_photographs
from digitnet.evaluation.calibrate import PHOTOGRAPHS as VALIDATION_PHOTOGRAPHS
from digitnet.files import write_whole
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

Float = npt.NDArray[np.floating]

RESULT = Path(__file__).parent / "results" / "refusal-scores.json"
REFUSED = 0.01
"""Fraction of the digits that each score may refuse."""


def measure_scores(
    features: Float, logits: Float, fitted: "GaussianClasses", train: "NearestFeatures"
) -> dict[str, Float]:
    """Return scores ``(n,)``, high for digits, from the last hidden layer ``(n, d)`` and logits ``(n, K + 1)``."""
    digits = logits[:, :NONE]
    energy = np.logaddexp.reduce(digits, axis=1)
    return {
        "log odds of a digit": energy - logits[:, NONE],
        "energy of the digits' logits": energy,
        "largest logit of a digit": digits.max(axis=1),
        "largest probability of a digit": digits.max(axis=1) - np.logaddexp.reduce(logits, axis=1),
        "Mahalanobis distance": fitted.score(features),
        "distance to the 10th nearest training crop": train.score(features),
    }


class GaussianClasses:
    """A normal distribution for each digit, all with one covariance (Lee et al. 2018, arXiv 1807.03888)."""

    def __init__(self, features: Float, labels: npt.NDArray[np.int64]) -> None:
        self.means = np.stack([features[labels == digit].mean(axis=0) for digit in range(NONE)])  # (10, d)
        self.precision = LedoitWolf().fit(features - self.means[labels]).precision_

    def score(self, features: Float) -> Float:
        """Return the negative squared distance ``(n,)`` from the nearest mean."""
        apart = features[:, None] - self.means  # (n, 10, d)
        return -np.einsum("ncd,de,nce->nc", apart, self.precision, apart).min(axis=1)


class NearestFeatures:
    """Training features of unit length (Sun et al. 2022, arXiv 2204.06507)."""

    def __init__(self, features: Float, neighbours: int = 10) -> None:
        self.features, self.neighbours = _unit(features), neighbours

    def score(self, features: Float) -> Float:
        """Return the negative distance ``(n,)`` from the 10th nearest."""
        likeness = [np.partition(part @ self.features.T, -self.neighbours)[:, -self.neighbours]
                    for part in np.array_split(_unit(features), max(1, len(features) // 500))]  # fmt: skip
        return np.concatenate(likeness)


def _unit(features: Float) -> Float:
    return features / np.linalg.norm(features, axis=1, keepdims=True).clip(1e-9)


@torch.inference_mode()
def look(network: nn.Module, images: npt.NDArray[np.uint8]) -> tuple[Float, Float]:
    """Return the inputs ``(n, d)`` of the network's last layer, and its logits, for images ``(n, 28, 28)``."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)][-1]
    seen: list[Tensor] = []
    with last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].flatten(1))):
        logits = [network(part.unsqueeze(1)).numpy() for part in torch.from_numpy(images).split(200)]  # type: ignore[no-untyped-call]
    return torch.cat(seen).double().numpy(), np.concatenate(logits).astype(np.float64)


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description="Compare scores that tell digits from what is none.")
    parser.add_argument("run", type=Path)
    run = Run(parser.parse_args().run)
    network, dataset = load_network(run).eval(), run.dataset
    console = Console()
    characters = load_characters(run.config.images.characters)
    crops = take_photographs(dataset, dataset.train, PHOTOGRAPHS, characters, console.print)
    own = (crops.labels != NONE) & (crops.labels != UNKNOWN)
    features, _ = look(network, crops.images[own])
    fitted, nearest = GaussianClasses(features, crops.labels[own]), NearestFeatures(features)
    held = take_photographs(dataset, dataset.validation, VALIDATION_PHOTOGRAPHS, characters, console.print)
    known = held.labels != UNKNOWN
    sets = {
        "digits": held.images[known & (held.labels != NONE)],
        "other marks of photographs": held.images[known & (held.labels == NONE)],
    }
    for name, pictures in list_others().items():
        sets[name] = np.stack([normalise(picture) for picture in pictures])
    scores = {name: measure_scores(*look(network, images), fitted, nearest) for name, images in sets.items()}
    thresholds = {score: float(np.quantile(found, REFUSED)) for score, found in scores["digits"].items()}
    refused = {
        score: {name: float((scores[name][score] < threshold).mean()) for name in sets if name != "digits"}
        for score, threshold in thresholds.items()
    }
    names = [name for name in sets if name != "digits"]
    table = Table("score", *names, box=None, title="% refused where a hundredth of the digits is")
    for score, shares in refused.items():
        table.add_row(score, *(f"{100 * shares[name]:.1f}" for name in names))
    console.print(table)
    stored = {
        "weights_sha256": run.read_json("checkpoint.json")["tensors_sha256"],
        "counts": {name: len(images) for name, images in sets.items()},
        "refused": refused,
    }
    write_whole(RESULT, json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
