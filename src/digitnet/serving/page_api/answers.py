"""What the page asks and is told, as plain values: crops in, answers and the inside of the network out."""

import base64
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
from pydantic import Base64Bytes, BaseModel, Field, model_validator

from digitnet.modelfile import DECISIONS
from digitnet.reading.network import NOTHING, SIDE, Answers
from digitnet.reading.reader import Reader
from digitnet.serving.shelf import Model

MOST = 32
"""Digits of a drawing that are answered at once."""

Side = Annotated[int, Field(ge=1, le=512)]


class Crop(BaseModel):
    """The ink of one digit: 0 for paper, 255 for full ink, row by row."""

    rows: Side
    columns: Side
    pixels: Base64Bytes

    @model_validator(mode="after")
    def _check_size(self) -> "Crop":
        if len(self.pixels) != self.rows * self.columns:
            raise ValueError(f"expected {self.rows * self.columns} pixels, found {len(self.pixels)}")
        return self

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        """The pixels ``(1, rows, columns, 1)``."""
        return np.frombuffer(self.pixels, np.uint8).reshape(1, self.rows, self.columns, 1)


class Question(BaseModel):
    """Digits that the page wants answers about."""

    crops: list[Crop] = Field(max_length=MOST)
    raw: bool = False
    """The crops are images of 28 x 28 already, and are given to the network as they are."""
    inside: bool = False
    """What each layer computes is wanted too."""

    @model_validator(mode="after")
    def _check_raw(self) -> "Question":
        if self.raw and any((crop.rows, crop.columns) != (SIDE, SIDE) for crop in self.crops):
            raise ValueError(f"expected raw images of {SIDE} x {SIDE} pixels")
        return self


class Lesson(BaseModel):
    """A digit that a person has drawn, and what it is."""

    crop: Crop
    label: str


class Seen(BaseModel):
    """An image of 28 x 28 pixels, as the network saw it, and the label of its second guess."""

    image: Crop
    rival: str

    @model_validator(mode="after")
    def _check_size(self) -> "Seen":
        if (self.image.rows, self.image.columns) != (SIDE, SIDE):
            raise ValueError(f"expected an image of {SIDE} x {SIDE} pixels")
        return self


class Wanted(BaseModel):
    """The model that a person wants to have adapted."""

    model: str


def normalise(reader: Reader, crop: Crop) -> npt.NDArray[np.uint8]:
    """Return the image ``(28, 28)`` that the network sees of a crop, 0 to 255."""
    image = reader.network.answer_crops(crop.array).images[0]
    return np.asarray(image.round(), np.uint8)


def answer(reader: Reader, question: Question) -> list[dict[str, Any]]:
    """Answer about each crop."""
    return [_answer_one(reader, crop, question) for crop in question.crops]


def _answer_one(reader: Reader, crop: Crop, question: Question) -> dict[str, Any]:
    network = reader.network
    crops, images = NOTHING
    if question.raw:
        images = crop.array[:, :, :, 0].astype(np.float32)
    else:
        crops = crop.array
    if not question.inside:  # most questions: one for each movement of the pen
        return _to_plain(network.answer(crops, images)) | {"layers": []}
    answers, layers = network.look_inside(crops, images)
    return _to_plain(answers) | {"layers": [encode(layer) for layer in layers]}


def _to_plain(answers: Answers) -> dict[str, Any]:
    return {
        "probabilities": answers.probabilities[0].astype(float).tolist(),
        "decision": DECISIONS[int(answers.decisions[0])],
        "score": float(answers.scores[0]),
        "image": base64.b64encode(answers.images[0].round().astype(np.uint8).tobytes()).decode("ascii"),
    }


def describe_model(model: Model) -> dict[str, Any]:
    """Describe a model to the page: labels, thresholds, checkpoints, and each layer with its weights."""
    reader = model.reader
    info, network = reader.info, reader.network
    weights = network.read_weights() if network.layers else []
    return {
        "name": model.name,
        "labels": list(info.labels),
        "checkpoints": [int(step) for step in model.checkpoints],
        "sure": reader.min_probability,
        "layers": [
            {**layer, "weights": None if own is None else encode(own)}
            for layer, own in zip(network.layers, weights, strict=True)
        ],
    }


def encode(values: npt.NDArray[np.float32]) -> str:
    """Encode an array as base64 of float32, lowest byte first."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")
