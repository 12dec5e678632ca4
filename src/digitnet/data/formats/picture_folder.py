"""Folders of pictures, one for each class: ``train/7/123.png``, or ``7/123.png`` without a test part."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from digitnet.data.dataset import Split, UInt8
from digitnet.data.formats.decoding import decode_pictures
from digitnet.data.formats.label_names import check_label_names, read_label_names, write_label_names
from digitnet.data.formats.parts import find_parts, take_one
from digitnet.data.raw import OnMessage, Part, Raw, assemble, pair, rank_in_class
from digitnet.errors import DataError
from digitnet.files import new_folder

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp"}
_IGNORED = {"thumbs.db", "desktop.ini", "__macosx"}  # what operating systems leave in folders of pictures


class PictureFolder:
    """Pictures by class; classes are in the order of labels.txt, or else in the natural order of their names."""

    description = "folders of pictures (train/CLASS/*.png and test/CLASS/*.png, or CLASS/*.png)"

    def recognises(self, path: Path) -> bool:
        """Return whether the folder contains folders."""
        return path.is_dir() and bool(_subfolders(path))

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read every picture as greyscale. Without a folder for testing, the test part is split off."""
        folders = _find_parts(path) or {"train": path}
        names = read_label_names(path) or _find_classes(folders["train"])
        splits = {part: _read_part(folder, names) for part, folder in folders.items()}
        return assemble(splits, names, path, on_message)

    def write(self, raw: Raw, path: Path) -> None:
        """Write each image as a PNG named by its index in the data set, so that reading restores the order."""
        with new_folder(path) as folder:
            for part, split in (("train", raw.train), ("validation", raw.validation), ("test", raw.test)):
                if split is not None:
                    _write_part(folder / part, split, raw.label_names)
            if raw.label_names != tuple(sorted(_folder_names(raw.label_names), key=_natural_order)):
                write_label_names(folder, raw.label_names)


def _natural_order(name: str) -> tuple[str | int, ...]:
    """Sort key for natural order: ``img2`` before ``img10``, and numbers by their value."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name))


def _subfolders(folder: Path) -> list[Path]:
    entries = (entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    return [entry for entry in entries if entry.name.lower() not in _IGNORED]


def _find_parts(path: Path) -> dict[Part, Path]:
    """Find the folder of each part, where all folders are called after parts: a class may be called Train."""
    folders = _subfolders(path)
    found = find_parts(folders, re.compile("(?P<part>.*)"))
    if "train" not in found or sum(map(len, found.values())) < len(folders):
        return {}
    return take_one(found, path, "folder")


def _find_classes(folder: Path) -> tuple[str, ...]:
    names = tuple(sorted((entry.name for entry in _subfolders(folder)), key=_natural_order))
    check_label_names(names, folder)
    return names


def _folder_names(label_names: Sequence[str]) -> list[str]:
    """Make a folder name from each label name: without slashes, and distinct even if case is ignored."""
    plain = [re.sub(r"[^\w .+-]", "-", name).strip(" .") or "-" for name in label_names]
    if len({name.casefold() for name in plain}) == len(plain):
        return plain
    return [f"{label:03d} {name}" for label, name in enumerate(plain)]


def _read_part(folder: Path, label_names: tuple[str, ...]) -> Split:
    """Read the pictures of one part, in their order."""
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(_check_classes(folder, label_names)):
        pictures = find_pictures(folder / name)
        files += pictures
        labels += [label] * len(pictures)
    order = _find_order(files, np.array(labels, np.uint8))
    with warnings.catch_warnings(action="error"):  # a decoder's warning counts as an error
        images = decode_pictures(((files[place], files[place]) for place in order), len(files))
    return pair(images, np.array(labels, np.uint8)[order], label_names, folder)


def _check_classes(folder: Path, label_names: tuple[str, ...]) -> list[str]:
    """Return the folder of each class; raise DataError unless exactly these exist."""
    expected = _folder_names(label_names)
    found = {entry.name for entry in _subfolders(folder)}
    for wrong in sorted(found.symmetric_difference(expected), key=_natural_order):
        raise DataError.mismatch(
            folder,
            expected=f"the {len(expected)} classes {', '.join(expected[:10])}{', ...' if expected[10:] else ''}",
            found=f"no folder {wrong!r}" if wrong in expected else f"a folder {wrong!r} too",
            remedy="Give the training and the test part the same classes.",
        )
    return expected


def find_pictures(folder: Path) -> list[Path]:
    """List a class's pictures in the natural order of their paths; raise DataError for any other file.

    They may stand in folders of their own, one for each writer perhaps.
    """
    files = list(_walk(folder))
    for file in files:
        if file.suffix.lower() not in SUFFIXES or not file.is_file():
            raise DataError.mismatch(
                file.parent,
                expected="PNG, JPEG or BMP pictures only",
                found=file.name,
                remedy="Move or convert it.",
            )
    if not files:
        raise DataError.mismatch(
            folder, expected="pictures of the class", found="none", remedy="Add some, or remove the folder."
        )
    return sorted(files, key=lambda file: _natural_order(file.relative_to(folder).as_posix()))


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name.lower() in _IGNORED:
            continue
        if entry.is_dir():
            yield from _walk(entry)
        else:
            yield entry


def _find_order(files: Sequence[Path], labels: UInt8) -> list[int]:
    """Order pictures by number if each name is a different integer; otherwise interleave the classes evenly.

    Interleaved, because the first images become the validation split, which must contain all classes.
    """
    numbers = [int(file.stem) if re.fullmatch("[0-9]{1,18}", file.stem) else -1 for file in files]
    if -1 not in numbers and len(set(numbers)) == len(numbers):
        return sorted(range(len(files)), key=numbers.__getitem__)
    place = (rank_in_class(labels) + 0.5) / np.bincount(labels)[labels]  # 0 to 1, position within its class
    return [int(index) for index in np.lexsort((labels, place))]


def _write_part(folder: Path, split: Split, label_names: tuple[str, ...]) -> None:
    from PIL import Image

    digits = len(str(len(split)))
    homes = [folder / name for name in _folder_names(label_names)]
    for label, home in enumerate(homes):
        if label not in split.labels:
            raise DataError.mismatch(
                home,
                expected="an image of each class",
                found="none",
                remedy="Folders of pictures can't hold an empty class: choose another format.",
            )
        home.mkdir(parents=True)
    for place, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
        Image.fromarray(image).save(homes[label] / f"{place:0{digits}d}.png")
