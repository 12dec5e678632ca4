"""MNIST, for the page, which fetches nothing by itself."""

from digitnet.data.cache import is_cached
from digitnet.data.catalog import MNIST
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.errors import DataError


def load_cached_mnist() -> Dataset:
    """Load MNIST; raise DataError where the cache has none."""
    if not is_cached(MNIST):
        raise DataError.mismatch(
            "MNIST", expected="its files in the cache", found="none", remedy="Run: digitnet data fetch mnist"
        )
    return load_dataset("mnist")
