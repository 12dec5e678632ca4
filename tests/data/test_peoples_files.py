"""The files that people bring: each kind is made here, and read at the first try."""

import bz2
import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet
from scipy.io import savemat
from sklearn.datasets import dump_svmlight_file, load_digits

from digitnet.data import idx
from digitnet.data.dataset import Dataset, Split
from digitnet.data.formats.csv_table import to_table
from digitnet.data.load import convert, load_dataset
from digitnet.data.unlabelled import read_unlabelled_images
from digitnet.errors import DataError

UInt8 = npt.NDArray[np.uint8]
COUNT = 210


def draw(side: int = 6, classes: int = 10) -> tuple[UInt8, UInt8]:
    """Draw noise ``(210, side, side)`` with its labels."""
    random = np.random.default_rng(3)
    labels = (np.arange(COUNT) % classes).astype(np.uint8)
    return random.integers(0, 256, (COUNT, side, side)).astype(np.uint8), labels


def read(path: Path) -> tuple[Dataset, str]:
    """Load a data set, and what was said about it."""
    messages: list[str] = []
    return load_dataset(path, on_message=messages.append), "\n".join(messages)


def pairs(images: UInt8, labels: UInt8) -> Iterator[tuple[UInt8, np.uint8]]:
    return zip(images, labels, strict=True)


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_dataset(path)
    return str(caught.value)


def assert_holds(dataset: Dataset, images: UInt8, labels: UInt8) -> None:
    """Hold a data set to be of these images, in any order and any parts."""
    splits = dataset.train, dataset.validation, dataset.test
    found = {(image.tobytes(), label) for split in splits for image, label in pairs(split.images, split.labels)}
    assert found == {(image.tobytes(), label) for image, label in pairs(images, labels)}
    assert dataset.image_shape == images.shape[1:]


# Numpy archives

ONE_HOT = np.eye(10, dtype=np.uint8)
ARRAYS: dict[str, Callable[[UInt8, UInt8], dict[str, npt.NDArray[np.generic]]]] = {
    "X and y": lambda images, labels: {"X": images, "y": labels},
    "data and target": lambda images, labels: {"data": images.reshape(COUNT, -1), "target": labels},
    "images and labels": lambda images, labels: {"images": images, "labels": labels},
    "labels in a column": lambda images, labels: {"x_train": images, "y_train": labels[:, None]},
    "labels one-hot": lambda images, labels: {"x_train": images, "y_train": ONE_HOT[labels]},
    "labels one-hot, as floats": lambda images, labels: {"x_train": images, "y_train": ONE_HOT[labels] * 1.0},
    "labels as floats": lambda images, labels: {"x_train": images, "y_train": labels.astype(float)},
    "a channel first": lambda images, labels: {"x_train": images[:, None], "y_train": labels},
    "a channel last": lambda images, labels: {"x_train": images[..., None], "y_train": labels},
    "colours": lambda images, labels: {"x_train": np.stack([images] * 3, axis=3), "y_train": labels},
    "colours first": lambda images, labels: {"x_train": np.stack([images] * 3, axis=1), "y_train": labels},
    "fractions": lambda images, labels: {"x_train": images / 255, "y_train": labels},
    "from -1 to 1": lambda images, labels: {"x_train": images / 127.5 - 1, "y_train": labels},
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_are_understood_whatever_their_names_and_shapes(kind: str, tmp_path: Path) -> None:
    images, labels = draw()
    np.savez(tmp_path / "my.npz", allow_pickle=False, **ARRAYS[kind](images, labels))
    assert_holds(read(tmp_path / "my.npz")[0], images, labels)


def test_medmnist_keeps_its_own_validation_part_and_its_number_of_classes(tmp_path: Path) -> None:
    images, labels = draw(classes=9)
    parts = {"train": slice(0, 150), "val": slice(150, 180), "test": slice(180, None)}
    arrays = {f"{part}_images": images[chosen] for part, chosen in parts.items()}
    arrays |= {f"{part}_labels": labels[chosen, None] for part, chosen in parts.items()}
    np.savez(tmp_path / "pathmnist.npz", allow_pickle=False, **arrays)
    dataset, said = read(tmp_path / "pathmnist.npz")
    np.testing.assert_array_equal(dataset.validation.images, images[150:180])
    assert (len(dataset.train), len(dataset.test), dataset.classes) == (150, 30, 9)
    assert "test part" not in said and "tenth" not in said
    with pytest.raises(DataError, match="expected 30 validation images, its own validation part, found 20"):
        load_dataset(tmp_path / "pathmnist.npz", validation_images=20)


@pytest.mark.parametrize("format", ["idx", "csv", "npz", "folder"])
def test_a_validation_part_outlives_every_format(format: str, tmp_path: Path) -> None:
    images, labels = draw()
    parts = {"train": slice(0, 150), "val": slice(150, 180), "test": slice(180, None)}
    arrays = {f"x_{part}": images[chosen] for part, chosen in parts.items()}
    arrays |= {f"y_{part}": labels[chosen] for part, chosen in parts.items()}
    np.savez(tmp_path / "three.npz", allow_pickle=False, **arrays)
    before = load_dataset(tmp_path / "three.npz")
    after = load_dataset(convert(tmp_path / "three.npz", tmp_path / "there.npz", format))
    assert after.fingerprint == before.fingerprint
    np.testing.assert_array_equal(after.validation.images, images[150:180])


@pytest.mark.parametrize("named", ["kmnist-train-imgs.npz", "."])
def test_kmnist_is_read_from_its_four_files_or_any_of_them(named: str, tmp_path: Path) -> None:
    images, labels = draw()
    for part, chosen in (("train", slice(0, 170)), ("test", slice(170, None))):
        np.savez(tmp_path / f"kmnist-{part}-imgs.npz", images[chosen])
        np.savez(tmp_path / f"kmnist-{part}-labels.npz", labels[chosen])
    dataset, _ = read(tmp_path / named)
    assert_holds(dataset, images, labels)
    assert len(dataset.test) == 40


def test_scikit_learns_digits_are_scaled_with_a_remark(tmp_path: Path) -> None:
    digits = load_digits()
    np.savez(tmp_path / "digits.npz", data=digits.data, target=digits.target)
    dataset, said = read(tmp_path / "digits.npz")
    assert "values from 0 to 16: they are multiplied by 255 / 16" in said
    assert dataset.train.images.max() == 255 and dataset.image_shape == (8, 8)


def test_labels_from_1_to_10_have_two_meanings(tmp_path: Path) -> None:
    images, labels = draw()
    np.savez(tmp_path / "my.npz", x_train=images, y_train=labels + 1)
    assert "found 1 to 10, which may mean two things. If 10 stands for the digit 0" in refusal(tmp_path / "my.npz")
    np.savez(tmp_path / "my.npz", x_train=images, y_train=labels + 1, label_names=np.array(list("abcdefghij")))
    dataset, said = read(tmp_path / "my.npz")
    assert_holds(dataset, images, labels)
    assert "count from 1 to 10: 1 is a, and 10 is j" in said


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"a": np.zeros(3), "b": np.zeros(3)}, "expected arrays x_train and y_train, found a, b"),
        ({"x_train": np.zeros(9), "y_train": np.zeros(9), "x": np.zeros(9), "y": np.zeros(9)},
         "expected images and labels once, found x_train, y_train, x, y"),
        ({"train_images": np.zeros((9, 4, 4))}, "expected an array train_labels, found train_images"),
    ],
)  # fmt: skip
def test_an_archive_without_one_meaning_is_refused_by_its_names(
    arrays: dict[str, npt.NDArray[np.generic]], words: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "my.npz", allow_pickle=False, **arrays)
    assert words in refusal(tmp_path / "my.npz")


def test_a_validation_part_of_another_size_is_refused(tmp_path: Path) -> None:
    images, labels = draw()
    np.savez(
        tmp_path / "my.npz", x_train=images, y_train=labels, x_val=images[:9, :4, :4], y_val=labels[:9],
        x_test=images, y_test=labels,
    )  # fmt: skip
    assert "expected validation images of 6x6 pixels, as in the training part, found 4x4" in refusal(
        tmp_path / "my.npz"
    )


# Tables


def rows(images: UInt8, labels: UInt8, form: str, delimiter: str = ",") -> str:
    """Write a line for each image: `form` is a format string of number, label and pixels."""
    lines = (
        form.format(number=number, label=label, pixels=delimiter.join(map(str, image.ravel())))
        for number, (image, label) in enumerate(pairs(images, labels))
    )
    return "\n".join(lines) + "\n"


NAMES = ",".join(f"pixel{number}" for number in range(36))
TABLES = {
    "without names": ("", "{label},{pixels}"),
    "without names, label last": ("", "{pixels},{label}"),
    "label last": (f"{NAMES},label\n", "{pixels},{label}"),
    "class, and numbers for names": ("class," + ",".join(map(str, range(36))) + "\n", "{label},{pixels}"),
    "trailing commas": (f"label,{NAMES},\n", "{label},{pixels},"),
    "trailing commas below the names": (f"label,{NAMES}\n", "{label},{pixels},"),
    "an index of pandas": (f",label,{NAMES}\n", "{number},{label},{pixels}"),
    "an index that was read again": (f"Unnamed: 0,{NAMES},label\n", "{number},{pixels},{label}"),
}


@pytest.mark.parametrize("kind", TABLES)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_are_understood(kind: str, delimiter: str, tmp_path: Path) -> None:
    images, labels = draw()
    images[:, 0, 0] = images[:, -1, -1] = 0  # as the corners of MNIST's
    head, form = (text.replace(",", delimiter) for text in TABLES[kind])
    (tmp_path / "my.csv").write_text(head + rows(images, labels, form, delimiter))
    assert_holds(read(tmp_path / "my.csv")[0], images, labels)


def test_a_table_without_names_of_which_two_columns_may_be_the_label_is_refused(tmp_path: Path) -> None:
    images, labels = draw()
    images[:, -1, -1] = images[:, -1, -1] % 10
    (tmp_path / "my.csv").write_text(rows(images, labels, "{label},{pixels}"))
    assert "found columns that both may be. Write the first line." in refusal(tmp_path / "my.csv")


def test_fractions_in_a_table_are_scaled(tmp_path: Path) -> None:
    images, labels = draw()
    lines = [
        ",".join(map(str, [label, *(image.ravel() / 255)])) for image, label in zip(images, labels, strict=True)
    ]
    (tmp_path / "my.csv").write_text(f"label,{NAMES}\n" + "\n".join(lines))
    assert_holds(read(tmp_path / "my.csv")[0], images, labels)


@pytest.mark.parametrize("names", [("mnist_train.csv", "mnist_test.csv"), ("Train.csv", "Test.csv")])
def test_a_folder_of_two_tables_is_read(names: tuple[str, str], tmp_path: Path) -> None:
    images, labels = draw()
    for name, part in zip(names, (slice(0, 170), slice(170, None)), strict=True):
        (tmp_path / name).write_text(to_table(Split(images[part], labels[part])))
    dataset, _ = read(tmp_path)
    assert_holds(dataset, images, labels)
    assert len(dataset.test) == 40


def test_two_tables_of_one_part_are_refused(tmp_path: Path) -> None:
    for name in ("a_train.csv", "b_train.csv"):
        (tmp_path / name).write_text(to_table(Split(*draw())))
    assert "expected one table of the train part, found a_train.csv and b_train.csv" in refusal(tmp_path)


# IDX files


def write_idx(
    folder: Path, images: UInt8, labels: UInt8, prefix: str = "", test: str = "t10k", packed: bool = False
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for part, chosen in (("train", slice(0, 170)), (test, slice(170, None))):
        for kind, dimensions, values in (("images", 3, images[chosen]), ("labels", 1, labels[chosen])):
            content = idx.to_bytes(values)
            name = f"{prefix}{part}-{kind}-idx{dimensions}-ubyte{'.gz' if packed else ''}"
            (folder / name).write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("inside", ["", "raw", "MNIST/raw", "KMNIST/raw"])
def test_torchvisions_folder_is_found_from_its_parents(inside: str, tmp_path: Path) -> None:
    write_idx(tmp_path / inside, *draw())
    assert_holds(read(tmp_path)[0], *draw())


def test_emnists_letters_are_turned_and_named(tmp_path: Path) -> None:
    images, labels = draw(classes=26)
    turned = np.ascontiguousarray(images.transpose(0, 2, 1))
    write_idx(tmp_path, turned, labels + 1, "emnist-letters-", "test", packed=True)
    mapping = "".join(f"{number} {64 + number} {96 + number}\n" for number in range(1, 27))
    (tmp_path / "emnist-letters-mapping.txt").write_text(mapping)
    dataset, said = read(tmp_path)
    assert_holds(dataset, images, labels)
    assert dataset.label_names == tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert "the images are turned" in said and "count from 1, which is A" in said


def test_an_emnist_mapping_that_lacks_a_class_is_refused(tmp_path: Path) -> None:
    images, labels = draw(classes=5)
    write_idx(tmp_path, images, labels, "emnist-digits-", "test")
    (tmp_path / "emnist-digits-mapping.txt").write_text("0 48\n1 49\n2 50\n3 51\n")
    assert "expected labels from 0 to 3, found 4 for image" in refusal(tmp_path)


# Folders of pictures


def write_pictures(folder: Path, images: UInt8, labels: UInt8, place: str = "{label}/{number}.png") -> None:
    for number, (image, label) in enumerate(pairs(images, labels)):
        file = folder / place.format(label=label, number=number, writer=f"writer {number % 7}")
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("training", None, "testing"),
        ("train", "valid", "test"),
        ("train", "val", "test"),
        ("Train", "dev", "Test"),
    ],
)
def test_parts_are_found_by_their_usual_names(
    train: str, validation: str | None, test: str, tmp_path: Path
) -> None:
    images, labels = draw()
    parts = {train: slice(0, 150), validation: slice(150, 180), test: slice(180, None)}
    for name, part in parts.items():
        if name:
            write_pictures(tmp_path / name, images[part], labels[part])
    dataset, _ = read(tmp_path)
    assert len(dataset.test) == 30
    if validation:
        assert (len(dataset.train), len(dataset.validation)) == (150, 30)
        assert {image.tobytes() for image in dataset.validation.images} == {i.tobytes() for i in images[150:180]}


def test_pictures_may_stand_in_a_folder_of_each_writer(tmp_path: Path) -> None:
    write_pictures(tmp_path, *draw(), place="{label}/{writer}/{number}.png")
    assert_holds(read(tmp_path)[0], *draw())


def test_what_systems_leave_behind_is_passed_over(tmp_path: Path) -> None:
    write_pictures(tmp_path, *draw())
    for name in ("__MACOSX/0/._1.png", ".ipynb_checkpoints/1.png", "0/.DS_Store", "1/Thumbs.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"nothing")
    assert_holds(read(tmp_path)[0], *draw())


def test_two_folders_of_one_part_are_refused(tmp_path: Path) -> None:
    for name in ("train", "test", "testing"):
        write_pictures(tmp_path / name, *draw())
    assert "expected one folder of the test part, found" in refusal(tmp_path)


# Parquet


def write_parquet(file: Path, images: UInt8, labels: UInt8, **columns: str) -> None:
    """Write a file as Hugging Face's library does."""
    named = {"image": "image", "label": "label", **columns}
    pictures = []
    for number, image in enumerate(images):
        content = io.BytesIO()
        Image.fromarray(image).save(content, "PNG")
        pictures.append({"bytes": content.getvalue(), "path": f"{number}.png"})
    features = {"info": {"features": {named["label"]: {"names": list("abcdefghij"), "_type": "ClassLabel"}}}}
    table = pyarrow.table({named["image"]: pictures, named["label"]: labels.astype(np.int64)})
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table.replace_schema_metadata({"huggingface": json.dumps(features)}), file)


@pytest.mark.parametrize("folder", ["", "data"])
def test_hugging_faces_parquet_is_read_with_its_names(folder: str, tmp_path: Path) -> None:
    images, labels = draw()
    for number, part in enumerate((slice(0, 100), slice(100, 170))):
        write_parquet(tmp_path / folder / f"train-0000{number}-of-00002.parquet", images[part], labels[part])
    write_parquet(tmp_path / folder / "test-00000-of-00001.parquet", images[170:], labels[170:])
    dataset, _ = read(tmp_path)
    assert_holds(dataset, images, labels)
    assert (len(dataset.test), dataset.label_names) == (40, tuple("abcdefghij"))


def test_one_parquet_file_is_read(tmp_path: Path) -> None:
    write_parquet(tmp_path / "my.parquet", *draw(), image="img", label="digit")
    assert_holds(read(tmp_path / "my.parquet")[0], *draw())


def test_a_parquet_file_that_is_none_or_lacks_a_column_is_refused(tmp_path: Path) -> None:
    write_parquet(tmp_path / "my.parquet", *draw(), label="kind")
    assert "expected one column label, found image, kind. Name it" in refusal(tmp_path / "my.parquet")
    (tmp_path / "my.parquet").write_bytes(b"PAR1 and nothing else")
    assert "my.parquet: can't be read" in refusal(tmp_path / "my.parquet")


# MATLAB


def test_svhn_is_read_with_its_ten_as_zero_and_its_colours_as_grey(tmp_path: Path) -> None:
    images, labels = draw(side=32)
    for name, part in (("train", slice(0, 170)), ("test", slice(170, None))):
        colours = np.stack([images[part]] * 3, axis=3).transpose(1, 2, 3, 0)
        ten = np.where(labels[part] == 0, 10, labels[part])
        savemat(tmp_path / f"{name}_32x32.mat", {"X": colours, "y": ten[:, None]})
    dataset, _ = read(tmp_path)
    assert_holds(dataset, images, labels)
    assert len(dataset.test) == 40


def test_usps_is_read_with_its_one_as_zero(tmp_path: Path) -> None:
    images, labels = draw(side=16)
    savemat(tmp_path / "USPS.mat", {"fea": images.reshape(COUNT, -1) / 127.5 - 1, "gnd": labels[:, None] + 1.0})
    assert_holds(read(tmp_path / "USPS.mat")[0], images, labels)


def test_a_mat_file_of_another_version_or_with_other_arrays_is_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "my.mat", {"a": np.zeros((3, 3))})
    assert "expected images and labels: X and y, or fea and gnd" in refusal(tmp_path / "my.mat")
    head = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"  # what such a file begins with
    (tmp_path / "my.mat").write_bytes(head + bytes(400))
    assert "expected version 7 or older, found version 7.3. Save it in MATLAB with -v7." in refusal(
        tmp_path / "my.mat"
    )


# LIBSVM


def dump(images: UInt8, labels: npt.NDArray[np.number], path: Path) -> None:
    """Write LIBSVM's text with scikit-learn, which leaves out the zeros."""
    text = io.BytesIO()
    dump_svmlight_file(images.reshape(len(images), -1).astype(float), labels * 1.0, text, zero_based=False)
    path.write_bytes(bz2.compress(text.getvalue()))


@pytest.mark.parametrize("named", [".", "digits.bz2", "digits.t.bz2"])
def test_libsvms_text_is_read_with_its_absent_pixels_as_zero(named: str, tmp_path: Path) -> None:
    images, labels = draw()
    images[images < 100], images[0, -1, -1], images[200, -1, -1] = 0, 9, 9
    dump(images[:170], labels[:170], tmp_path / "digits.bz2")
    dump(images[170:], labels[170:], tmp_path / "digits.t.bz2")
    dataset, _ = read(tmp_path / named)
    assert_holds(dataset, images, labels)
    assert len(dataset.test) == 40


def test_an_archive_beside_pictures_is_not_the_data(tmp_path: Path) -> None:
    images, labels = draw()
    np.savez(tmp_path / "my.npz", x_train=images, y_train=labels)
    pictures = convert(tmp_path / "my.npz", tmp_path / "pictures", "folder")
    (pictures / "pictures.tar.bz2").write_bytes(bz2.compress(b"the same"))
    assert_holds(read(pictures)[0], images, labels)


def test_labels_from_1_have_two_meanings_in_libsvms_text_unless_it_is_usps(tmp_path: Path) -> None:
    images, labels = draw(side=16)
    images[:, -1, -1] = 255
    dump(images, labels + 1, tmp_path / "digits.bz2")
    assert "found 1 to 10, which may mean two things" in refusal(tmp_path / "digits.bz2")
    (tmp_path / "digits.bz2").rename(tmp_path / "usps.bz2")
    assert_holds(read(tmp_path / "usps.bz2")[0], images, labels)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "digits.bz2: can't be read ("),
        (bz2.compress(b"1 1:0.5\n" * 999)[:-9], "digits.bz2: can't be read (Compressed file ended"),
        (bz2.compress(b""), "it has 0 images of 0 pixels"),
        (bz2.compress(b"1 1:0 2:0 3:0 4:0\n1 1:0 2\n"), "line 2 is not a label and pixels NUMBER:VALUE"),
        (bz2.compress(b"1 0:0 1:0 2:0 3:0\n"), "it has 1 images of 3 pixels, numbered from 0"),
        (bz2.compress(b"1 999999999:0\n" * 9), "it has 9 images of 999,999,999 pixels"),
        (bz2.compress(b"one 1:0\n"), "could not convert string to float"),
        (bz2.compress(b"1 1:0 2:0 3:0\n"), "expected images of the shape (count, rows, columns)"),
        (bz2.compress(b"0.5 1:0\n"), "expected a whole number for each image"),
        (bz2.compress(b"1 1:nan\n"), "expected values from 0 to 255"),
        (bz2.compress(bytes(70_000_000)), "it contains more than 67,108,864 bytes"),
    ],
)
def test_each_error_in_libsvms_text_has_its_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "digits.bz2").write_bytes(content)
    assert words in refusal(tmp_path / "digits.bz2")


# Images without labels


def test_images_without_labels_are_read_from_whatever_holds_them(tmp_path: Path) -> None:
    images, labels = draw()
    (tmp_path / "test.csv").write_text(f"{NAMES}\n" + rows(images, labels, "{pixels}"))
    (tmp_path / "bare.csv").write_text(rows(images, labels, "{pixels}"))
    (tmp_path / "with.csv").write_text(f"label,{NAMES}\n" + rows(images, labels, "{label},{pixels}"))
    np.savez(tmp_path / "my.npz", x_test=images[:, None])
    np.save(tmp_path / "my.npy", images / 255)
    write_idx(tmp_path / "idx", images, labels)
    for number, image in enumerate(images):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / "pictures" / f"{number}.png")
    for name in ("test.csv", "bare.csv", "with.csv", "my.npz", "my.npy", "pictures"):
        found = read_unlabelled_images(tmp_path / name)
        np.testing.assert_array_equal(found.images, images)
        assert found.kind == ("ImageId" if name.endswith(".csv") else "image")
        assert found.names[9].endswith("9.png" if name == "pictures" else "10")
    found = read_unlabelled_images(tmp_path / "idx" / "t10k-images-idx3-ubyte")
    np.testing.assert_array_equal(found.images, images[170:])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("my.txt", b"hello", "expected a table (.csv), an array (.npz, .npy)"),
        ("my.npy", b"\x93NUMPY\x01\x00\x10\x00{(((((((((((((((", "can't be read"),
        ("nobody.csv", None, "expected a file or a folder, found none"),
    ],
)
def test_what_holds_no_images_is_refused(name: str, content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_unlabelled_images(tmp_path / name)
    assert words in str(caught.value)


def test_an_archive_with_two_arrays_of_images_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "my.npz", x_train=draw()[0], x_test=draw()[0])
    with pytest.raises(DataError, match="expected one array of images, such as x_test, found x_train, x_test"):
        read_unlabelled_images(tmp_path / "my.npz")


# What must not be misread


def save(path: Path, **arrays: npt.NDArray[np.generic]) -> Path:
    np.savez(path, allow_pickle=False, **arrays)
    return path


def test_each_part_is_scaled_by_its_own_values(tmp_path: Path) -> None:
    images, labels = draw()
    path = save(
        tmp_path / "my.npz", x_train=images / 255, y_train=labels, x_test=images.astype(int), y_test=labels
    )
    dataset, _ = read(path)
    np.testing.assert_array_equal(dataset.test.images, images)
    assert_holds(dataset, images, labels)


def test_bytes_and_wide_numbers_up_to_16_are_scaled_alike(tmp_path: Path) -> None:
    images, labels = draw()
    small = images // 16
    path = save(tmp_path / "my.npz", x_train=small, y_train=labels, x_test=small * 1.0, y_test=labels)
    dataset, _ = read(path)
    assert dataset.train.images.max() == dataset.test.images.max() == 239  # 15 of 16


def test_dim_bytes_are_kept_as_they_are_in_every_format(tmp_path: Path) -> None:
    images, labels = draw()
    dim = save(tmp_path / "dim.npz", x_train=images // 9, y_train=labels, x_test=images // 9, y_test=labels)
    before = load_dataset(dim).fingerprint
    for format in ("idx", "csv", "folder"):
        assert load_dataset(convert(dim, tmp_path / format, format)).fingerprint == before


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused_in_any_part(value: float, tmp_path: Path) -> None:
    images, labels = draw()
    wrong = images / 255
    wrong[7, 3, 3] = value
    path = save(tmp_path / "my.npz", x_train=images / 255, y_train=labels, x_test=wrong, y_test=labels)
    assert "expected values from 0 to 255" in refusal(path)


def test_an_archive_may_hold_other_arrays_too(tmp_path: Path) -> None:
    images, labels = draw()
    names = np.array(list("abcdefghij"))
    path = save(tmp_path / "my.npz", x_train=images, y_train=labels, x_test=images, y_test=labels, labels=names)
    assert_holds(read(path)[0], images, labels)


def test_medmnist_may_be_one_hot(tmp_path: Path) -> None:
    images, labels = draw(classes=3)
    path = save(tmp_path / "my.npz", train_images=images, train_labels=np.eye(3, dtype=int)[labels])
    assert read(path)[0].classes == 3


def test_rows_are_counted_beyond_what_fits_into_a_pixel(tmp_path: Path) -> None:
    lines = "\n".join(f"{number},{number % 10},{number % 256}" for number in range(40_000))
    (tmp_path / "my.csv").write_text(f",label,pixel0\n{lines}\n")
    dataset, _ = read(tmp_path / "my.csv")
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 40_000


@pytest.mark.parametrize("low", [0, -1])
@pytest.mark.parametrize("head", [f"label,{NAMES}\n", f",label,{NAMES}\n", ""])
def test_fractions_are_understood_in_every_table(low: int, head: str, tmp_path: Path) -> None:
    images, labels = draw()
    images[:, 0, 0], images[:, -1, -1] = 0, 255
    values = images / 255 if low == 0 else images / 127.5 - 1
    lines = [
        ",".join(map(str, [*([number] if head.startswith(",") else []), label, *value.ravel()]))
        for number, (value, label) in enumerate(zip(values, labels, strict=True))
    ]
    (tmp_path / "my.csv").write_text(head + "\n".join(lines))
    assert_holds(read(tmp_path / "my.csv")[0], images, labels)


def test_pixels_may_be_counted_from_1(tmp_path: Path) -> None:
    names = ",".join(f"pixel{number}" for number in range(1, 37))
    (tmp_path / "fashion-mnist_train.csv").write_text(f"label,{names}\n" + rows(*draw(), "{label},{pixels}"))
    assert_holds(read(tmp_path / "fashion-mnist_train.csv")[0], *draw())


def test_letters_in_a_table_without_names_are_found_by_their_number(tmp_path: Path) -> None:
    images, labels = draw(classes=26)
    images[:, -1, -1] = np.arange(COUNT) % 4 * 80
    (tmp_path / "labels.txt").write_text("\n".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    (tmp_path / "my.csv").write_text(rows(images, labels, "{label},{pixels}"))
    assert_holds(read(tmp_path / "my.csv")[0], images, labels)


def test_emnists_tables_are_turned(tmp_path: Path) -> None:
    images, labels = draw()
    images[:, 0, 0] = images[:, -1, -1] = 0
    table = rows(images.transpose(0, 2, 1), labels, "{label},{pixels}")
    (tmp_path / "emnist-digits-train.csv").write_text(table)
    dataset, said = read(tmp_path / "emnist-digits-train.csv")
    assert_holds(dataset, images, labels)
    assert "the images are turned" in said


def test_emnists_letters_keep_their_names_where_the_last_is_absent(tmp_path: Path) -> None:
    images, labels = draw(classes=25)
    write_idx(tmp_path, images.transpose(0, 2, 1), labels + 1, "emnist-letters-", "test")
    mapping = "".join(f"{number} {64 + number} {96 + number}\n" for number in range(1, 27))
    (tmp_path / "emnist-letters-mapping.txt").write_text(mapping)
    dataset, _ = read(tmp_path)
    assert_holds(dataset, images, labels)
    assert dataset.label_names[0] == "A"


def test_train_csv_comes_before_others_of_its_part(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(to_table(Split(*draw())))
    (tmp_path / "old_train.csv").write_text("nothing")
    assert_holds(read(tmp_path)[0], *draw())


def test_a_table_beside_pictures_is_not_the_data(tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_pictures(tmp_path / part, *draw())
    (tmp_path / "labels_train.csv").write_text("file,kind\n1.png,3\n")
    assert_holds(read(tmp_path)[0], *draw())


def test_a_class_may_be_called_like_a_part(tmp_path: Path) -> None:
    names = ("bus", "car", "Train")
    images, labels = draw(classes=3)
    for number, (image, label) in enumerate(pairs(images, labels)):
        (tmp_path / names[label]).mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / names[label] / f"{number}.png")
    assert set(read(tmp_path)[0].label_names) == set(names)


def test_labels_txt_names_the_classes_of_arrays_too(tmp_path: Path) -> None:
    images, labels = draw(classes=26)
    (tmp_path / "labels.txt").write_text("\n".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    savemat(tmp_path / "my.mat", {"X": images, "y": labels[:, None]})
    save(tmp_path / "my.npz", x=images, y=labels)
    for name in ("my.mat", "my.npz"):
        assert read(tmp_path / name)[0].label_names[25] == "Z"


def test_colour_letters_in_a_mat_file_are_no_digits(tmp_path: Path) -> None:
    images, labels = draw(classes=26)
    colours = np.stack([images] * 3, axis=3).transpose(1, 2, 3, 0)
    savemat(tmp_path / "my.mat", {"X": colours, "y": labels[:, None] + 1})
    assert "expected labels from 0 to 9, found 10" in refusal(tmp_path / "my.mat")


def test_labels_of_text_in_a_mat_file_are_refused(tmp_path: Path) -> None:
    savemat(tmp_path / "my.mat", {"fea": np.zeros((3, 4)), "gnd": np.array(["a", "b", "c"])})
    assert "expected numbers" in refusal(tmp_path / "my.mat")


def test_more_classes_than_a_byte_counts_are_refused(tmp_path: Path) -> None:
    images, labels = draw()
    path = save(tmp_path / "my.npz", x=images, y=labels, label_names=np.arange(300))
    assert "expected 1 to 256 label names" in refusal(path)


def test_a_parquet_file_of_more_rows_than_anybody_has_is_refused_before_they_are_read(tmp_path: Path) -> None:
    count = 2**22 + 1
    picture = pyarrow.DictionaryArray.from_arrays(np.zeros(count, np.int8), [b"one picture"])
    table = pyarrow.table({"image": picture, "label": np.zeros(count, np.int8)})
    parquet.write_table(table, tmp_path / "my.parquet")
    assert "expected from 1 to 4,194,304 rows, found 4,194,305" in refusal(tmp_path / "my.parquet")
