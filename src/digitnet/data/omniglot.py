"""Omniglot: characters of many alphabets, each drawn by twenty people, to learn and to test what is no digit.

Lake, Salakhutdinov and Tenenbaum 2015, doi 10.1126/science.aab3050; MIT licence.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from digitnet.data.cache import read_cached
from digitnet.data.catalog import NamedDataset
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.source import RawFile, SourceError
from digitnet.errors import DataError

UInt8 = npt.NDArray[np.uint8]

OMNIGLOT = NamedDataset(
    name="omniglot",
    files=(
        RawFile(
            "images_background_small1.zip",
            1_319_022,
            "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
        ),
        RawFile(
            "images_background_small2.zip",
            1_580_917,
            "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
        ),
    ),
    sources=(HttpsMirror("https://raw.githubusercontent.com/brendenlake/omniglot/master/python", suffix=""),),
)

TRAINING = ("Latin", "Greek", "Balinese", "Sanskrit", "Japanese_(katakana)")
HELD_OUT = ("Korean", "Tagalog", "Early_Aramaic")  # never trained on: they are the test of refusal

DIGIT_SHAPES: Mapping[str, tuple[int, ...]] = {
    "Latin": (1, 6, 8, 9, 11, 14, 16, 18, 24, 25),  # b g i j l o q s y z
    "Greek": (1, 3, 5, 8, 14, 17),  # beta, delta, zeta, iota, omicron, sigma
    "Balinese": (4, 13),
    "Sanskrit": (11, 12, 26, 35, 36),
    "Japanese_(katakana)": (0, 1, 3, 7, 8, 11, 12, 23, 26, 29, 31, 36, 37, 41, 42, 45),
    "Korean": (8, 20, 21, 26, 27, 32),
    "Tagalog": (2, 15),
    "Early_Aramaic": (1, 2, 3, 5, 6, 9, 11, 13, 15, 16, 19),
}
"""Characters of each alphabet, counted from 0, that a person who sees one alone could take for a digit.

All of their drawings were looked at for it, beside digits as they are written in Europe and America: with flags,
feet and bars, open and closed.
"""


@dataclass(frozen=True)
class Characters:
    """Drawings of characters, in the order of alphabet, character and drawer."""

    images: UInt8  # (N, 105, 105) 255 for ink, 0 for paper
    alphabets: tuple[str, ...]
    alphabet: UInt8  # (N,) index of its alphabet
    character: UInt8  # (N,) its number in the alphabet, from 0

    def __len__(self) -> int:
        return len(self.images)

    def of(self, *alphabets: str) -> "Characters":
        """Return the characters of these alphabets."""
        return self._choose(np.isin(self.alphabet, [self.alphabets.index(name) for name in alphabets]))

    def without_digit_shapes(self) -> "Characters":
        """Return the characters that are not in DIGIT_SHAPES."""
        alike = np.zeros(len(self), bool)
        for index, name in enumerate(self.alphabets):
            alike |= (self.alphabet == index) & np.isin(self.character, DIGIT_SHAPES.get(name, ()))
        return self._choose(~alike)

    def _choose(self, chosen: npt.NDArray[np.bool_]) -> "Characters":
        return replace(
            self, images=self.images[chosen], alphabet=self.alphabet[chosen], character=self.character[chosen]
        )


def load_omniglot(source: str | Path = "omniglot", on_message: OnMessage = ignore_message) -> Characters:
    """Load the characters of the two small archives: 4,840 drawings of 242 characters of eight alphabets.

    `source` is "omniglot", which is fetched once, or a folder that holds the archives. Latin and Greek stand in
    both, and come once. It takes a second. Raises DataError when the archives can't be had or are others.
    """
    if source == OMNIGLOT.name:
        contents = [bytes(content) for content in read_cached(OMNIGLOT, on_message)]
    else:
        contents = [_read(Path(source), file) for file in OMNIGLOT.files]
    drawings: dict[tuple[str, int, int], UInt8] = {}
    for content in contents:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                parts = name.split("/")
                if len(parts) == 4 and parts[3].endswith(".png"):
                    character, drawer = int(parts[2].removeprefix("character")) - 1, int(parts[3][5:7])
                    key = parts[1], character, drawer
                    if key not in drawings:
                        with Image.open(io.BytesIO(archive.read(name)), formats=("PNG",)) as picture:
                            drawings[key] = 255 - np.asarray(picture.convert("L"))
    keys = sorted(drawings)
    alphabets = tuple(sorted({alphabet for alphabet, _, _ in keys}))
    return Characters(
        np.stack([drawings[key] for key in keys]),
        alphabets,
        np.array([alphabets.index(alphabet) for alphabet, _, _ in keys], np.uint8),
        np.array([character for _, character, _ in keys], np.uint8),
    )


def _read(folder: Path, file: RawFile) -> bytes:
    """Read an archive from a folder, and check that it is the one."""
    try:
        content = (folder / file.name).read_bytes()
        file.check(content)
    except (OSError, SourceError) as error:
        reason = str(error) if isinstance(error, SourceError) else (error.strerror or str(error)).lower()
        raise DataError.mismatch(
            folder / file.name,
            expected="an archive of Omniglot",
            found=reason,
            remedy=f"Fetch it from {OMNIGLOT.sources[0]}, or name the data set: omniglot.",
        ) from error
    return content
