"""Formats: each is turned into each and back without a bit's difference, and every error has its sentence."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from digitnet.data import idx
from digitnet.data.dataset import Split
from digitnet.data.formats.registry import FORMATS, read_path
from digitnet.data.load import convert
from digitnet.data.raw import DIGITS, Raw, rank_in_class
from digitnet.errors import DataError, StorageError, UsageError

FILES = settings(  # every example writes a file, and a busy machine may be slow at that
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CLOTHES = ("T-shirt/top", "Trouser", "trouser", "coat")


def make_raw(label_names: tuple[str, ...] = DIGITS, train: int = 61, test: int = 23, side: int = 6) -> Raw:
    """Draw a data set of noise in which each class occurs, in no order."""
    random = np.random.default_rng(5)

    def draw(count: int) -> Split:
        labels = random.permutation(np.arange(count) % len(label_names)).astype(np.uint8)
        return Split(random.integers(0, 256, (count, side, 7)).astype(np.uint8), labels)

    return Raw(draw(train), draw(test), label_names)


def write(raw: Raw, path: Path, name: str) -> Path:
    FORMATS[name].write(raw, path)
    return path


def assert_same(one: Raw, other: Raw) -> None:
    assert (one.fingerprint, one.label_names) == (other.fingerprint, other.label_names)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_path(path)
    return str(caught.value)


@pytest.fixture
def idx_folder(tmp_path: Path) -> Path:
    return write(make_raw(), tmp_path / "digits", "idx")


NAMES = list(FORMATS)


@pytest.mark.parametrize("label_names", [DIGITS, CLOTHES, ("1", "0"), ("10", "9", "8")])
@pytest.mark.parametrize("name", NAMES)
def test_every_format_keeps_every_bit_and_every_name(
    tmp_path: Path, name: str, label_names: tuple[str, ...]
) -> None:
    raw = make_raw(label_names)
    start = write(raw, tmp_path / "start", "idx")
    there = convert(start, tmp_path / "there.npz", name)
    assert_same(read_path(there), raw)
    assert contents(convert(there, tmp_path / "back")) == contents(start)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_recognised_as_its_own_format_first(tmp_path: Path, name: str) -> None:
    path = write(make_raw(), tmp_path / "data.npz", name)
    assert next(known for known in FORMATS if FORMATS[known].recognises(path)) == name


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "thesis.txt").write_text("years of work")
    with pytest.raises(StorageError, match="expected a new path"):
        write(make_raw(), tmp_path / "there", name)
    assert contents(tmp_path / "there") == {"thesis.txt": b"years of work"}


def test_a_conversion_that_fails_leaves_nothing(tmp_path: Path) -> None:
    raw = make_raw()
    with pytest.raises(DataError, match="can't hold an empty class"):
        write(Raw(raw.train, Split(raw.test.images[:3], raw.test.labels[:3]), DIGITS), tmp_path / "new", "folder")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no format 'cvs'. Did you mean 'csv'\?"):
        convert("mnist", tmp_path / "new", "cvs")


@pytest.mark.parametrize("name", ["file.txt", "empty", "texts"])
def test_what_is_no_data_set_is_answered_with_the_formats(tmp_path: Path, name: str) -> None:
    (tmp_path / "file.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("hello")
    assert "expected IDX files" in refusal(tmp_path / name)


# Test parts that are missing


def test_of_each_class_every_seventh_image_becomes_the_test_part(tmp_path: Path) -> None:
    raw = make_raw(train=100)
    path = write(raw, tmp_path / "digits", "idx")
    for file in path.glob("t10k*"):
        file.unlink()
    messages: list[str] = []
    split = read_path(path, messages.append)
    assert messages == [f"{path} has no test part: every 7th image of each class becomes it."]
    chosen = rank_in_class(raw.train.labels) % 7 == 6
    np.testing.assert_array_equal(split.test.images, raw.train.images[chosen])
    np.testing.assert_array_equal(split.train.images, raw.train.images[~chosen])
    assert np.bincount(split.test.labels).tolist() == [1] * 10


def test_too_few_images_to_split_off_a_test_part_is_a_sentence(tmp_path: Path) -> None:
    path = write(make_raw(train=20), tmp_path / "digits", "idx")
    for file in path.glob("t10k*"):
        file.unlink()
    assert "at least 7 images of one class to split it off, found 20 images" in refusal(path)


def test_a_csv_test_file_without_labels_is_explained(tmp_path: Path) -> None:
    path = write(make_raw(train=100), tmp_path / "kaggle", "csv")
    lines = (path / "test.csv").read_text().splitlines()
    (path / "test.csv").write_text("\n".join(line.partition(",")[2] for line in lines))
    messages: list[str] = []
    assert len(read_path(path, messages.append).test) == 10
    assert "has no column 'label'" in messages[0]
    assert "has no test part" in messages[1]


# IDX folders


@pytest.mark.parametrize(
    ("train", "test", "ending"),
    [
        ("train-{}-idx{}-ubyte", "t10k-{}-idx{}-ubyte", ".gz"),
        ("train-{}.idx{}-ubyte", "t10k-{}.idx{}-ubyte", ""),
        ("emnist-digits-train-{}-idx{}-ubyte", "emnist-digits-test-{}-idx{}-ubyte", ".gz"),
    ],
)
def test_idx_files_are_found_under_their_usual_names(tmp_path: Path, train: str, test: str, ending: str) -> None:
    raw = make_raw()
    for name, split in ((train, raw.train), (test, raw.test)):
        for kind, dimensions, values in (("images", 3, split.images), ("labels", 1, split.labels)):
            content = idx.to_bytes(values.swapaxes(1, 2) if "emnist" in name and kind == "images" else values)
            path = tmp_path / (name.format(kind, dimensions) + ending)
            path.write_bytes(gzip.compress(content) if ending else content)
    assert_same(read_path(tmp_path), raw)


def test_emnist_brings_its_own_label_names(tmp_path: Path) -> None:
    write(make_raw(("A", "b", "C")), tmp_path / "made", "idx")
    for file in (tmp_path / "made").iterdir():
        name = file.name.replace("t10k", "test")
        file.rename(tmp_path / "made" / (name if name == "labels.txt" else f"emnist-letters-{name}"))
    (tmp_path / "made" / "labels.txt").unlink()
    (tmp_path / "made" / "emnist-letters-mapping.txt").write_text("0 65 97\n1 98\n2 67\n")
    assert read_path(tmp_path / "made").label_names == ("A", "b", "C")


def change(path: Path, how: Callable[[bytes], bytes]) -> None:
    path.write_bytes(how(path.read_bytes()))


@pytest.mark.parametrize(
    ("name", "how", "words"),
    [
        ("train-images-idx3-ubyte", lambda content: content[:-1], "(the file ends early)"),
        ("train-images-idx3-ubyte", lambda content: content + b"x", "(the file continues after its last value)"),
        (
            "train-labels-idx1-ubyte",
            lambda content: b"\1" + content[1:],
            "expected IDX labels (magic number 2049)",
        ),
        (
            "train-labels-idx1-ubyte",
            lambda content: content[:-1] + b"\x0a",
            "labels from 0 to 9, found 10 for image 60",
        ),
        (
            "train-labels-idx1-ubyte",
            lambda content: content[:4] + bytes([0, 0, 0, 60]) + content[8:-1],
            "expected a label for each of the 61 images, found 60 labels",
        ),
        ("t10k-labels-idx1-ubyte", lambda content: b"", "expected a header of 8 bytes, found a file of 0"),
    ],
)
def test_each_error_in_idx_has_its_sentence(
    idx_folder: Path, name: str, how: Callable[[bytes], bytes], words: str
) -> None:
    change(idx_folder / name, how)
    assert words in (message := refusal(idx_folder))
    assert message.startswith(f"{name} in {idx_folder}: expected ")


def test_a_missing_idx_file_is_named(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").unlink()
    assert "expected a file test-labels-idx1-ubyte, found only t10k-images-idx3-ubyte" in refusal(idx_folder)


def test_test_images_of_another_size_are_refused(idx_folder: Path) -> None:
    change(idx_folder / "t10k-images-idx3-ubyte", lambda content: idx.to_bytes(np.zeros((23, 5, 5), np.uint8)))
    assert "expected test images of 6x7 pixels, as in the training part, found 5x5" in refusal(idx_folder)


def test_two_data_sets_in_one_folder_are_refused(idx_folder: Path) -> None:
    (idx_folder / "emnist-train-images-idx3-ubyte").write_bytes(b"")
    assert "expected the files of one data set, found those of '', 'emnist-'" in refusal(idx_folder)


def test_a_gzip_bomb_stops_where_its_own_header_ends(idx_folder: Path) -> None:
    file = idx_folder / "t10k-images-idx3-ubyte"
    bomb = gzip.compress(file.read_bytes() + bytes(20_000_000))
    file.unlink()
    file.with_name(file.name + ".gz").write_bytes(bomb)
    assert "expected 982 bytes for 23 images of 6x7, found 983 (the file continues" in refusal(idx_folder)


@pytest.mark.parametrize(
    "content", [b"", b"hello", gzip.compress(bytes(99), mtime=0)[:-9]], ids=["empty", "text", "cut"]
)
def test_a_damaged_gzip_file_is_a_sentence(idx_folder: Path, content: bytes) -> None:
    (idx_folder / "t10k-images-idx3-ubyte").unlink()
    (idx_folder / "t10k-images-idx3-ubyte.gz").write_bytes(content)
    assert "t10k-images-idx3-ubyte.gz" in refusal(idx_folder)


@pytest.mark.parametrize("names", ["", "one\n\nthree", "one\none"])
def test_label_names_that_cannot_be_so_are_refused(idx_folder: Path, names: str) -> None:
    (idx_folder / "labels.txt").write_text(names)
    assert "expected 1 to 256 label names, none empty and none twice" in refusal(idx_folder)


# CSV


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "column 1: expected the name 'label', found ''"),
        ("label", "column 2: expected the name 'pixel0', found no more columns"),
        ("label,pixel0,pixel1,pixel2", "column 5: expected the name 'pixel3', found no more columns"),
        ("label,pixel0,pixel2,pixel3\n", "column 3: expected the name 'pixel1', found 'pixel2'"),
        ("value,pixel0\n", "column 1: expected the name 'label', found 'value'"),
        ("label,pixel0,label\n", "expected one column with the label, found 'label' and 'label'"),
        ("pixel0,label,pixel1\n", "expected the label in the first or the last column, found column 2"),
        ("label,1x1,9999x9999\n", "column 3: expected the name '1x2', found '9999x9999'"),
        ("label,pixel0\n", "expected rows of 2 numbers, found no rows"),
        ("label,pixel0\n1,2,3\n", "expected rows of 2 numbers, found rows of 3 numbers"),
        ("label,pixel0\n1,2\n1\n", "row 2 after the first line: expected 2 numbers, found 1 of them"),
        ("label,pixel0\n1,2\n1,300\n", "pixel 0 in row 2 after the first line: expected a whole number from 0"),
        ("label,pixel0\n1,-1\n", "expected a whole number from 0 to 255, found -1"),
        ("label,pixel0\n1,99999\n", "expected a whole number from 0 to 255, found '99999'"),
        ("label,pixel0\n1,12.5\n", "expected a whole number from 0 to 255, found '12.5'"),
        ("label,pixel0\n1,\n", "expected a whole number from 0 to 255, found ''"),
        ("label,pixel0\nten,5\n", "the label in row 1 after the first line: expected a whole number"),
        ("label,pixel0\n10,5\n", "expected labels from 0 to 9, found 10 for image 0"),
    ],
)
def test_each_error_in_csv_has_its_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "data.csv").write_text(text)
    assert words in refusal(tmp_path / "data.csv")


def test_a_spreadsheets_csv_is_read(tmp_path: Path) -> None:
    rows = "".join(f"{label},{label + 100}\r\n" for label in range(7))
    (tmp_path / "data.csv").write_bytes(b"\xef\xbb\xbf" + ('"label","pixel0"\r\n' + rows * 7).encode())
    assert read_path(tmp_path / "data.csv").test.images.ravel().tolist() == list(range(100, 107))


# NPZ


def save(path: Path, **changes: object) -> Path:
    """Write a good archive, with some of its arrays exchanged, or left out where None is given."""
    raw = make_raw()
    arrays: dict[str, object] = {
        "x_train": raw.train.images,
        "y_train": raw.train.labels,
        "x_test": raw.test.images,
        "y_test": raw.test.labels,
        **changes,
    }
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(("scale", "words"), [(1, None), (255, "values from 0 to 1")])
def test_floats_become_bytes(tmp_path: Path, scale: int, words: str | None) -> None:
    raw = make_raw()
    path = save(
        tmp_path / "data.npz",
        x_train=raw.train.images[..., None].astype(np.float32) / scale,
        x_test=raw.test.images.astype(np.float64) / scale,
        y_train=raw.train.labels.astype(np.int64),
    )
    messages: list[str] = []
    assert_same(read_path(path, messages.append), raw)
    assert len(messages) == (1 if words else 0)
    assert all(words in message for message in messages if words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"x_train": None}, "expected an array x_train, found y_train, x_test, y_test"),
        ({"y_test": None}, "expected an array y_test"),
        ({"x_train": np.zeros((61, 42))}, "found the shape (61, 42)"),
        ({"x_train": np.zeros((0, 6, 7))}, "found the shape (0, 6, 7)"),
        ({"x_train": np.full((61, 6, 7), np.nan)}, "found values from nan to nan"),
        ({"x_train": np.full((61, 6, 7), np.inf)}, "found values from inf to inf"),
        (
            {"x_train": np.full((61, 6, 7), 256)},
            "expected values from 0 to 255, from 0 to 1, or from -1 to 1, found values from 256",
        ),
        ({"x_train": np.full((61, 6, 7), -0.5)}, "found values from -0.5 to -0.5"),
        ({"x_train": np.full((61, 6, 7), "a")}, "expected numbers, found values of type <U1"),
        ({"x_train": np.array([{}], object)}, "can't be read (Object arrays cannot be loaded"),
        ({"y_train": np.full(61, 10)}, "expected labels from 0 to 9, found 10 for image 0"),
        ({"y_train": np.full(61, 0.5)}, "found float64"),
        ({"y_train": np.zeros((61, 10), int)}, "of the shape (61, 10)"),
        ({"y_train": np.zeros(60, int)}, "expected a label for each of the 61 images, found 60 labels"),
        ({"label_names": np.array(["a", "a"])}, "label names, none empty and none twice"),
    ],
)
def test_each_error_in_npz_has_its_sentence(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    assert words in refusal(save(tmp_path / "data.npz", **changes))


# Folders of pictures


def paint(path: Path, value: int = 0, size: tuple[int, int] = (4, 3), mode: str = "L") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path)
    return path


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two classes of 8 pictures each, without a test part; the value of a picture tells its class and number."""
    for base, label in ((0, "cat"), (100, "dog")):
        for number in range(8):
            paint(tmp_path / "pets" / label / f"{label}{number + 5}.png", base + number)
    return tmp_path / "pets"


def test_classes_are_spread_evenly_and_pictures_in_natural_order(pictures: Path) -> None:
    raw = read_path(pictures)
    assert raw.label_names == ("cat", "dog")
    assert raw.train.images.shape == (14, 3, 4)
    assert raw.train.images[:, 0, 0].tolist() == [0, 100, 1, 101, 2, 102, 3, 103, 4, 104, 5, 105, 7, 107]
    assert raw.test.images[:, 0, 0].tolist() == [6, 106]


def test_class_names_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    for label in ("10", "9", "2"):
        for part in ("train", "test"):
            paint(tmp_path / part / label / "a.png", int(label))
    raw = read_path(tmp_path)
    assert raw.label_names == ("2", "9", "10")
    assert raw.train.images[:, 0, 0].tolist() == [2, 9, 10]


def test_colours_become_grey_and_transparency_paper(tmp_path: Path) -> None:
    for number in range(7):
        paint(tmp_path / "a" / f"{number}.png", mode="RGBA")
        paint(tmp_path / "b" / f"{number + 7}.bmp", mode="RGB")
        paint(tmp_path / "c" / f"{number + 14}.JPG", mode="1")
    assert read_path(tmp_path).test.images[:, 0, 0].tolist() == [255, 0, 0]


def damage_suffix(folder: Path) -> None:
    (folder / "dog" / "notes.txt").write_text("woof")


def damage_content(folder: Path) -> None:
    (folder / "dog" / "dog7.png").write_bytes(b"\x89PNG\r\n\x1a\nhello")


def damage_length(folder: Path) -> None:
    change(folder / "dog" / "dog7.png", lambda content: content[:-30])


def damage_kind(folder: Path) -> None:
    Image.new("L", (4, 3)).save(folder / "dog" / "dog7.png", format="GIF")


def damage_class(folder: Path) -> None:
    (folder / "eel").mkdir()


def damage_size(folder: Path) -> None:
    paint(folder / "dog" / "dog7.png", size=(5, 3))


def damage_area(folder: Path) -> None:
    paint(folder / "dog" / "dog7.png", size=(2000, 2000))


def damage_depth(folder: Path) -> None:
    paint(folder / "dog" / "dog7.png", mode="I;16")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damage_suffix, "expected PNG, JPEG or BMP pictures only, found notes.txt"),
        (damage_content, "dog7.png: can't be read ("),
        (damage_length, "dog7.png: can't be read ("),
        (damage_kind, "dog7.png: can't be read (cannot identify image file"),
        (damage_class, "eel: expected pictures of the class, found none"),
        (damage_size, "dog7.png: expected 3x4 pixels, as in "),
        (damage_area, "dog7.png: can't be read (it has 4,000,000 pixels, more than 1,048,576)"),
        (damage_depth, "dog7.png: can't be read (its pixels have the mode I;16"),
    ],
)
def test_each_error_in_pictures_has_its_sentence(
    pictures: Path, damage: Callable[[Path], None], words: str
) -> None:
    damage(pictures)
    assert words in refusal(pictures)


@pytest.mark.parametrize(("part", "words"), [("train", "a folder 'b' too"), ("test", "no folder 'b'")])
def test_a_class_that_one_part_lacks_is_named(tmp_path: Path, part: str, words: str) -> None:
    for place in ("train/a", "train/b", "test/a", "test/b"):
        if place != f"{part}/b":
            paint(tmp_path / place / "1.png")
    assert words in refusal(tmp_path)


def test_what_systems_leave_among_pictures_is_ignored(pictures: Path) -> None:
    for name in ("cat/.DS_Store", "cat/Thumbs.db"):
        (pictures / name).write_bytes(b"x")
    (pictures / ".cache").mkdir()
    assert len(read_path(pictures).train) == 14


# Damage of any kind


@FILES
@given(st.data())
@pytest.mark.parametrize("name", ["csv", "npz", "folder"])
def test_any_damage_is_an_array_or_a_sentence(tmp_path: Path, name: str, data: st.DataObject) -> None:
    path = tmp_path / "data.npz"
    if not path.exists():
        write(make_raw(train=14, test=10, side=7), path, name)
    files = sorted(file for file in (path, *path.rglob("*")) if file.is_file())
    file = data.draw(st.sampled_from(files))
    good = file.read_bytes()
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    file.write_bytes(bad[: data.draw(st.integers(0, len(bad)))] if data.draw(st.booleans()) else bad)
    try:
        assert read_path(path).train.images.dtype == np.uint8
    except DataError as error:
        assert str(path) in str(error)
    finally:
        file.write_bytes(good)
