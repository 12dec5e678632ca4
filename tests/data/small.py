"""A small data set with real hashes; light to import, for tests that start many processes."""

import numpy as np

from digitnet.data import idx
from digitnet.data.catalog import NamedDataset
from digitnet.data.sources.source import RawFile, Source
from digitnet.files import sha256


def _make_contents() -> dict[str, bytes]:
    random = np.random.default_rng(0)
    contents = {}
    for part, count in (("train", 40), ("t10k", 20)):
        images = random.integers(0, 256, (count, 4, 5)).astype(np.uint8)
        contents[f"{part}-images-idx3-ubyte"] = idx.to_bytes(images)
        contents[f"{part}-labels-idx1-ubyte"] = idx.to_bytes((np.arange(count) % 10).astype(np.uint8))
    return contents


CONTENTS = _make_contents()
FILES = [RawFile(name, len(content), sha256(content)) for name, content in CONTENTS.items()]


def make_dataset(*sources: Source) -> NamedDataset:
    """The small data set, with its real hashes, from any sources."""
    train_images, train_labels, test_images, test_labels = FILES
    return NamedDataset(
        name="small",
        files=(train_images, train_labels, test_images, test_labels),
        sources=sources,
        page="example.org",
        licence="MIT",
    )
