"""Load a data set by name or by path: read it, check it, and split it as the blog did; or convert its format."""

import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from digitnet.data.cache import fetch
from digitnet.data.catalog import DATASETS
from digitnet.data.dataset import Dataset
from digitnet.data.formats.idx_folder import read_archive
from digitnet.data.formats.registry import FORMATS, read_path
from digitnet.data.omniglot import holds_characters, read_alphabets
from digitnet.data.raw import OnMessage, Raw, ignore_message
from digitnet.data.splitting import split
from digitnet.errors import UsageError, look_up, nearest


def load_dataset(
    data: str | Path = "mnist",
    *,
    validation_images: int | None = None,
    on_message: OnMessage = ignore_message,
    remark: OnMessage | None = None,
) -> Dataset:
    """Load a named data set, which is fetched if it is not in the cache, or the files at a path.

    The first `validation_images` of the training part become the validation split: 5,000, or what the data set
    itself keeps for validation, or a tenth of each class where 5,000 would be more than half. `on_message` is
    called with short sentences about downloads and decisions. Raises UsageError for an unknown name that is no
    path either, DataError for data that is missing, damaged or invalid, StorageError when the cache can't be
    written.
    """
    if remark:
        warnings.warn("remark= is now called on_message=", DeprecationWarning, stacklevel=2)
        on_message = remark
    return split(_read(data, on_message), str(data), validation_images, on_message)


def convert(
    data: str | Path, destination: str | Path, format: str = "idx", on_message: OnMessage = ignore_message
) -> Path:
    """Write the data set `data`, a name or a path, to the new path `destination` bit for bit, and return it.

    The formats idx, csv and folder make a folder, npz makes a file. Both parts, training and test, keep their
    order. Raises UsageError for an unknown format or name, DataError for data that is damaged or that the format
    can't hold, StorageError when `destination` exists or can't be written.
    """
    chosen, path = look_up("format", format, FORMATS), Path(destination).expanduser()
    chosen.write(_read(data, on_message), path)
    return path


def _read(data: str | Path, on_message: OnMessage) -> Raw:
    """Read a data set; the files of a named one as they are read at a path, once their hashes are right."""
    named = DATASETS.get(str(data))
    if named is None:
        return _read_path(_find_path(data), on_message)
    folder = fetch(named, on_message)
    if named.prefix:
        return read_archive(folder / named.files[0].name, named.prefix, on_message)
    raw = replace(_read_path(folder, on_message), idx_hashes=named.idx_hashes)
    return replace(raw, label_names=named.label_names) if named.label_names else raw


def _read_path(path: Path, on_message: OnMessage) -> Raw:
    return read_alphabets(path) if holds_characters(path) else read_path(path, on_message)


def _find_path(data: str | Path) -> Path:
    with suppress(OSError, ValueError, RuntimeError):  # a name too long, a zero byte, a ~user who does not exist
        path = Path(data).expanduser()
        if str(data) and path.exists():
            return path
    raise UsageError(f"There is no data set {str(data)!r}, and no such path. {_hint(str(data))}")


def _hint(name: str) -> str:
    """Say what may be meant by a name that is no data set and no path."""
    if "://" in name:
        return "An address is not fetched: download the file, and name it."
    if any(sign in name for sign in "*?["):
        return "Nothing matches this pattern: name one file, or the folder."
    return nearest(name, DATASETS)
