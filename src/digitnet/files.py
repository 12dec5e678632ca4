"""Files and folders that are written completely or not at all, and their hashes.

The method is temporary file, fsync, rename, fsync of the folder (Pillai et al., "All File Systems Are Not Created
Equal", OSDI 2014): after a crash at any instant, the file has its old content or the new one.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from digitnet.errors import StorageError

_REMEDIES = {
    errno.ENOSPC: "Free some space on that disk, then run the same command again.",
    errno.EDQUOT: "Free some space in your quota, then run the same command again.",
    errno.EROFS: "Name a folder on a writable disk.",
    errno.EACCES: "Name a folder that you may write to.",
    errno.EPERM: "Name a folder that you may write to.",
    errno.ENOTDIR: "A part of that path is a file; name a folder.",
    errno.EEXIST: "A file has the name of the folder; move it, or name another folder.",
}


def expand_home(path: Path | str) -> Path:
    """Make a path in which ``~`` is the home folder; that of somebody who does not exist is left as it is."""
    with suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)


def storage_error(path: Path, error: OSError) -> StorageError:
    """Turn the system's error at `path` into a StorageError with one sentence."""
    remedy = _REMEDIES.get(error.errno or 0, "Check the disk and the path.")
    reason = (error.strerror or str(error)).lower()
    return StorageError(f"{path}: could not be written ({reason}). {remedy}")


def make_folder(path: Path) -> Path:
    """Make the folder `path` and its parents; raise StorageError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    return path


def write_whole(path: Path, content: bytes | memoryview | str) -> None:
    """Write `content` to `path`, which has either its old content or all of the new one; raise StorageError.

    It costs two fsyncs, a few milliseconds on a disk. A process that is killed meanwhile leaves a hidden file
    ``.name.*.part``, which `sweep` removes.
    """
    data = content.encode() if isinstance(content, str) else content
    part = _part_of(path)
    try:
        try:
            with part.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` when the block succeeds, and is removed when it fails."""
    refuse_existing(path)
    make_folder(path.parent)
    part = _part_of(path)
    try:
        part.mkdir()
        try:
            yield part
            part.replace(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise storage_error(path, error) from error


def refuse_existing(path: Path) -> None:
    """Raise StorageError if `path` exists, unless it is an empty folder."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise StorageError(f"{path}: expected a new path, found that it exists. Name another, or move it away.")


def append(path: Path, content: bytes) -> None:
    """Append `content` to `path`, without fsync, so a power failure may lose it; raise StorageError."""
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError as error:
        raise storage_error(path, error) from error


def sweep(folder: Path) -> None:
    """Remove what a killed `write_whole` left in `folder`; the caller must hold the folder's lock."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power failure."""
    if os.name == "nt":  # Windows can't open a folder, and commits renames by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems don't support it
            raise
    finally:
        os.close(descriptor)


def sha256(content: bytes | memoryview) -> str:
    """Return the SHA-256 of `content` as 64 hexadecimal digits; about 0.7 ms a megabyte."""
    return hashlib.sha256(content).hexdigest()


def _part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
