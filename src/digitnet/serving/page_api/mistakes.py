"""The MNIST test images that a model reads wrongly, for the page: counts, and the most confident of each kind."""

import base64
from typing import Any

import numpy as np

from digitnet.data.disputed import disputed_labels
from digitnet.data.raw import DIGITS
from digitnet.errors import ModelError
from digitnet.reading.reader import Reader
from digitnet.serving.page_api.mnist import load_cached_mnist

MOST = 24
"""Images of one kind of mistake that are shown."""


def find_mistakes(reader: Reader) -> dict[str, Any]:
    """Read all test images, which takes a second, and describe what is wrong.

    The label that counts is the most probable one, accepted or not. Raises DataError where MNIST is not in the
    cache, since a page fetches nothing by itself; ModelError for a model of other labels.
    """
    if reader.info.labels != DIGITS:
        raise ModelError.mismatch(
            "The model",
            expected="the labels 0 to 9, as MNIST has them",
            found=", ".join(reader.info.labels[:10]),
            remedy="Choose another network.",
        )
    dataset = load_cached_mnist()
    probabilities, labels = reader.answer(dataset.test.images).probabilities, dataset.test.labels
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    counts = np.zeros((len(DIGITS), len(DIGITS)), np.int64)
    np.add.at(counts, (labels, predicted), 1)
    disputed = disputed_labels(dataset)
    wrong = np.flatnonzero(predicted != labels)
    shown: dict[tuple[int, int], int] = {}
    mistakes = []
    for index in wrong[np.argsort(-confidence[wrong], kind="stable")]:
        kind = int(labels[index]), int(predicted[index])
        shown[kind] = shown.get(kind, 0) + 1
        if shown[kind] <= MOST:
            mistakes.append(
                {
                    "index": int(index),
                    "label": kind[0],
                    "predicted": kind[1],
                    "probability": round(float(confidence[index]), 6),
                    "disputed": disputed.get(int(index)),
                    "image": base64.b64encode(dataset.test.images[index].tobytes()).decode("ascii"),
                }
            )
    return {"images": len(labels), "counts": counts.tolist(), "mistakes": mistakes}
