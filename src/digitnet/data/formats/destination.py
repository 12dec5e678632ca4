"""The destination of a converted data set: a new path, which appears complete or not at all."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from digitnet.errors import StorageError
from digitnet.files import make_folder, storage_error


def refuse_existing(path: Path) -> None:
    """Raise StorageError if `path` exists, unless it is an empty folder."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise StorageError(f"{path}: expected a new path, found that it exists. Name another, or move it away.")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `path` when the block succeeds, and is removed when it fails."""
    refuse_existing(path)
    make_folder(path.parent)
    try:
        part = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        part.chmod(0o755)  # mkdtemp makes private folders; this one becomes an ordinary one
        try:
            yield part
            part.replace(path)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise storage_error(path, error) from error
