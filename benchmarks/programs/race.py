"""The rules of the race, the same for every program in this folder: flags, data, clock, evaluation, printed lines.

The clock runs from `Race.start` to the last step: building the network, compiling, every step. It excludes
imports, reading the data and evaluating the test images. The test images are evaluated after each twentieth of the
training, the last time after the last step. This module needs numpy alone, so that it runs in every peer's
environment.
"""

import argparse
import json
import math
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

UInt8 = npt.NDArray[np.uint8]

EVALUATIONS = 20
PIECE = 1_000  # test images in a batch of the evaluation


def flags(about: str | None) -> argparse.ArgumentParser:
    """Make a parser with the flags of every program."""
    parser = argparse.ArgumentParser(description=(about or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of MNIST's four IDX files, unpacked")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, help="stop after this number of steps, to try the program")
    return parser


def read_mnist(folder: Path) -> tuple[UInt8, UInt8, UInt8, UInt8]:
    """Read training images ``(60000, 28, 28)`` and labels, test images ``(10000, 28, 28)`` and labels."""
    images, labels, test, test_labels = (
        read_idx(folder / f"{part}-ubyte")
        for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    )
    return images, labels, test, test_labels


def read_idx(path: Path) -> UInt8:
    """Read an IDX file: 0, 0, 8 for uint8, the number of sides; each side in 32 bits; the values."""
    content = path.read_bytes()
    sides = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(sides)).reshape(sides)


class Race:
    """The clock and the evaluation of one training.

    `steps` is the recipe's number of steps, `test` the test images as the recipe needs them, and `versions` names
    the libraries.
    """

    def __init__(
        self, asked: argparse.Namespace, steps: int, test: Any, test_labels: UInt8, versions: dict[str, str]
    ) -> None:
        last = min(steps, asked.steps or steps)
        self.steps = range(1, last + 1)
        self.test, self.test_labels = test, test_labels
        self.versions = {"python": sys.version.split()[0], "numpy": np.__version__, **versions}
        self.marks = {math.ceil(last * number / EVALUATIONS) for number in range(1, EVALUATIONS + 1)}
        self.images = 0  # trained on so far
        self.evaluating = 0.0  # seconds that the race has used for its evaluations
        self.validating = 0.0  # seconds that the recipe has used for its own validation

    def start(self) -> None:
        """Start the clock, after imports and reading, before building the network."""
        self.started = time.perf_counter()

    def after_step(self, step: int, images: int, classify: Callable[[Any], Any]) -> None:
        """Count a step, from 1, on this number of images; if it is time, evaluate and print.

        `classify` predicts the class of each of a slice of the test images, with the network after this step.
        """
        self.images += images
        if step not in self.marks:
            return
        began = time.perf_counter()
        seconds = began - self.started - self.evaluating - self.validating
        pieces = range(0, len(self.test_labels), PIECE)
        found = np.concatenate([np.asarray(classify(self.test[start : start + PIECE])) for start in pieces])
        accuracy = float(np.mean(found == self.test_labels))
        self._print("evaluation", step=step, seconds=round(seconds, 3), test_accuracy=accuracy)
        if step == self.steps[-1]:
            self._print_total(seconds, accuracy)
        self.evaluating += time.perf_counter() - began

    def _print_total(self, seconds: float, accuracy: float) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._print(
            "total",
            steps=len(self.steps),
            images=self.images,
            test_accuracy=accuracy,
            seconds=round(seconds, 3),
            images_per_second=round(self.images / seconds, 1),
            peak_memory_bytes=peak if sys.platform == "darwin" else peak * 1024,  # Linux counts in KiB
            evaluation_seconds=round(self.evaluating, 3),  # that only the race needed
            versions=self.versions,
        )

    @staticmethod
    def _print(kind: str, **values: Any) -> None:
        print(json.dumps({"line": kind, **values}), flush=True)
