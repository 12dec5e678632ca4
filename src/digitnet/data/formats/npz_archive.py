"""A numpy archive: x_train and so on, as Keras publishes MNIST, or under the names that others use."""

import io
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitnet.data.formats.arrays import Array, join_names, to_splits
from digitnet.data.formats.label_names import read_label_names
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
        own = found.names or read_label_names(path)
        splits, names = to_splits(found.parts, own, path, on_message, counts_classes=found.counts_classes)
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
    listed = _list_names(path)
    usual = {both[0] for keys in _KEYS for both in keys.values()}
    found = [name for name in listed if name in usual or name.startswith("arr_")]
    if len(found) != 1:
        raise DataError.mismatch(
            path,
            expected="one array of images, such as x_test",
            found=", ".join(found or list(listed)[:10]) or "no arrays",
            remedy="Save the one that you want in a file of its own.",
        )
    return _read_array(path, listed[found[0]])


@dataclass(frozen=True)
class _Found:
    """Images and labels of each part, and the names of the classes if there are any."""

    parts: dict[Part, tuple[Array, Array]]
    names: tuple[str, ...] | None
    counts_classes: bool


def _read_file(path: Path) -> _Found:
    listed = _list_names(path)
    complete = [number for number, keys in enumerate(_KEYS) if set(keys["train"]) <= listed.keys()]
    if len(complete) > 1:
        found = ", ".join(list(listed)[:10])
        raise DataError.mismatch(
            path, expected="images and labels once", found=found, remedy="Leave out the others."
        )
    if not complete:
        begun = (name for keys in _KEYS if set(keys["train"]) & listed.keys() for name in keys["train"])
        missing = next((name for name in begun if name not in listed), None)
        raise DataError.mismatch(
            path,
            expected="arrays x_train and y_train" if missing is None else f"an array {missing}",
            found=", ".join(list(listed)[:10]) or "no arrays",
            remedy="Add what is missing, or save it under this name.",
        )
    parts: dict[Part, tuple[Array, Array]] = {}
    for part, both in _KEYS[complete[0]].items():
        if any(name in listed for name in both):
            for name in both:
                if name not in listed:
                    found = ", ".join(list(listed)[:10])
                    raise DataError.mismatch(path, expected=f"an array {name}", found=found, remedy="Add it.")
            images, labels = (_read_array(path, listed[name]) for name in both)
            parts[part] = images, labels
    names = None
    if "label_names" in listed:
        names = join_names(_read_array(path, listed["label_names"]).ravel().tolist())
    return _Found(parts, names, counts_classes=complete[0] == _COUNTED)


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
    return _Found(parts, None, counts_classes=not any("kmnist" in file.name.lower() for file in files.values()))


def _read_only(file: Path) -> Array:
    listed = _list_names(file)
    if len(listed) != 1:
        raise DataError.mismatch(file, expected="one array", found=f"{len(listed)}", remedy="Take KMNIST's own.")
    return _read_array(file, *listed.values())


def _list_names(path: Path) -> dict[str, str]:
    """List the arrays in a file: their names in small letters, and as they are."""
    try:
        with zipfile.ZipFile(path) as members:
            names = [member.filename.removesuffix(".npy") for member in members.infolist()]
            size = sum(member.file_size for member in members.infolist())
        if size > LARGEST:
            raise ValueError(f"it contains {size:,} bytes, more than {LARGEST:,}")
    except Exception as error:  # zipfile may raise nearly anything for a damaged archive
        raise DataError.unreadable(path, error) from error
    return {name.lower(): name for name in names}


def _read_array(path: Path, name: str) -> Array:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays[name])
    except Exception as error:  # zip, zlib and numpy may raise nearly anything for a damaged archive
        raise DataError.unreadable(path, error) from error
