"""What a run's network says of images that it was neither trained nor judged on."""

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
    """Return the probabilities ``(N, K)`` of images ``(N, rows, columns)`` uint8, laid out as the training images.

    Raises RunError for an unfinished or damaged run, DataError for images of another size or type.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()
    if images.dtype != np.uint8:
        raise DataError.mismatch(
            f"The images for {run.path}",
            expected="uint8, 0 to 255",
            found=images.dtype,
            remedy="Scale fractions by 255, and convert them.",
        )
    expected, found = tuple(run.environment["image_shape"]), images.shape[1:]
    if found != expected:
        raise DataError.mismatch(
            f"The images for {run.path}",
            expected="{} x {} pixels, as it was trained on".format(*expected),
            found=" x ".join(map(str, found)),
            remedy="Scale the images.",
        )
    classes = len(run.environment["label_names"])
    return softmax(predict_logits(load_network(run), images, classes)).astype(np.float32)
