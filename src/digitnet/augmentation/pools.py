"""Pools of images that take part in batches beside the data set's own: outliers, and crops of photographs."""

import io
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from filelock import FileLock
from torch import Tensor

from digitnet.augmentation.outliers import make_outliers
from digitnet.augmentation.photograph_crops import CHUNK, NONE, SHARES, UNKNOWN, Crops, make_crops
from digitnet.data.cache import cache_folder
from digitnet.data.dataset import Dataset, Split
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.errors import UsageError
from digitnet.files import make_folder, sha256, write_whole
from digitnet.networks.normalise import centre_ink
from digitnet.photographs.kinds import KINDS
from digitnet.wording import option

Pool = tuple[Tensor, Tensor]
"""Images ``(n, 1, 28, 28)`` uint8 and labels ``(n,)`` int64; the label K, the number of classes, is no digit."""

UInt8 = npt.NDArray[np.uint8]

OUTLIERS = 20_000
"""Synthetic outliers; in 40 epochs of MNIST each comes 20 times."""

CHARACTERS = 8_000
"""Characters of other scripts beside them, if the configuration names any."""

PHOTOGRAPHS = 12_000
"""Photographs of training images, some 40,000 crops: a quarter of an hour on two cores, once."""

_PART = 10 * CHUNK  # photographs between two files: what an interruption can lose
_VERSION = 7  # to be raised when photographs or the finder change, so that stored crops are made anew


def load_characters(source: str, on_message: OnMessage = ignore_message) -> UInt8 | None:
    """Load the characters ``(m, rows, columns)``, 255 for ink, that a network may learn as no digit; "" has none.

    They are those of `digitnet.data.omniglot.TRAINING` that have no digit's shape.
    """
    if not source:
        return None
    from digitnet.data.omniglot import TRAINING, load_omniglot

    return load_omniglot(source, on_message).of(*TRAINING).without_digit_shapes().images


def make_outlier_pool(dataset: Dataset, seed: int, characters: UInt8 | None) -> Pool:
    """Make synthetic outliers, and characters with them; the same seed makes the same."""
    images, labels = make_outliers(dataset, OUTLIERS, seed)
    if characters is None:
        return images, labels
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(characters), (CHARACTERS,), generator=generator)
    pictures = torch.from_numpy(characters)
    drawn = [centre_ink(pictures[some].to(torch.float32) / 255) for some in chosen.split(500)]  # type: ignore[no-untyped-call]
    images = torch.cat([images, *(image.round().to(torch.uint8) for image in drawn)])
    labels = torch.cat([labels, torch.full((CHARACTERS,), dataset.classes)])
    order = torch.randperm(len(labels), generator=generator)
    return images[order], labels[order]


def make_photograph_pool(
    dataset: Dataset, characters: UInt8 | None, on_message: OnMessage = ignore_message
) -> Pool:
    """Cut digits and other marks out of photographs of the training images; they do not depend on a run's seed."""
    crops = take_photographs(dataset, dataset.train, PHOTOGRAPHS, characters, on_message)
    known = crops.labels != UNKNOWN
    return torch.from_numpy(crops.images[known])[:, None], torch.from_numpy(crops.labels[known])


def take_photographs(
    dataset: Dataset,
    split: Split,
    count: int,
    characters: UInt8 | None,
    on_message: OnMessage = ignore_message,
) -> Crops:
    """Cut out what the finder finds in `count` photographs of a split's digits, which are kept in the cache.

    Raises UsageError for data other than ten digits of 28 x 28 pixels.
    """
    if dataset.image_shape != (28, 28) or dataset.classes != NONE:
        raise UsageError.mismatch(
            option("photographs"),
            expected="ten digits of 28 x 28 pixels",
            found=f"{dataset.classes} classes of {' x '.join(map(str, dataset.image_shape))} in {dataset.name}",
            remedy="Leave it out.",
        )
    content = [_VERSION, dataset.fingerprint, count, SHARES, {name: astuple(kind) for name, kind in KINDS.items()}]
    hashes = sha256(split.labels.tobytes()), sha256(b"" if characters is None else characters.tobytes())
    folder = cache_folder() / "photographs" / sha256(repr((content, hashes)).encode())[:16]
    make_folder(folder)
    parts = [range(first, min(first + _PART, count)) for first in range(0, count, _PART)]
    paths = [folder / f"{part.start}.npz" for part in parts]
    with FileLock(folder / "lock"):
        if any(not path.exists() for path in paths):
            on_message(f"Taking {count:,} photographs of handwritten digits, once: some minutes.")
        for part, path in zip(parts, paths, strict=True):
            if not path.exists():
                packed = io.BytesIO()
                np.savez_compressed(packed, **vars(make_crops(split, part, characters)))
                write_whole(path, packed.getvalue())
                on_message(f"{part.stop:,} of {count:,} photographs")
    return Crops.joined([_load(path) for path in paths])


def _load(path: Path) -> Crops:
    with np.load(path, allow_pickle=False) as stored:
        return Crops(*(stored[field.name] for field in fields(Crops)))
