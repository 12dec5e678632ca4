"""The cache of downloads. Every load checks its files, and fetches those that are missing or damaged.

Hashing MNIST's 55 MB takes most of the 62 ms of a load (one core with SHA instructions). In return, a damaged
file is found at the next load, not after a wrong result.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from digitnet.data.catalog import DATASETS, Download
from digitnet.data.content import open_content
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.source import RawFile, SourceError
from digitnet.errors import DataError, look_up
from digitnet.files import make_folder, storage_error, sweep, write_whole


def cache_folder() -> Path:
    """Return the folder of the cache: DIGITNET_CACHE, or else a folder in the user's cache folder."""
    chosen = os.environ.get("DIGITNET_CACHE")
    return Path(chosen) if chosen else user_cache_path("digitnet")


def fetch(dataset: str | Download, on_message: OnMessage = ignore_message) -> Path:
    """Make sure that the data set's files are in the cache, and return their folder.

    If several processes call this at once, one fetches and the others wait. Raises UsageError for an unknown name,
    DataError when no source has the files, StorageError when they can't be written.
    """
    if isinstance(dataset, str):
        dataset = look_up("data set", dataset, DATASETS)
    read_cached(dataset, on_message)
    return cache_folder() / dataset.folder


def is_cached(download: Download) -> bool:
    """Tell whether all files are in the cache, whole."""
    return len(_read_intact(cache_folder() / download.folder, download.files)) == len(download.files)


def read_cached(dataset: Download, on_message: OnMessage = ignore_message) -> list[memoryview]:
    """Return the checked content of the data set's files, in their order; fetch what is missing or damaged.

    A complete cache is only read, without a lock, so it may be read-only. Raises what `fetch` raises.
    """
    folder = cache_folder() / dataset.folder
    intact = _read_intact(folder, dataset.files)
    if len(intact) < len(dataset.files):
        _fill(folder, dataset, on_message)
        intact = _read_intact(folder, dataset.files)
        if len(intact) < len(dataset.files):
            raise DataError(
                f"{folder}: the files changed again after they were checked. Check the disk and try again."
            )
    return [intact[file.name] for file in dataset.files]


def _read_intact(folder: Path, files: Sequence[RawFile]) -> dict[str, memoryview]:
    """Read the files that exist and are undamaged."""
    intact = {}
    for file in files:
        with suppress(OSError, SourceError):
            content = open_content(folder / file.name)
            file.check(content)
            intact[file.name] = content
    return intact


def _fill(folder: Path, dataset: Download, on_message: OnMessage) -> None:
    """Fetch missing and damaged files from one source after the other, under a lock."""
    make_folder(folder)
    with _locked(folder, on_message):
        intact = set(_read_intact(folder, dataset.files))
        reasons = []
        for source in dataset.sources:
            wanted = [file for file in dataset.files if file.name not in intact]
            if not wanted:
                return
            on_message(f"Fetching {dataset.name} from {source}.")
            try:
                for file, content in source.fetch(wanted, on_message):
                    file.check(content)
                    write_whole(folder / file.name, memoryview(content))
                    intact.add(file.name)
            except SourceError as error:
                reasons.append(f"  {source}: {error}")
                on_message(f"{source}: {error}.")
        if len(intact) < len(dataset.files):
            raise DataError(
                f"{dataset.name}: expected its files from one of these sources, found none that has them.\n"
                + "\n".join(reasons)
                + f"\nTry again later; or get {', '.join(file.name for file in dataset.files)} in another way, "
                f"{dataset.remedy}."
            )


def _locked(folder: Path, on_message: OnMessage) -> AbstractContextManager[object]:
    """Lock the folder, waiting for another process that fills it, and remove what a killed one left."""
    lock = FileLock(folder / ".lock")
    try:
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            on_message(f"Another process is filling {folder}: waiting for it.")
            held = lock.acquire()
        sweep(folder)
    except OSError as error:
        raise storage_error(folder, error) from error
    return held
