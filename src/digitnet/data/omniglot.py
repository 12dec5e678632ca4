"""Omniglot: characters of eight alphabets, drawn by twenty people each, to train and to test refusal.

Source: Lake, Salakhutdinov and Tenenbaum, "Human-level concept learning through probabilistic program induction",
Science 350 (2015), doi 10.1126/science.aab3050; github.com/brendenlake/omniglot, MIT licence.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from digitnet.data.cache import read_cached
from digitnet.data.catalog import OMNIGLOT
from digitnet.data.dataset import UInt8
from digitnet.data.idx import LARGEST
from digitnet.data.raw import OnMessage, Raw, ignore_message, pair
from digitnet.errors import DataError, UsageError, look_up

SIDE = 105
"""Rows and columns of a picture."""

TRAINING = ("Latin", "Greek", "Balinese", "Sanskrit", "Japanese_(katakana)")
"""The alphabets to train refusal on."""

# No network that refuses is ever trained on these three: they are the test of refusal.
HELD_OUT = ("Korean", "Tagalog", "Early_Aramaic")
"""The alphabets to test refusal on."""

# Each comment names the characters, or gives their numbers, and what they could be taken for.
DIGIT_SHAPES: Mapping[str, tuple[int, ...]] = {
    # a 9, b 6, g 9, i 1, j 1, l 1, o 0, q 9, s 5, y 4, z 2
    "Latin": (0, 1, 6, 8, 9, 11, 14, 16, 18, 24, 25),
    # beta 8, gamma 4 8, delta 6 8, zeta 3 5, theta 0 8, iota 1, xi 3, omicron 0, sigma 0 6, phi 4 9
    "Greek": (1, 2, 3, 5, 7, 8, 13, 14, 17, 20),
    # number 2: 21; 3: 26; 4: 7 9; 13: 7; 14: 4; 16: 21; 17: 21; 19: 26
    "Balinese": (2, 3, 4, 13, 14, 16, 17, 19),
    # under a line: nga 5, tta 2, ttha 0 6, dda 5, ddha 6, da 2, pa 4 9, ba 9, ra 2 7, va 9, ssa 4 9, ha 5 6,
    # i 5, u 3
    "Sanskrit": (4, 10, 11, 12, 13, 17, 20, 22, 26, 28, 30, 32, 35, 36),
    # a 7, i 1, u 9, e 1, ku 7 9, ko 2 7, su 2 7, so 4, ta 4 9, chi 7, nu 2 7, no 1, fu 7, ma 2 7, mu 4, yu 1 2,
    # yo 3, ra 7, ri 11, ro 0, wa 7 9, we 2, wo 3 7
    "Japanese_(katakana)": (
        *(0, 1, 2, 3, 7, 8, 11, 13, 14, 15, 21, 23),
        *(26, 29, 31, 35, 36, 37, 38, 41, 42, 44, 45),
    ),
    # a 1 7, eo 4 7, e 71, yeo 3, ye 31, o 1 2, wa 4, oe 4, ui 2 4, i 1, g 7, gg 77, n 1 2, r 2, m 0, b 8, ng 0,
    # j 2 7, jj 22, ch 2 7, k 3 7, h 0 6
    "Korean": (0, 4, 5, 6, 7, 8, 9, 11, 19, 20, 21, 22, 23, 26, 27, 28, 32, 33, 34, 35, 36, 39),
    # number 2: 3; 3: 0; 6: 31; 15: 0 9
    "Tagalog": (2, 3, 6, 15),
    # aleph 4, beth 5 9, gimel 1 7, daleth 4, he 3 7, waw 4, zayin 1, heth 8, yodh 2 7, kaph 1 7, lamedh 6,
    # mem 5 9, nun 5 9, ayin 0, pe 1 7, qoph 9, resh 4 9
    "Early_Aramaic": (0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 15, 16, 18, 19),
}
"""The characters with a digit's shape, by alphabet, numbered from 0; `without_digit_shapes` states the rule."""

_VALIDATION = (1, 2)  # these drawers, from whom no character is trained on, are the validation split
_TEST = (17, 18, 19, 20)  # and these the test part
_BOX = 20  # pixels: the ink's longer side, as in MNIST
_LAYOUT = 28  # rows and columns of MNIST's images
_MIDDLE = 14  # row and column of the centre of mass in them
_LARGEST = 2**27  # bytes of what is in an archive; the two have less than a million each
_PLACE = re.compile(r"([^/]+)/character(0[1-9]|[1-9][0-9])/[0-9]{4}_(0[1-9]|1[0-9]|20)\.png$")
_ARCHIVES = "images_background*.zip"

_Place = tuple[str, int, int]  # alphabet, character, drawer


@dataclass(frozen=True)
class Characters:
    """Pictures of handwritten characters, in the order of alphabet, character and drawer."""

    images: UInt8  # (N, 105, 105), 0 is paper, 255 is ink
    alphabets: tuple[str, ...]  # (A,): the name of each alphabet
    alphabet: UInt8  # (N,), 0 to A - 1
    character: UInt8  # (N,), its number in its alphabet, from 0
    drawer: UInt8  # (N,), 1 to 20: who drew it

    def __len__(self) -> int:
        return len(self.images)

    def of(self, *alphabets: str) -> "Characters":
        """Select alphabets by name; they keep their order. Raises UsageError for one that is not there."""
        numbers = {name: number for number, name in enumerate(self.alphabets)}
        chosen = sorted({look_up("alphabet", name, numbers) for name in alphabets})
        part = self._where(np.isin(self.alphabet, chosen))
        renumbered = np.searchsorted(chosen, part.alphabet).astype(np.uint8)
        return replace(part, alphabets=tuple(self.alphabets[number] for number in chosen), alphabet=renumbered)

    def without_digit_shapes(self) -> "Characters":
        """Leave out the characters that have a digit's shape; DIGIT_SHAPES names them.

        A character is in the table if a person who sees some of its drawings alone could take them for one of the
        digits 0 to 9, or for digits side by side, in any common European or American handwriting: with or without
        serifs, crossed, slashed or open. A line or a dot beside the shape does not save it, one careless drawing
        does not condemn it, and in doubt it is in the table, which was made by looking at all drawings.

        Raises UsageError for alphabets that the table does not know.
        """
        has_shape = np.zeros((len(self.alphabets), 256), bool)
        for number, name in enumerate(self.alphabets):
            if name not in DIGIT_SHAPES:
                raise UsageError.mismatch(
                    name,
                    expected=f"an alphabet whose digit shapes are known ({', '.join(DIGIT_SHAPES)})",
                    found="another",
                    remedy="Select the others with of(...), or look at it and add it to DIGIT_SHAPES.",
                )
            has_shape[number, list(DIGIT_SHAPES[name])] = True
        return self._where(~has_shape[self.alphabet, self.character])

    def _where(self, chosen: npt.NDArray[np.bool_]) -> "Characters":
        return replace(
            self,
            images=self.images[chosen],
            alphabet=self.alphabet[chosen],
            character=self.character[chosen],
            drawer=self.drawer[chosen],
        )


def load_omniglot(source: str | Path = OMNIGLOT.name, on_message: OnMessage = ignore_message) -> Characters:
    """Load the characters by name, fetched if they are not in the cache, or from a folder; 0.6 s.

    The folder has the archives ``images_background_small1.zip`` and ``images_background_small2.zip``, or the
    folders in them, or ``images_background``, or is one of these folders. A character that stands in both archives
    is loaded once. Raises DataError for what is missing or damaged, StorageError when the cache can't be written.
    """
    if str(source) == OMNIGLOT.name:
        contents = read_cached(OMNIGLOT, on_message)
        found = [
            _read_archive(io.BytesIO(content), file.name)
            for content, file in zip(contents, OMNIGLOT.files, strict=True)
        ]
        return _decode(found, OMNIGLOT.name)
    folder = Path(source).expanduser()
    try:
        found = [_read_archive(path, path) for path in sorted(folder.glob(_ARCHIVES))]
        return _decode([*found, _read_tree(folder)], folder)
    except OSError as error:
        raise DataError.unreadable(folder, error) from error


def holds_characters(path: Path) -> bool:
    """Return whether a folder has Omniglot's archives, or the folders in them, by names alone."""
    return path.is_dir() and any(path.glob("images_background*"))


def read_alphabets(source: str | Path, on_message: OnMessage = ignore_message) -> Raw:
    """Read the characters as a data set whose classes are the alphabets, with images like MNIST's.

    Drawers 17 to 20 of each character are the test part, and the first training images, which become the
    validation split, are those of drawers 1 and 2. Raises what `load_omniglot` raises.
    """
    characters = load_omniglot(source, on_message)
    images = shrink(characters.images)
    by_drawer = np.argsort(characters.drawer, kind="stable")
    is_test = np.isin(characters.drawer[by_drawer], _TEST)
    train, test = (
        pair(images[part], characters.alphabet[part], characters.alphabets, source)
        for part in (by_drawer[~is_test], by_drawer[is_test])
    )
    count = int(np.isin(characters.drawer, _VALIDATION).sum())
    return Raw(train, test, characters.alphabets, validation_images=count)


def shrink(images: UInt8) -> UInt8:
    """Shrink pictures ``(N, rows, columns)`` to MNIST's layout, ``(N, 28, 28)``; 0 is paper, 255 the darkest ink.

    The ink's longer side becomes 20 pixels, each the mean of the area that it covers, and the centre of mass moves
    to the middle.
    """
    small = np.zeros((len(images), _LAYOUT, _LAYOUT), np.uint8)
    for picture, place in zip(images, small, strict=True):
        if picture.any():
            ink = _scale_to_box(picture)
            down, across = (_start(ink.sum(axis=axis, dtype=np.float64)) for axis in (1, 0))
            place[down : down + len(ink), across : across + ink.shape[1]] = ink
    return small


def _scale_to_box(picture: UInt8) -> UInt8:
    """Cut out the ink of a picture, scale its longer side to 20 pixels, and its darkest pixel to 255."""
    from PIL import Image  # a data set without pictures does not need it

    rows, columns = (np.flatnonzero(picture.any(axis=axis)) for axis in (1, 0))
    top, bottom, left, right = (int(edge) for edge in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    scale = _BOX / max(bottom - top, right - left)
    size = (max(1, round(scale * (right - left))), max(1, round(scale * (bottom - top))))
    ink = np.asarray(Image.fromarray(picture[top:bottom, left:right]).resize(size, Image.Resampling.BOX))
    darkest: UInt8 = (ink * (255 / ink.max())).round().astype(np.uint8)
    return darkest


def _start(mass: npt.NDArray[np.float64]) -> int:
    """Return where ink begins along an axis, so that its centre of mass is in the middle, if there is room."""
    centre = np.average(np.arange(len(mass)), weights=mass)
    return int(np.clip(round(_MIDDLE - centre), 0, _LAYOUT - len(mass)))


def _find_place(path: str) -> _Place | None:
    match = _PLACE.search(path)
    return (match[1], int(match[2]) - 1, int(match[3])) if match else None


def _read_archive(file: Path | IO[bytes], where: object) -> dict[_Place, bytes]:
    """Read the encoded pictures of an archive; raise DataError."""
    try:
        with zipfile.ZipFile(file) as members:
            if (size := sum(member.file_size for member in members.infolist())) > _LARGEST:
                raise ValueError(f"it contains {size:,} bytes, more than {_LARGEST:,}")
            return {place: members.read(name) for name in members.namelist() if (place := _find_place(name))}
    except Exception as error:  # zip and zlib may raise nearly anything for a damaged archive
        raise DataError.unreadable(where, error) from error


def _read_tree(folder: Path) -> dict[_Place, bytes]:
    """Read the encoded pictures of folders; raise OSError."""
    homes = (folder, *sorted(folder.glob("images_background*")))
    paths = [path for home in homes for path in home.glob("*/character*/*.png")]
    return {place: path.read_bytes() for path in paths if (place := _find_place(path.as_posix()))}


def _decode(found: Sequence[Mapping[_Place, bytes]], where: object) -> Characters:
    """Decode every picture once, in order; raise DataError."""
    pictures = {place: content for part in reversed(found) for place, content in part.items()}
    if not 0 < len(pictures) * SIDE * SIDE <= LARGEST:
        raise DataError.mismatch(
            where,
            expected=f"{' and '.join(file.name for file in OMNIGLOT.files)}, or the folders in them",
            found=f"{len(pictures):,} pictures of characters",
            remedy="Name the folder that has them.",
        )
    places = sorted(pictures)
    alphabets = sorted({alphabet for alphabet, _, _ in places})
    images = np.empty((len(places), SIDE, SIDE), np.uint8)
    for image, place in zip(images, places, strict=True):
        image[:] = _decode_picture(pictures[place], where, place)
    np.subtract(255, images, out=images)  # the pictures are black on white
    numbers = {name: number for number, name in enumerate(alphabets)}
    columns = np.array([(numbers[alphabet], *rest) for alphabet, *rest in places], np.uint8).T
    return Characters(images, tuple(alphabets), *np.ascontiguousarray(columns))


def _decode_picture(content: bytes, where: object, place: _Place) -> UInt8:
    from PIL import Image

    alphabet, character, drawer = place
    name = f"{where}, {alphabet}/character{character + 1:02d}, drawer {drawer}"
    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            if (picture.mode, picture.size) != ("1", (SIDE, SIDE)):
                columns, rows = picture.size
                raise ValueError(f"it has {rows}x{columns} pixels of mode {picture.mode}, not {SIDE}x{SIDE} of 1")
            return np.asarray(picture.convert("L"))
    except Exception as error:  # decoders may raise nearly anything for a damaged picture
        raise DataError.unreadable(name, error) from error
