"""What a run's network says of images that it was neither trained nor judged on."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import UInt8
from digitnet.errors import DataError
from digitnet.metrics import softmax
from digitnet.networks.predict import predict_logits
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network


def predict(run: Run | Path | str, images: UInt8) -> npt.NDArray[np.float32]:
    """Return the probabilities ``(N, K)`` of images ``(N, rows, columns)`` uint8, or rows of their pixels.

    Raises RunError for an unfinished or damaged run, DataError for images of another size or type.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()
    if not isinstance(images, np.ndarray):
        raise DataError.mismatch(
            f"The images for {run.path}",
            expected="an array",
            found=type(images).__name__,
            remedy="Give numpy.asarray(images); a file is read by digitnet predict.",
        )
    if images.dtype != np.uint8:
        raise DataError.mismatch(
            f"The images for {run.path}",
            expected="uint8, 0 to 255",
            found=images.dtype,
            remedy="Scale fractions by 255, and convert them.",
        )
    expected, found = tuple(run.environment["image_shape"]), images.shape[1:]
    if found == (math.prod(expected),):
        images = images.reshape(-1, *expected)
    elif found != expected:
        raise DataError.mismatch(
            f"The images for {run.path}",
            expected="{} x {} pixels, as it was trained on".format(*expected),
            found=f"the shape {images.shape}",
            remedy="Scale the images, and give (N, rows, columns).",
        )
    classes = len(run.environment["label_names"])
    if not len(images):
        return np.empty((0, classes), np.float32)
    return softmax(predict_logits(load_network(run), images, classes)).astype(np.float32)
