"""Files that are written whole or not at all, and known by their hash.

The recipe is temporary file, fsync, rename, fsync of the folder (Pillai et al., "All File Systems Are Not
Created Equal", OSDI 2014): after a crash at any instant the name holds the old bytes or the new ones.
"""

import errno
import hashlib
import os
from pathlib import Path

from digitnet.errors import StorageError

_REMEDIES = {
    errno.ENOSPC: "Free some space on that disk, then run the same command again.",
    errno.EDQUOT: "Free some space in your quota, then run the same command again.",
    errno.EROFS: "Name a folder on a disk that can be written.",
    errno.EACCES: "Name a folder that you may write to.",
    errno.EPERM: "Name a folder that you may write to.",
    errno.ENOTDIR: "A part of that path is a file; name a folder.",
    errno.EEXIST: "A file stands where a folder is needed; move it, or name another folder.",
}


def storage_error(path: Path, fault: OSError) -> StorageError:
    """Turn the system's fault at `path` into the house sentence."""
    remedy = _REMEDIES.get(fault.errno or 0, "Check the disk and the path.")
    reason = (fault.strerror or str(fault)).lower()
    return StorageError(f"{path}: could not be written ({reason}). {remedy}")


def make_folder(path: Path) -> Path:
    """Make `path` and its parents; raise StorageError where that can't be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise storage_error(path, fault) from fault
    return path


def write_whole(path: Path, content: bytes | memoryview | str) -> None:
    """Write `content` so that `path` holds either what it held before or all of it; raise StorageError.

    Costs two fsyncs, a few milliseconds on a disk. A process killed in the middle leaves a hidden
    ``.name.*.part`` behind, which `sweep` removes.
    """
    data = content.encode() if isinstance(content, str) else content
    part = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
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
    except OSError as fault:
        raise storage_error(path, fault) from fault


def append(path: Path, content: bytes) -> None:
    """Add `content` to the end of `path`, not yet safe from a power cut; raise StorageError."""
    try:
        with path.open("ab") as file:
            file.write(content)
    except OSError as fault:
        raise storage_error(path, fault) from fault


def sweep(folder: Path) -> None:
    """Remove what a killed `write_whole` left in `folder`; call it only while holding the folder's lock."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` survive a power cut."""
    if os.name == "nt":  # Windows can't open a folder, and commits renames itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network disks have no such call
            raise
    finally:
        os.close(descriptor)


def sha256(content: bytes | memoryview) -> str:
    """SHA-256 of `content` as 64 hexadecimal digits; about 0.7 ms a megabyte."""
    return hashlib.sha256(content).hexdigest()
