"""The reader: picture -> digits -> answers."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.errors import PictureError, UsageError
from digitnet.modelfile import DECISIONS, ModelInfo
from digitnet.reading.answer import Digit, Line, Reading
from digitnet.reading.expectation import compile_pattern, expect_match
from digitnet.reading.find import Found, find_digits, find_single
from digitnet.reading.network import SIDE, Answers, Network, UInt8
from digitnet.reading.picture import Source, open_picture

BATCH = 256
"""Images that the network sees at once: more are not faster, only larger in memory."""


class Reader:
    """Reads digits from pictures, with the model that comes with digitnet or with one of your own.

    `model` is a file that `digitnet export` wrote. `threads` are the network's; one is quickest for a picture.
    Raises ModelError when the file is missing, damaged, foreign or of a newer scheme.
    """

    def __init__(self, model: Path | str | None = None, *, threads: int = 1) -> None:
        self._network = Network.open(model, threads)

    @property
    def info(self) -> ModelInfo:
        """What the model file says about itself."""
        return self._network.info

    def read(
        self,
        picture: Source,
        *,
        single: bool = False,
        fields: int | None = None,
        expect: str | re.Pattern[str] | None = None,
    ) -> Reading:
        """Read all digits of a picture: a path, bytes, a stream, a PIL image or an array, see `open_picture`.

        `single` says that the whole picture is one digit, `fields` that it is one field of so many digits;
        `expect` is a regular expression that the digits of each line match whole, ``[01][0-9]{3}`` for example.
        Raises PictureError when the picture can't be opened, UsageError when what is said of it can't be so.
        """
        check_shape(single, fields)
        as_expected = self._expectation(expect)
        pixels = open_picture(picture)
        if single:
            found = find_single(pixels)
            lines = [[found]] if found else []
        else:
            lines = find_digits(pixels, self._is_one_digit, fields)
        return Reading(tuple(as_expected(self._answer(line)) for line in lines))

    def predict(self, images: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The most probable class ``(n,)`` of each image; see `predict_proba` for what an image is."""
        return np.asarray(self.predict_proba(images).argmax(axis=1))

    def predict_proba(self, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Calibrated probabilities ``(n, K)`` of images that are made as MNIST's are: light ink, centred.

        `images` are ``(n, 28, 28)`` or ``(n, 784)``: integers of 0 to 255, or floats of 0 to 1. Raises
        PictureError for other shapes, ranges, and what is not a number. For other pictures there is `read`.
        """
        return self.answer(images).probabilities

    def answer(self, images: npt.NDArray[Any]) -> Answers:
        """Everything about such images: probabilities, decisions, scores, and what the network saw."""
        pixels = check_images(images)
        parts = [
            self._network.answer_images(pixels[start : start + BATCH])
            for start in range(0, max(len(pixels), 1), BATCH)
        ]
        return Answers.joined(parts)

    def _expectation(self, expect: str | re.Pattern[str] | None) -> Callable[[Line], Line]:
        """Make what puts the expectation to use: without one, a line stays what it is."""
        if expect is None:
            return lambda line: line
        pattern = compile_pattern(expect)
        return lambda line: expect_match(line, pattern, self.info.labels, self.info.calibration.sure)

    def _answer(self, line: Sequence[Found]) -> Line:
        answers = self._answer_crops([found.crop for found in line])
        return Line(tuple(_digit(found, answers, k, self.info.labels) for k, found in enumerate(line)))

    def _answer_crops(self, crops: Sequence[UInt8]) -> Answers:
        return Answers.joined([self._network.answer_crops(crop[None, :, :, None]) for crop in crops])

    def _is_one_digit(self, crops: Sequence[UInt8]) -> npt.NDArray[np.floating[Any]]:
        """How sure it is, 0 to 1, that each crop is one digit: a digit at all, and this one."""
        answers = self._answer_crops(crops)
        return np.asarray(answers.probabilities.max(axis=1) / (1 + np.exp(np.clip(-answers.scores, -50, 50))))


def check_shape(single: bool, fields: int | None) -> None:
    """Raise UsageError where a picture can't be both one digit and so many, or has less than one."""
    if fields is not None and fields < 1:
        expected = "a whole number of at least 1"
        raise UsageError.mismatch("--fields", expected=expected, found=fields, remedy="Count them again.")
    if single and fields:
        raise UsageError("--single says that a picture is one digit, so leave out --fields.")


def check_images(images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return images ``(n, 28, 28)`` float32 of 0 to 255; raise PictureError where they are none."""
    array = np.asarray(images)
    if array.shape[1:] not in ((SIDE, SIDE), (SIDE * SIDE,), (SIDE, SIDE, 1), (1, SIDE, SIDE)):
        raise PictureError.mismatch(
            "The images",
            expected=f"shape (n, {SIDE}, {SIDE}) or (n, {SIDE * SIDE})",
            found=array.shape,
            remedy="Add the axis of images to a single one: image[None]. For photographs there is read.",
        )
    if array.dtype.kind not in "buif":
        raise PictureError.mismatch("The images", expected="numbers", found=array.dtype, remedy="Convert them.")
    highest, kind = (1, "floats") if array.dtype.kind in "bf" else (255, "integers")
    pixels = array.reshape(-1, SIDE, SIDE).astype(np.float32)
    if not (np.isfinite(pixels).all() and pixels.min(initial=0) >= 0 and pixels.max(initial=0) <= highest):
        raise PictureError.mismatch(
            "The images",
            expected=f"{kind} of 0 (paper) to {highest} (ink)",
            found=f"{pixels.min():g} to {pixels.max():g}",
            remedy="Scale them, or give uint8.",
        )
    return pixels if highest == 255 else pixels * 255


def _digit(found: Found, answers: Answers, place: int, labels: Sequence[str]) -> Digit:
    probabilities = answers.probabilities[place]
    return Digit(
        label=labels[int(probabilities.argmax())],
        probabilities=tuple(map(float, probabilities)),
        decision=DECISIONS[int(answers.decisions[place])],
        score=float(answers.scores[place]),
        box=found.box,
        ink=found.crop,
        image=answers.images[place].round().astype(np.uint8),
    )
