"""The digits of one's own hand that a folder holds: those that the page kept, and photographs of single digits."""

from pathlib import Path

import cv2
import numpy as np

from digitnet.data.dataset import Split, UInt8
from digitnet.data.raw import DIGITS, OnMessage, ignore_message
from digitnet.errors import DataError
from digitnet.finding.ink import FINE
from digitnet.reading.network import SIDE
from digitnet.reading.picture import open_page
from digitnet.reading.reader import Reader

LEAST = 10
"""Digits below which there is nothing to learn from, let alone to judge on."""


def read_lessons(folder: Path, reader: Reader, on_message: OnMessage = ignore_message) -> Split:
    """Read the digits of a folder with a subfolder for each label, ``7/photo.jpg``; some labels may be missing.

    A picture of 28 x 28 pixels is taken as the page keeps it: light ink on black, laid out as MNIST's. Any other
    is read as a picture of one digit, and what the reader's network sees of it is taken. One without a digit is
    left out, and so is a copy of another; `on_message` says so. Raises DataError for fewer than LEAST digits,
    PictureError for a file that is no picture.
    """
    images: list[UInt8] = []
    labels: list[int] = []
    for label, name in enumerate(DIGITS):
        for file in _list_pictures(folder / name):
            image = _read(file, reader)
            if image is None:
                on_message(f"{file}: found no digit in it, and left it out.")
            else:
                images.append(image)
                labels.append(label)
    own = _leave_out_copies(images, labels, on_message)
    if len(own) < LEAST:
        raise DataError.mismatch(
            folder,
            expected=f"at least {LEAST} digits, in a folder for each label as 7/photo.jpg",
            found=len(own) if folder.is_dir() else "a file" if folder.exists() else "no such folder",
            remedy="Draw some with: digitnet serve",
        )
    return own


def _leave_out_copies(images: list[UInt8], labels: list[int], on_message: OnMessage) -> Split:
    """Keep the first of equal images with the same label: a copy says nothing new, but would count in the test."""
    kept: dict[tuple[bytes, int], int] = {}
    for place, (image, label) in enumerate(zip(images, labels, strict=True)):
        kept.setdefault((image.tobytes(), label), place)
    if len(kept) < len(images):
        on_message(f"Left out {len(images) - len(kept)} of your digits, which are copies of others.")
    places = list(kept.values())
    shape = (len(places), SIDE, SIDE)
    return Split(
        np.array([images[k] for k in places], np.uint8).reshape(shape), np.array(labels, np.uint8)[places]
    )


def _list_pictures(home: Path) -> list[Path]:
    try:
        return sorted(file for file in home.iterdir() if file.is_file() and not file.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError.unreadable(home, error) from error


def _read(file: Path, reader: Reader) -> UInt8 | None:
    """Read the digit of a picture as an image ``(28, 28)``; None where there is no digit."""
    page = open_page(file, side=FINE)
    if page.shape == (SIDE, SIDE):
        grey = page.pixels if page.pixels.ndim == 2 else cv2.cvtColor(page.pixels, cv2.COLOR_RGB2GRAY)
        return np.asarray(grey, np.uint8)
    digits = reader.read(page, single=True).digits
    return digits[0].image if digits else None
