"""The digits that a person has drawn and named: a folder of pictures, which `digitnet train --data` opens."""

import io
import re
import secrets
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from digitnet.data import idx
from digitnet.data.dataset import Split
from digitnet.data.formats.csv_table import to_table
from digitnet.data.raw import DIGITS
from digitnet.errors import DataError, UsageError
from digitnet.files import make_folder, storage_error, write_whole
from digitnet.pages.png import png
from digitnet.reading.network import SIDE

Format = Literal["npz", "idx", "csv"]

_NAME = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{8}")


@dataclass(frozen=True)
class OwnDigits:
    """A folder with one for each label: ``7/20261201-101500-5f0c3a1e.png``, 28 x 28 pixels, light ink on black.

    Several pages may write into it at the same time: every name is new, and every file is whole.
    """

    folder: Path

    def keep(self, image: npt.NDArray[np.uint8], label: str) -> str:
        """Keep an image ``(28, 28)`` as a digit, and return its name; raise StorageError if that fails."""
        name = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        write_whole(make_folder(self.folder / _check_label(label)) / f"{name}.png", png(image))
        return name

    def take_back(self, label: str, name: str) -> None:
        """Remove what was kept under a name; nothing happens if it is gone already."""
        if not _NAME.fullmatch(name):
            raise UsageError.mismatch(
                "The name", expected="one that keep gave", found=repr(name), remedy="Copy it."
            )
        home = self.folder / _check_label(label)
        file = home / f"{name}.png"
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(file, error) from error
        with suppress(OSError):
            home.rmdir()  # an empty class could not be opened

    def count(self) -> dict[str, int]:
        """Count the images of each label that has any."""
        counts = {label: len(list((self.folder / label).glob("*.png"))) for label in DIGITS}
        return {label: count for label, count in counts.items() if count}

    def pack(self, format: Format) -> bytes:
        """Return all images and labels as one file, IDX's two in a ZIP archive; raise DataError for none."""
        if not self.count():
            raise DataError.mismatch(
                self.folder, expected="kept digits", found="none", remedy="Draw one, and say what it is."
            )
        everything = self._read()
        content = io.BytesIO()
        if format == "npz":
            np.savez_compressed(content, x_train=everything.images, y_train=everything.labels)
        elif format == "csv":
            content.write(to_table(everything).encode())
        else:
            with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("train-images-idx3-ubyte", idx.to_bytes(everything.images))
                archive.writestr("train-labels-idx1-ubyte", idx.to_bytes(everything.labels))
        return content.getvalue()

    def _read(self) -> Split:
        """Read everything; label k is the digit k, whichever there are. Raises DataError for other files."""
        images, labels = [], []
        for label in self.count():
            for file in sorted((self.folder / label).glob("*.png")):
                images.append(_read_image(file))
                labels.append(DIGITS.index(label))
        return Split(np.stack(images), np.array(labels, np.uint8))


def _read_image(file: Path) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            image = np.asarray(picture.convert("L"))
    except Exception as error:  # decoders may raise nearly anything for a damaged picture
        raise DataError.unreadable(file, error) from error
    if image.shape != (SIDE, SIDE):
        found = "{} x {}".format(*image.shape)
        raise DataError.mismatch(file, expected="28 x 28 pixels", found=found, remedy="Move it to another folder.")
    return image


def _check_label(label: str) -> str:
    if label not in DIGITS:
        raise UsageError.mismatch(
            "The label", expected="a digit from 0 to 9", found=repr(label), remedy="Name one."
        )
    return label
