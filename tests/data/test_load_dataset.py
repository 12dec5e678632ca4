"""Loading: the real data sets by name, the same data by path, and the blog's split."""

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from digitnet.data.catalog import DATASETS, FASHION_MNIST, MNIST, NamedDataset
from digitnet.data.dataset import Dataset, Split
from digitnet.data.load import convert, load_dataset
from digitnet.errors import DataError, UsageError
from processes import run

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    """The real one: from this machine's cache, or fetched into it."""
    return load_dataset("mnist")


def assert_same(one: Split, other: Split) -> None:
    np.testing.assert_array_equal(one.images, other.images)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_mnist_is_split_as_the_blog_split_it(mnist: Dataset) -> None:
    assert [len(split) for split in (mnist.train, mnist.validation, mnist.test)] == [55_000, 5_000, 10_000]
    assert mnist.image_shape == (28, 28)
    assert mnist.label_names == tuple("0123456789")
    assert mnist.validation.labels[:5].tolist() == [5, 0, 4, 1, 9]  # the well-known beginning of the training file
    assert mnist.train.labels[:5].tolist() == [7, 3, 4, 6, 1]
    assert mnist.test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_mnist_has_its_published_statistics(mnist: Dataset) -> None:
    pixels = np.concatenate([mnist.validation.images, mnist.train.images]) / 255
    assert pixels.mean() == pytest.approx(0.1307, abs=5e-5)  # the figures in everybody's normalisation
    assert pixels.std() == pytest.approx(0.3081, abs=5e-5)


def test_arrays_are_bytes_that_the_process_may_change(mnist: Dataset) -> None:
    for split in (mnist.train, mnist.validation, mnist.test):
        assert split.images.dtype == split.labels.dtype == np.uint8
        assert split.images.flags.writeable  # torch warns of arrays that are not


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="needs Debian's package dataset-fashion-mnist")
def test_fashion_mnist_comes_from_the_package_of_the_system() -> None:
    by_path, by_name = load_dataset(DEBIAN), load_dataset("fashion-mnist")
    assert by_name.fingerprint == by_path.fingerprint
    assert by_name.label_names[9] == "Ankle boot"
    assert_same(by_name.test, by_path.test)


@pytest.mark.parametrize("named", DATASETS.values(), ids=DATASETS)
def test_the_catalog_holds_what_its_entries_must_have(named: NamedDataset) -> None:
    assert DATASETS[named.name] is named
    assert all(re.fullmatch("[0-9a-f]{64}", file.sha256) for file in named.files)
    assert len({file.sha256 for file in named.files}) == len(named.files)
    assert named.sources


@pytest.mark.parametrize("named", [MNIST, FASHION_MNIST], ids=["mnist", "fashion-mnist"])
def test_the_data_sets_of_four_files_have_mnists_sizes_and_several_sources(named: NamedDataset) -> None:
    assert [file.size for file in named.files] == [16 + 60_000 * 784, 8 + 60_000, 16 + 10_000 * 784, 8 + 10_000]
    assert len(named.sources) >= 3


def test_the_fingerprint_is_that_of_the_files_hashes(mnist: Dataset) -> None:
    """Anyone can check it: ``sha256sum`` of the four files, the hashes joined by line ends, hashed again."""
    lines = "\n".join(file.sha256 for file in MNIST.files)
    assert mnist.fingerprint == hashlib.sha256(lines.encode()).hexdigest()


def test_the_fingerprint_does_not_depend_on_where_the_data_is_or_how_it_is_split(
    mnist: Dataset, tmp_path: Path
) -> None:
    copy = load_dataset(convert("mnist", tmp_path / "copy.npz", "npz"), validation_images=1_000)
    assert copy.fingerprint == mnist.fingerprint
    assert len(copy.validation) == 1_000
    assert copy.name == str(tmp_path / "copy.npz")


def test_the_fingerprint_changes_with_any_pixel_label_or_shape(tmp_path: Path) -> None:
    arrays = {
        "x_train": np.zeros((6, 4, 6), np.uint8),
        "y_train": np.zeros(6, np.uint8),
        "x_test": np.zeros((4, 4, 6), np.uint8),
        "y_test": np.zeros(4, np.uint8),
    }

    def fingerprint(**changes: np.ndarray) -> str:
        np.savez(tmp_path / "data.npz", allow_pickle=False, **{**arrays, **changes})
        return load_dataset(tmp_path / "data.npz", validation_images=1).fingerprint

    seen = {fingerprint()}
    for name, array in arrays.items():
        changed = array.copy()
        changed.flat[-1] = 1
        seen.add(fingerprint(**{name: changed}))
    seen.add(fingerprint(x_train=np.zeros((6, 6, 4), np.uint8), x_test=np.zeros((4, 6, 4), np.uint8)))
    assert len(seen) == 6


def test_validation_and_training_images_are_the_training_part_in_its_order(drawn_file: Path) -> None:
    few, many = (load_dataset(drawn_file, validation_images=count) for count in (1, 559))
    whole = np.concatenate([few.validation.images, few.train.images])
    np.testing.assert_array_equal(whole, np.concatenate([many.validation.images, many.train.images]))
    assert (len(few.validation), len(many.train)) == (1, 1)


@pytest.mark.parametrize("count", [0, 560, 4_999])
def test_a_split_that_leaves_nothing_is_refused(drawn_file: Path, count: int) -> None:
    with pytest.raises(DataError, match=rf"from 1 to 559 of the 560 training images.*found {count:,}"):
        load_dataset(drawn_file, validation_images=count)


def test_a_tenth_of_each_class_is_kept_where_5000_are_too_many(drawn_file: Path) -> None:
    messages: list[str] = []
    dataset = load_dataset(drawn_file, on_message=messages.append)
    assert np.bincount(dataset.validation.labels).tolist() == [6] * 10  # of 56 each
    assert len(dataset.train) == 500
    assert "too few to keep 5,000 of them: a tenth of each class, 60 in all, is kept for validation" in messages[0]
    dataset.check_split(5_000)


def test_images_that_are_sorted_by_class_are_not_split_by_class(tmp_path: Path) -> None:
    labels = np.repeat(np.arange(10, dtype=np.uint8), 1_100)
    images = np.zeros((11_000, 2, 2), np.uint8)
    np.savez(tmp_path / "sorted.npz", x_train=images, y_train=labels, x_test=images[:10], y_test=labels[:10])
    messages: list[str] = []
    dataset = load_dataset(tmp_path / "sorted.npz", on_message=messages.append)
    assert np.bincount(dataset.validation.labels).tolist() == [110] * 10
    assert "lack a class: a tenth of each class, 1,100 in all, is kept for validation" in messages[0]


def test_the_only_image_of_a_class_is_for_training(tmp_path: Path) -> None:
    labels = np.array([0] * 30 + [1], np.uint8)
    images = np.zeros((31, 4, 4), np.uint8)
    np.savez(tmp_path / "few.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    dataset = load_dataset(tmp_path / "few.npz")
    assert np.bincount(dataset.validation.labels).tolist() == [3]
    assert np.bincount(dataset.train.labels).tolist() == [27, 1]


def test_what_is_neither_a_name_nor_a_path_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"There is no data set 'mnst', and no such path. Did you mean 'mnist'\?"):
        load_dataset("mnst")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("https://example.org/mnist.npz", "An address is not fetched: download the file"),
        ("digits/*.csv", "Nothing matches this pattern: name one file"),
    ],
)
def test_an_address_and_a_pattern_get_a_hint(name: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"no such path. {said}"):
        load_dataset(name)


@pytest.mark.parametrize("nonsense", ["", "x" * 5000, "a\0b", "~nobody-of-this-name/digits"])
def test_a_path_that_is_nonsense_is_a_sentence(nonsense: str) -> None:
    with pytest.raises(UsageError, match="and no such path"):
        load_dataset(nonsense)


def test_loading_is_light_to_import() -> None:
    script = "import sys, digitnet.data.load; print(*sys.modules)"
    loaded = run("-c", script, check=True).stdout.split()
    assert "digitnet.data.load" in loaded
    assert {"PIL", "ssl", "urllib.request", "torch"}.isdisjoint(loaded)


def test_the_old_name_of_on_message_works_with_a_warning(tmp_path: Path) -> None:
    images, labels = np.arange(560, dtype=np.uint8).reshape(70, 2, 4), np.arange(70, dtype=np.uint8) % 10
    np.savez(tmp_path / "digits.npz", x_train=images, y_train=labels)
    messages: list[str] = []
    with pytest.warns(DeprecationWarning, match="on_message="):
        load_dataset(tmp_path / "digits.npz", validation_images=1, remark=messages.append)
    assert "has no test part" in messages[0]
