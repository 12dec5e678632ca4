"""A data set by name or by path: read, checked, and split as the blog split it."""

from contextlib import suppress
from pathlib import Path

from digitnet.data import idx
from digitnet.data.cache import read_cached
from digitnet.data.catalog import DATASETS, NamedDataset
from digitnet.data.dataset import Dataset, Split
from digitnet.data.formats.registry import read_path
from digitnet.data.raw import Raw, Remark, no_remark, pair
from digitnet.errors import DataError, UsageError, nearest


def load_dataset(
    data: str | Path = "mnist", *, validation_images: int = 5_000, remark: Remark = no_remark
) -> Dataset:
    """Load a named data set, fetched where it is not in the cache, or the files at a path.

    The first `validation_images` of the training part become the validation split. `remark` is called with short
    sentences about what takes time and what was decided. Raises UsageError for a name that is neither known nor
    a path, DataError for data that is missing, damaged or not what it says, StorageError when the cache can't be
    written.
    """
    raw, fingerprint = _read(data, remark)
    return _split(raw, str(data), fingerprint, validation_images)


def read_raw(data: str | Path, remark: Remark = no_remark) -> Raw:
    """Read a named data set, or the files at a path, without splitting it; raises what `load_dataset` raises."""
    return _read(data, remark)[0]


def _read(data: str | Path, remark: Remark) -> tuple[Raw, str]:
    """Read a data set and its fingerprint, which of a named one is known: its files have just been hashed."""
    if str(data) in DATASETS:
        named = DATASETS[str(data)]
        return read_named(named, remark), named.fingerprint
    raw = read_path(_find_path(data), remark)
    return raw, raw.fingerprint


def _find_path(data: str | Path) -> Path:
    with suppress(OSError, ValueError, RuntimeError):  # a name too long, a zero byte, a ~user who does not exist
        path = Path(data).expanduser()
        if str(data) and path.exists():
            return path
    raise UsageError(f"There is no data set {str(data)!r}, and no such path. {nearest(str(data), DATASETS)}")


def read_named(named: NamedDataset, remark: Remark = no_remark) -> Raw:
    """Read a named data set from the cache, fetched where it is not there; raises what `fetch` raises."""
    contents = read_cached(named, remark)
    images = [idx.parse_images(content, named.name) for content in contents[::2]]
    labels = [idx.parse_labels(content, named.name) for content in contents[1::2]]
    train, test = (pair(*both, named.label_names, named.name) for both in zip(images, labels, strict=True))
    return Raw(train, test, named.label_names)


def _split(raw: Raw, name: str, fingerprint: str, validation_images: int) -> Dataset:
    """Keep the first training images for validation, as the blog's loader did."""
    if not 0 < validation_images < len(raw.train):
        raise DataError.mismatch(
            name,
            expected=f"from 1 to {len(raw.train) - 1:,} of the {len(raw.train):,} training images for validation",
            found=f"{validation_images:,}",
            remedy="Choose another number with --validation-images.",
        )
    validation, train = (
        Split(raw.train.images[part], raw.train.labels[part])
        for part in (slice(None, validation_images), slice(validation_images, None))
    )
    return Dataset(name, fingerprint, raw.label_names, train, validation, raw.test)
