"""The reader: a picture in, its digits out."""

import copy
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.errors import PictureError, UsageError
from digitnet.finding.ink import FINE
from digitnet.modelfile import DECISIONS, ModelInfo
from digitnet.reading.expectation import check_count, compile_pattern, expect_match
from digitnet.reading.network import SIDE, Answers, Network, UInt8
from digitnet.reading.picture import Page, Source, open_page
from digitnet.reading.result import Box, Digit, Line, Reading
from digitnet.reading.stages import Stages, find_digits
from digitnet.wording import option

CHUNK = 256
"""Images per call of the network: more are not faster, and take more memory."""


class Reader:
    """Reads digits from pictures, with the model that comes with digitnet or with one of your own.

    `model` is a file that `digitnet export` wrote. `threads` are the network's; one is fastest for a picture.
    `min_probability`, 0 to 1, is the least calibrated probability of an accepted answer, by default the model's
    own: the higher, the more answers are "not sure", and the fewer accepted ones are wrong. Raises ModelError when
    the file is missing, damaged, not digitnet's, or of a newer scheme; UsageError for another `min_probability`.
    """

    def __init__(
        self, model: Path | str | None = None, *, threads: int = 1, min_probability: float | None = None
    ) -> None:
        check_min_probability(min_probability)
        self.network = Network(model, threads, min_probability)
        self._min_probability = min_probability

    @property
    def info(self) -> ModelInfo:
        """What the model file says about itself."""
        return self.network.info

    @property
    def min_probability(self) -> float:
        """The least calibrated probability, 0 to 1, of an accepted answer."""
        return self.info.calibration.sure if self._min_probability is None else self._min_probability

    def with_min_probability(self, least: float | None) -> "Reader":
        """Return this reader with another `min_probability`, at no cost; None keeps it as it is.

        Raises UsageError for what is no probability.
        """
        check_min_probability(least)
        if least is None:
            return self
        other = copy.copy(self)
        other.network, other._min_probability = self.network.with_min_probability(least), least
        return other

    def read(
        self,
        picture: Source,
        *,
        single: bool = False,
        digits: int | None = None,
        page: int = 1,
        expect: str | re.Pattern[str] | None = None,
        fields: int | None = None,
    ) -> Reading:
        """Read all digits of a picture: a path, bytes, a stream, a PIL image or an array, see `open_picture`.

        With `single` the whole picture is one digit; with `digits` it is one field of exactly so many; `page` is
        the one to read of several, from 1; `expect` is a regular expression that matches the whole of each line,
        ``[01][0-9]{3}`` for example. `fields` is the old name of `digits`. Raises PictureError when the picture
        can't be opened, UsageError when the arguments contradict each other, as `digits` of 4 and an `expect` that
        only three digits match do.
        """
        if fields is not None:
            warnings.warn(
                "fields= is called digits= now; the next version will not know fields=.",
                DeprecationWarning,
                stacklevel=2,
            )
            digits = fields
        check_digits(single, digits)
        check_page(page)
        pattern = None if expect is None else compile_pattern(expect)
        if pattern:
            check_count(pattern, self.info.labels, single=single, digits=digits)
        opened = open_page(picture, page, side=FINE)
        lines = [Line(tuple(line)) for line in self._find(opened, single, digits).digits]
        if pattern:
            lines = [expect_match(line, pattern, self.info.labels, self.min_probability) for line in lines]
        return Reading(tuple(lines), opened.pages)

    def find(self, picture: Source, *, single: bool = False, digits: int | None = None, page: int = 1) -> Stages:
        """Find the digits of a picture as `read` does, and return every stage on the way to them."""
        check_digits(single, digits)
        check_page(page)
        return self._find(open_page(picture, page), single, digits)

    def predict(self, images: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the most probable class ``(n,)`` of each image; see `predict_proba` for what an image is."""
        return np.asarray(self.predict_proba(images).argmax(axis=1))

    def predict_proba(self, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return calibrated probabilities ``(n, K)`` of images laid out as MNIST's: light ink, 20 pixels, centred.

        `images` are ``(n, 28, 28)`` or ``(n, 784)``: integers of 0 to 255, or floats of 0 to 1. Raises
        PictureError for other shapes and values. For other pictures there is `read`.
        """
        return self.answer(images).probabilities

    def answer(self, images: npt.NDArray[Any]) -> Answers:
        """Return everything about such images: probabilities, decisions, scores, and what the network saw."""
        pixels = check_images(images)
        starts = range(0, max(len(pixels), 1), CHUNK)
        return Answers.joined([self.network.answer_images(pixels[start : start + CHUNK]) for start in starts])

    def _find(self, page: Page, single: bool, digits: int | None) -> Stages:
        sure = self.min_probability
        return find_digits(page.pixels, self._recognise, shape=page.shape, sure=sure, single=single, count=digits)

    def _recognise(self, ink: UInt8, box: Box) -> Digit:
        """Ask the network about the ink of a candidate ``(rows, columns)``.

        They go through the model file's own ink extraction too, though nothing else is left in them: the shipped
        model was calibrated that way, and without it the label of one in ten real marks changes.
        """
        answers = self.network.answer_crops(ink[None, :, :, None])
        probabilities = answers.probabilities[0]
        return Digit(
            label=self.info.labels[int(probabilities.argmax())],
            probabilities=tuple(probabilities.tolist()),
            decision=DECISIONS[int(answers.decisions[0])],
            score=float(answers.scores[0]),
            box=box,
            ink=ink,
            image=answers.images[0].round().astype(np.uint8),
        )


def check_digits(single: bool, digits: int | None) -> None:
    """Raise UsageError for fewer than one digit, and for more than `single` allows."""
    if digits is not None and digits < 1:
        expected = "a whole number of at least 1"
        raise UsageError.mismatch(option("digits"), expected=expected, found=digits, remedy="Count them again.")
    if single and digits:
        raise UsageError(f"{option('single')} says that a picture is one digit, so leave out {option('digits')}.")


def check_page(page: int) -> None:
    """Raise UsageError for the number of a page that is less than 1."""
    if page < 1:
        expected = "a whole number of at least 1"
        raise UsageError.mismatch(
            option("page"), expected=expected, found=page, remedy="Pages are counted from 1."
        )


def check_min_probability(least: object) -> None:
    """Raise UsageError for what is no probability; None is left to the model."""
    if least is None or (isinstance(least, int | float | np.integer | np.floating) and 0 <= least <= 1):
        return
    found = repr(least) if isinstance(least, str) else least
    raise UsageError.mismatch(
        option("min_probability"), expected="a number from 0 to 1", found=found, remedy="Write 95% as 0.95."
    )


def check_images(images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return images ``(n, 28, 28)`` float32 of 0 to 255; raise PictureError for other shapes and values."""
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
