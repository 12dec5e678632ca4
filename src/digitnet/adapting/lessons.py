"""The digits of one's own hand that a folder holds: those that the page kept, and photographs of single digits."""

from pathlib import Path

import numpy as np
from PIL import Image

from digitnet.data.dataset import Split, UInt8
from digitnet.data.raw import DIGITS, OnMessage, ignore_message
from digitnet.errors import DataError
from digitnet.reading.network import SIDE
from digitnet.reading.reader import Reader

LEAST = 10
"""Digits below which there is nothing to learn from, let alone to judge on."""


def read_lessons(folder: Path, reader: Reader, on_message: OnMessage = ignore_message) -> Split:
    """Read the digits of a folder with a subfolder for each label, ``7/photo.jpg``; some labels may be missing.

    A picture of 28 x 28 pixels is taken as the page keeps it: light ink on black, laid out as MNIST's. Any other
    is read as a picture of one digit, and what the reader's network sees of it is taken. One without a digit is
    left out, and `on_message` says so. Raises DataError for fewer than LEAST digits, PictureError for a file that
    is no picture.
    """
    images: list[UInt8] = []
    labels: list[int] = []
    for label, digit in enumerate(DIGITS):
        for file in _list_pictures(folder / digit):
            image = _read_kept(file)
            if image is None:
                found = [digit for line in reader.read(file, single=True).lines for digit in line.digits]
                image = found[0].image if found else None
            if image is None:
                on_message(f"{file}: found no digit in it, and left it out.")
                continue
            images.append(image)
            labels.append(label)
    if len(images) < LEAST:
        raise DataError.mismatch(
            folder,
            expected=f"at least {LEAST} digits, in a folder for each label as 7/photo.jpg",
            found=f"{len(images)}" if folder.is_dir() else "no such folder",
            remedy="Draw some with: digitnet serve",
        )
    return Split(np.stack(images), np.array(labels, np.uint8))


def _list_pictures(home: Path) -> list[Path]:
    try:
        return sorted(file for file in home.iterdir() if file.is_file() and not file.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError.unreadable(home, error) from error


def _read_kept(file: Path) -> UInt8 | None:
    """Read a PNG of 28 x 28 pixels; None for anything else."""
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            return np.asarray(picture.convert("L")) if picture.size == (SIDE, SIDE) else None
    except (OSError, ValueError, SyntaxError):  # no PNG, or a damaged one, which the reader describes
        return None
