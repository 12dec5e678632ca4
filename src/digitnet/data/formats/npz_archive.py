"""A numpy archive: x_train and so on, as Keras publishes MNIST, or under the names that others use."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitnet.data.formats.arrays import Array, join_names, to_splits
from digitnet.data.formats.label_names import check_label_names
from digitnet.data.idx import LARGEST
from digitnet.data.raw import DIGITS, OnMessage, Part, Raw, assemble
from digitnet.errors import DataError
from digitnet.files import make_folder, refuse_existing, write_whole

_KEYS: tuple[dict[Part, tuple[str, str]], ...] = (
    {"train": ("x_train", "y_train"), "validation": ("x_val", "y_val"), "test": ("x_test", "y_test")},
    {  # MedMNIST
        "train": ("train_images", "train_labels"),
        "validation": ("val_images", "val_labels"),
        "test": ("test_images", "test_labels"),
    },
    {"train": ("data", "target")},  # scikit-learn's digits
    {"train": ("x", "y")},
    {"train": ("images", "labels")},
)
"""The names of the arrays with images and labels; capitals don't matter. The first ones are ours."""

_COUNTED = 1
"""Of these, the data sets whose classes are simply counted: MedMNIST has from 2 to 11, without names."""

# kmnist-train-imgs.npz, k49-test-labels.npz: each holds one array
_APART = re.compile(r"(?P<prefix>.+)-(?P<part>train|test)-(?P<kind>imgs|labels)\.npz", re.IGNORECASE)


class NpzArchive:
    """One file; images and labels are what `to_splits` understands."""

    description = "an .npz file (x_train, y_train, x_test, y_test)"

    def recognises(self, path: Path) -> bool:
        """Return whether the file's name ends in .npz, or the folder holds KMNIST's four."""
        if path.is_dir():
            return any(_APART.fullmatch(file.name) for file in path.iterdir())
        return path.is_file() and path.suffix.lower() == ".npz"

    def read(self, path: Path, on_message: OnMessage) -> Raw:
        """Read the arrays, and label_names if present; pickled objects, which could run code, are refused."""
        found = _read_apart(path) if path.is_dir() or _APART.fullmatch(path.name) else _read_file(path)
        splits, names = to_splits(found.parts, found.names, path, on_message)
        return assemble(splits, names, path, on_message)

    def write(self, raw: Raw, path: Path) -> None:
        """Write the arrays, compressed, and label_names unless the classes are the ten digits."""
        refuse_existing(path)
        splits = {"train": raw.train, "test": raw.test} | ({"val": raw.validation} if raw.validation else {})
        arrays: dict[str, Array] = {}
        for part, split in splits.items():
            arrays |= {f"x_{part}": split.images, f"y_{part}": split.labels}
        if raw.label_names != DIGITS:
            arrays["label_names"] = np.array(raw.label_names)
        archive = io.BytesIO()
        np.savez_compressed(archive, allow_pickle=False, **arrays)
        make_folder(path.parent)
        write_whole(path, archive.getbuffer())


def read_unlabelled(path: Path) -> Array:
    """Read the one array of images in a file, of any usual name; raise DataError for none and for several."""
    arrays = _read_arrays(path)
    usual = {both[0] for keys in _KEYS for both in keys.values()}
    found = [name for name in arrays if name in usual or name.startswith("arr_")]
    if len(found) != 1:
        raise DataError.mismatch(
            path,
            expected="one array of images, such as x_test",
            found=", ".join(found or _list_names(path)) or "no arrays",
            remedy="Save the one that you want in a file of its own.",
        )
    return arrays[found[0]]


@dataclass(frozen=True)
class _Found:
    """Images and labels of each part, and the names of the classes if there are any."""

    parts: dict[Part, tuple[Array, Array]]
    names: tuple[str, ...] | None


def _read_file(path: Path) -> _Found:
    arrays = _read_arrays(path)
    known = [number for number, keys in enumerate(_KEYS) if any(name in arrays for name in keys["train"])]
    if len(known) != 1:
        whole = [keys["train"] for keys in _KEYS if set(keys["train"]) <= arrays.keys()]
        raise DataError.mismatch(
            path,
            expected="arrays x_train and y_train" if not whole else "images and labels once",
            found=", ".join(arrays if whole else _list_names(path)) or "no arrays",
            remedy="Save them under these names." if not whole else "Leave out the others.",
        )
    (number,) = known
    parts: dict[Part, tuple[Array, Array]] = {}
    for part, both in _KEYS[number].items():
        if part == "train" or any(name in arrays for name in both):
            for name in both:
                if name not in arrays:
                    found = ", ".join(arrays)
                    raise DataError.mismatch(path, expected=f"an array {name}", found=found, remedy="Add it.")
            parts[part] = arrays[both[0]], arrays[both[1]]
    return _Found(parts, _read_names(arrays, path) or (_count(parts) if number == _COUNTED else None))


def _read_apart(path: Path) -> _Found:
    """Read KMNIST's files, of which `path` is one, or their folder."""
    folder = path if path.is_dir() else path.parent
    wanted = _APART.fullmatch(path.name)
    files = {
        (match["part"].lower(), match["kind"].lower()): file
        for file in sorted(folder.iterdir())
        if (match := _APART.fullmatch(file.name)) and (wanted is None or match["prefix"] == wanted["prefix"])
    }
    parts: dict[Part, tuple[Array, Array]] = {}
    all_parts: tuple[Part, ...] = ("train", "test")
    for part in all_parts:
        own = [files.get((part, kind)) for kind in ("imgs", "labels")]
        if part == "train" or any(own):
            for file, kind in zip(own, ("imgs", "labels"), strict=True):
                if file is None:
                    found = ", ".join(file.name for file in files.values())
                    expected = f"a file ...-{part}-{kind}.npz"
                    raise DataError.mismatch(folder, expected=expected, found=found, remedy="Add it.")
            images, labels = (_read_only(file) for file in own if file)
            parts[part] = images, labels
    return _Found(parts, None)


def _read_only(file: Path) -> Array:
    arrays = list(_read_arrays(file).values())
    if len(arrays) != 1:
        raise DataError.mismatch(file, expected="one array", found=f"{len(arrays)}", remedy="Take KMNIST's own.")
    return arrays[0]


def _read_arrays(path: Path) -> dict[str, Array]:
    """Read the arrays that the file contains, by their names in small letters; those of objects are left out."""
    try:
        with zipfile.ZipFile(path) as members:
            size = sum(member.file_size for member in members.infolist())
        if size > LARGEST:
            raise ValueError(f"it contains {size:,} bytes, more than {LARGEST:,}")
        with np.load(path, allow_pickle=False) as arrays:
            return {name.lower(): arrays[name] for name in arrays.files if _is_known(name)}
    except Exception as error:  # zip, zlib and numpy may raise nearly anything for a damaged archive
        raise DataError.unreadable(path, error) from error


def _list_names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as members:
        return [name.removesuffix(".npy")[:40] for name in members.namelist()[:10]]


def _is_known(name: str) -> bool:
    known = {name for keys in _KEYS for both in keys.values() for name in both}
    return name.lower() in known | {"label_names"} or name.startswith("arr_")


def _read_names(arrays: Mapping[str, Array], path: Path) -> tuple[str, ...] | None:
    if "label_names" not in arrays:
        return None
    names = join_names(arrays["label_names"].ravel().tolist())
    check_label_names(names, f"label_names in {path}")
    return names


def _count(parts: Mapping[Part, tuple[Array, Array]]) -> tuple[str, ...] | None:
    """Name classes by their numbers, if the labels are whole numbers."""
    highest = [labels.max() for _, labels in parts.values() if labels.size and labels.dtype.kind in "ui"]
    return tuple(map(str, range(min(int(max(highest)), 255) + 1))) if highest else None
