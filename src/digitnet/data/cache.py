"""The cache of named data sets: files that are checked at every load, and fetched when one is missing or damaged.

Hashing MNIST's 55 MB takes 31 ms on one core (measured, SHA instructions in use), which is nearly all of the 33 ms
of a load; so a damaged file is noticed at the next load, not after a wrong result.
"""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from digitnet.data.catalog import DATASETS, NamedDataset
from digitnet.data.content import open_content
from digitnet.data.raw import Remark, no_remark
from digitnet.data.sources.source import RawFile, SourceFault
from digitnet.errors import DataError, UsageError, nearest
from digitnet.files import make_folder, storage_error, sweep, write_whole


def cache_folder() -> Path:
    """Folder of the cache: DIGITNET_CACHE, or the place that the system has for caches."""
    chosen = os.environ.get("DIGITNET_CACHE")
    return Path(chosen) if chosen else user_cache_path("digitnet")


def find_named(name: str) -> NamedDataset:
    """Look up a data set by its name; raise UsageError with the nearest name."""
    if name not in DATASETS:
        raise UsageError(f"There is no data set {name!r}. {nearest(name, DATASETS)}")
    return DATASETS[name]


def fetch(dataset: str | NamedDataset, remark: Remark = no_remark) -> Path:
    """Make sure that the data set's files are in the cache, and return their folder.

    Many processes may ask at once: one of them fetches, the others wait. Raises UsageError for an unknown name,
    DataError when no source has the files, StorageError when they can't be written.
    """
    named = find_named(dataset) if isinstance(dataset, str) else dataset
    read_cached(named, remark)
    return cache_folder() / named.name


def read_cached(dataset: NamedDataset, remark: Remark = no_remark) -> list[memoryview]:
    """Return the checked content of the data set's files, in their order; fetch what is missing or damaged.

    A cache that is complete is only read: it needs no lock and may be read-only. Raises what `fetch` raises.
    """
    folder = cache_folder() / dataset.name
    sound = _read_sound(folder, dataset.files)
    if len(sound) < len(dataset.files):
        _fill(folder, dataset, remark)
        sound = _read_sound(folder, dataset.files)
        if len(sound) < len(dataset.files):
            raise DataError(
                f"{folder}: the files changed again after they were checked. Check the disk, try again."
            )
    return [sound[file.name] for file in dataset.files]


def _read_sound(folder: Path, files: Sequence[RawFile]) -> dict[str, memoryview]:
    """Read those of `files` that are there and undamaged."""
    sound = {}
    for file in files:
        with suppress(OSError, SourceFault):
            content = open_content(folder / file.name)
            file.check(content)
            sound[file.name] = content
    return sound


def _fill(folder: Path, dataset: NamedDataset, remark: Remark) -> None:
    """Fetch what is not sound, from one source after the other, while no other process does."""
    make_folder(folder)
    with _locked(folder, remark):
        sound = set(_read_sound(folder, dataset.files))
        said = []
        for source in dataset.sources:
            wanted = [file for file in dataset.files if file.name not in sound]
            if not wanted:
                return
            remark(f"Fetching {dataset.name} from {source.label}.")
            try:
                for file, content in source.fetch(wanted):
                    file.check(content)
                    write_whole(folder / file.name, memoryview(content))
                    sound.add(file.name)
            except SourceFault as fault:
                said.append(f"  {source.label}: {fault}")
                remark(f"{source.label}: {fault}.")
        if len(sound) < len(dataset.files):
            raise DataError(
                f"{dataset.name}: expected its files from one of these sources, found that none can give them.\n"
                + "\n".join(said)
                + f"\nTry again later; or get {', '.join(file.name for file in dataset.files)} in another way, "
                "plain or as .gz, put them in a folder, and name it with --data DIR."
            )


def _locked(folder: Path, remark: Remark) -> AbstractContextManager[object]:
    """Hold the folder, waiting for another process that fills it, and clear what a killed one left."""
    lock = FileLock(folder / ".lock")
    try:
        try:
            held = lock.acquire(timeout=0)
        except Timeout:
            remark(f"Another process is filling {folder}: waiting for it.")
            held = lock.acquire()
        sweep(folder)
    except OSError as fault:
        raise storage_error(folder, fault) from fault
    return held
