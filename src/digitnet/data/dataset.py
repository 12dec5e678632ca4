"""A data set as the rest of digitnet uses it: three checked splits of greyscale images with labels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digitnet.errors import DataError
from digitnet.pages import notebook

UInt8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Split:
    """Images with their labels, in the order of the file."""

    images: UInt8  #: (N, rows, columns), 0 is background, 255 is ink
    labels: UInt8  #: (N,), 0 to classes - 1

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<Split: {len(self):,} images of {' x '.join(map(str, self.images.shape[1:]))}>"


@dataclass(frozen=True)
class Dataset:
    """Three splits: train to learn from, validation to choose on, test to evaluate once, after the last step."""

    name: str  #: "mnist", or the path of its files
    fingerprint: str  #: SHA-256 of images and labels; it does not depend on path or format
    label_names: tuple[str, ...]  #: (K,): the name of each class
    train: Split
    validation: Split
    test: Split
    asked_validation: int | None = None  #: how many images load_dataset was asked to keep for validation

    @property
    def classes(self) -> int:
        """Number of classes, K."""
        return len(self.label_names)

    @property
    def image_shape(self) -> tuple[int, int]:
        """Rows and columns of every image, in pixels."""
        _, rows, columns = self.train.images.shape
        return rows, columns

    def __repr__(self) -> str:
        sizes = " + ".join(f"{len(split):,}" for split in (self.train, self.validation, self.test))
        rows, columns = self.image_shape
        return f"<Dataset {self.name}: {sizes} images of {rows} x {columns}, {self.classes} classes>"

    def _repr_html_(self) -> str:
        labels = np.unique(self.train.labels)
        firsts = [int(np.argmax(self.train.labels == label)) for label in labels]
        return notebook.block(
            repr(self), notebook.gallery(self.train.images[firsts], [self.label_names[label] for label in labels])
        )

    def check_split(self, validation_images: int) -> None:
        """Raise DataError unless this number of validation images was asked for."""
        found = len(self.validation) if self.asked_validation is None else self.asked_validation
        if found != validation_images:
            raise DataError.mismatch(
                self.name,
                expected=f"{validation_images:,} validation images, as the configuration says",
                found=f"{found:,}",
                remedy="Give load_dataset and the configuration the same validation_images.",
            )
