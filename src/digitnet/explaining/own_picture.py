"""From a picture of one's own to the image that a network sees: the digit is found as `digitnet read` finds it.

Here the two wings meet. The reading wing finds the digit and its ink, with the reader that comes with digitnet: it
tells digits from dirt and letters, which a network that was trained on MNIST alone does not. The learning wing
lays the ink out as the model file does, so that the run's network is asked what its exported file would be.
"""

import numpy as np
import torch

from digitnet.data.dataset import UInt8
from digitnet.errors import PictureError, UsageError
from digitnet.networks.lift_ink import lift_ink
from digitnet.networks.normalise import SIDE, centre_ink
from digitnet.reading.picture import Source, open_picture
from digitnet.reading.reader import Reader
from digitnet.reading.result import Digit, Line
from digitnet.reporting.explain_page import OwnPicture
from digitnet.run_folder import Run
from digitnet.wording import option


def check_takes_pictures(run: Run) -> None:
    """Raise UsageError unless the run's images are written characters of 28 x 28 pixels, as MNIST's are."""
    expected = f"a run on {SIDE} x {SIDE} images of digits or letters, as which the ink of a picture is laid out"
    remedy = "Name the index of a test image in place of a picture."
    rows, columns = run.environment["image_shape"]
    if (rows, columns) != (SIDE, SIDE):
        raise UsageError.mismatch(run.path, expected=expected, found=f"one on {rows} x {columns}", remedy=remedy)
    if longer := [name for name in map(str, run.environment["label_names"]) if len(name) > 1]:
        raise UsageError.mismatch(
            run.path, expected=expected, found=f"one that knows {longer[0]!r}", remedy=remedy
        )


def takes_pictures(run: Run) -> bool:
    """Tell whether `check_takes_pictures` accepts the run."""
    try:
        check_takes_pictures(run)
    except UsageError:
        return False
    return True


def find_digit(source: Source, name: str, *, single: bool = False) -> tuple[OwnPicture, UInt8]:
    """Find the one digit of a picture; return the picture, and its image ``(28, 28)`` for the network.

    With `single` all the ink is one digit, however it is broken; without it, a picture with several digits is
    refused. Raises PictureError for those, for a picture without ink, and for one that can't be opened.
    """
    pixels, reader = open_picture(source), Reader()
    digit = None if single else _find_one(reader, pixels, name)
    if digit is None:
        marks = [digit for line in reader.find(pixels, single=True).digits for digit in line]
        digit = marks[0] if marks else None
    image = np.zeros((SIDE, SIDE), np.uint8) if digit is None else lay_out(digit.ink)
    if digit is None or not image.any():
        raise PictureError.mismatch(
            name,
            expected="a picture of one digit",
            found="no ink on it",
            remedy="Take a sharper picture, closer and in better light.",
        )
    box = digit.box
    place = (box.left, box.top, box.width, box.height)
    return OwnPicture(name, pixels, place, is_doubted=digit.decision != "accepted"), image


@torch.inference_mode()
def lay_out(ink: UInt8) -> UInt8:
    """Lay the ink of a digit ``(rows, columns)`` out as MNIST's, ``(28, 28)``, as a model file does."""
    crops = torch.from_numpy(ink.copy())[None, :, :, None]
    return np.asarray(centre_ink(lift_ink(crops))[0, 0].round().to(torch.uint8).numpy())


def _find_one(reader: Reader, pixels: UInt8, name: str) -> Digit | None:
    """Find the only mark that may be a digit; None where no mark is, PictureError where several are."""
    lines = [Line(tuple(line)) for line in reader.find(pixels).digits]
    digits = [digit for line in lines for digit in line.written if digit.decision != "not a digit"]
    if len(digits) > 1:
        text = " ".join(line.text for line in lines if line.text)
        raise PictureError.mismatch(
            name,
            expected="a picture of one digit",
            found=f"{len(digits)} digits ({text})",
            remedy=f"Crop it to one of them, or say {option('single', True)} if all of its ink is one digit.",
        )
    return digits[0] if digits else None
