"""Omniglot: every character once, in one order, from wherever it comes; and what looks like a digit left out."""

import io
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mirror import Mirror, send, serve
from PIL import Image

from digitnet.cli.main import main
from digitnet.data import omniglot
from digitnet.data.cache import fetch
from digitnet.data.catalog import OMNIGLOT, NamedDataset
from digitnet.data.dataset import UInt8
from digitnet.data.load import convert, load_dataset
from digitnet.data.omniglot import DIGIT_SHAPES, HELD_OUT, TRAINING, Characters, load_omniglot, shrink
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.source import RawFile
from digitnet.errors import DataError, UsageError
from digitnet.files import sha256
from processes import run

PLACES = [folder / "shared" / "not-digits" / "omniglot" for folder in Path(__file__).parents[2:4]]
REAL = next((place for place in PLACES if place.is_dir()), PLACES[0])
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="Omniglot's archives are not in the repository")

ARCHIVES = {"images_background_small1": ("Latin", "Korean"), "images_background_small2": ("Latin", "Sanskrit")}
"""Three of the alphabets, with two characters each; Latin stands in both archives."""

CHARACTERS, DRAWERS = (0, 2), range(1, 21)  # of Latin, number 0 has a digit's shape and number 2 has none


def draw(alphabet: str, character: int, drawer: int) -> UInt8:
    """Draw a bar ``(105, 105)`` whose place and size tell the three apart; 255 is ink."""
    ink = np.zeros((105, 105), np.uint8)
    ink[len(alphabet) : len(alphabet) + 20 + drawer, 10 * character + 5 : 10 * character + 30] = 255
    return ink


def encode(ink: UInt8, mode: str = "1") -> bytes:
    file = io.BytesIO()
    Image.fromarray(255 - ink).convert(mode).save(file, "PNG")
    return file.getvalue()


def path_of(archive: str, alphabet: str, character: int, drawer: int) -> str:
    return f"{archive}/{alphabet}/character{character + 1:02d}/0042_{drawer:02d}.png"


def write_archives(folder: Path) -> Path:
    """Write the two archives, with the pictures in another order than they are loaded in."""
    folder.mkdir(parents=True, exist_ok=True)
    for archive, alphabets in ARCHIVES.items():
        with zipfile.ZipFile(folder / f"{archive}.zip", "w", zipfile.ZIP_DEFLATED) as members:
            members.writestr(f"{archive}/readme.txt", "not a picture")
            for drawer in reversed(DRAWERS):
                for character in CHARACTERS:
                    for alphabet in alphabets:
                        content = encode(draw(alphabet, character, drawer))
                        members.writestr(path_of(archive, alphabet, character, drawer), content)
    return folder


def replace_member(archive: Path, member: str, content: bytes) -> None:
    """Write an archive anew, with another content of a member."""
    with zipfile.ZipFile(archive) as members:
        contents = {name: members.read(name) for name in members.namelist()}
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for name, old in {**contents, member: content}.items():
            members.writestr(name, content if name == member else old)


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    return write_archives(tmp_path / "omniglot")


def assert_same(one: Characters, other: Characters) -> None:
    assert one.alphabets == other.alphabets
    for name in ("images", "alphabet", "character", "drawer"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def complaint(source: Path) -> str:
    with pytest.raises(DataError) as caught:
        load_omniglot(source)
    return str(caught.value)


def test_every_picture_is_loaded_once_in_the_order_of_alphabet_character_and_drawer(archives: Path) -> None:
    characters = load_omniglot(archives)
    assert characters.alphabets == ("Korean", "Latin", "Sanskrit")
    assert len(characters) == 3 * 2 * 20
    expected = [(name, c, d) for name in characters.alphabets for c in CHARACTERS for d in DRAWERS]
    found = zip(characters.alphabet, characters.character, characters.drawer, strict=True)
    assert [(characters.alphabets[alphabet], c, d) for alphabet, c, d in found] == expected
    np.testing.assert_array_equal(characters.images, [draw(*place) for place in expected])
    assert characters.images.dtype == characters.alphabet.dtype == characters.drawer.dtype == np.uint8


@pytest.mark.parametrize("inside", ["", "images_background_small1"])
def test_unpacked_folders_are_read_like_archives(archives: Path, inside: str, tmp_path: Path) -> None:
    for archive in ARCHIVES:
        with zipfile.ZipFile(archives / f"{archive}.zip") as members:
            members.extractall(tmp_path / "unpacked")
    expected = load_omniglot(archives)
    assert_same(
        load_omniglot(tmp_path / "unpacked" / inside), expected.of("Korean", "Latin") if inside else expected
    )


def test_selected_alphabets_keep_their_pictures_names_and_order(archives: Path) -> None:
    characters = load_omniglot(archives)
    chosen = characters.of("Sanskrit", "Korean", "Sanskrit")
    assert chosen.alphabets == ("Korean", "Sanskrit")
    assert np.bincount(chosen.alphabet).tolist() == [40, 40]
    np.testing.assert_array_equal(chosen.images, characters.images[characters.alphabet != 1])
    assert_same(chosen.of("Sanskrit"), characters.of("Sanskrit"))


def test_an_alphabet_that_is_not_there_is_answered_with_the_nearest(archives: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no alphabet 'Latein'. Did you mean 'Latin'"):
        load_omniglot(archives).of("Latein")


def test_what_has_a_digits_shape_is_left_out_whatever_is_selected(archives: Path) -> None:
    characters = load_omniglot(archives)
    rest = characters.without_digit_shapes()
    for name in characters.alphabets:
        kept = {number for number in CHARACTERS if number not in DIGIT_SHAPES[name]}
        assert set(rest.of(name).character.tolist()) == kept
        assert_same(rest.of(name), characters.of(name).without_digit_shapes())
    assert rest.of("Latin").character.tolist() == [2] * 20


def test_shapes_of_an_alphabet_that_nobody_looked_at_are_not_promised(archives: Path) -> None:
    (archives / "images_background_small2.zip").unlink()
    source, there = (path_of("images_background_small1", name, 0, 1) for name in ("Latin", "Futurama"))
    with zipfile.ZipFile(archives / "images_background_small1.zip", "a") as members:
        members.writestr(there, members.read(source))
    characters = load_omniglot(archives)
    assert len(characters.of("Futurama")) == 1
    with pytest.raises(UsageError, match=r"Futurama: expected an alphabet whose digit shapes are known \(Latin, "):
        characters.without_digit_shapes()


def test_the_alphabets_for_training_and_for_testing_are_all_and_do_not_overlap() -> None:
    assert sorted(TRAINING + HELD_OUT) == sorted(DIGIT_SHAPES)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello", "can't be read (cannot identify image file"),
        (encode(draw("Latin", 0, 7))[:-40], "can't be read ("),
        (encode(np.zeros((28, 28), np.uint8)), "can't be read (it has 28x28 pixels of mode 1, not 105x105 of 1)"),
        (encode(draw("Latin", 0, 7), "L"), "can't be read (it has 105x105 pixels of mode L, not 105x105 of 1)"),
    ],
)
def test_a_picture_that_is_wrong_is_named(archives: Path, content: bytes, words: str) -> None:
    archive = "images_background_small1"
    replace_member(archives / f"{archive}.zip", path_of(archive, "Latin", 0, 7), content)
    said = complaint(archives)
    assert said.startswith(f"{archives}, Latin/character01, drawer 7: ")
    assert words in said
    assert said.endswith("Replace the file with an undamaged copy.")


@pytest.mark.parametrize("part", [0.0, 0.3, 0.999])
def test_a_damaged_archive_is_named(archives: Path, part: float) -> None:
    archive = archives / "images_background_small2.zip"
    content = archive.read_bytes()
    archive.write_bytes(content[: int(part * len(content))])
    assert complaint(archives).startswith(f"{archive}: can't be read (")


def test_an_archive_that_expands_without_end_is_refused(archives: Path) -> None:
    archive = archives / "images_background_small2.zip"
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as members:
        members.writestr("bomb", bytes(2**27))
    assert "bytes, more than 134,217,728" in complaint(archives)


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_a_folder_without_characters_says_what_was_expected(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    assert complaint(tmp_path / name) == (
        f"{tmp_path / name}: expected images_background_small1.zip and images_background_small2.zip, or the "
        "folders in them, found 0 pictures of characters. Name the folder that has them."
    )


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with serve(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def named(archives: Path, mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NamedDataset:
    """The data set by its name, from a mirror on this machine, with the small archives' real hashes."""
    contents = {file.name: file.read_bytes() for file in sorted(archives.iterdir())}
    mirror.answers[""] = lambda handler, _: send(handler, contents[handler.path.removeprefix("/")])
    small = replace(
        OMNIGLOT,
        files=tuple(RawFile(name, len(content), sha256(content)) for name, content in contents.items()),
        sources=(HttpsMirror(mirror.address, gzipped=False),),
    )
    monkeypatch.setattr(omniglot, "OMNIGLOT", small)
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / "cache"))
    return small


def test_by_name_it_is_fetched_once_and_checked(
    named: NamedDataset, mirror: Mirror, archives: Path, tmp_path: Path
) -> None:
    messages: list[str] = []
    for _ in range(2):
        assert_same(load_omniglot(on_message=messages.append), load_omniglot(archives))
    assert mirror.requests == [file.name for file in named.files]
    assert len(messages) == 1
    kept = tmp_path / "cache" / "omniglot" / named.files[0].name
    kept.write_bytes(kept.read_bytes()[:-1])
    assert_same(load_omniglot(), load_omniglot(archives))
    assert mirror.requests == [file.name for file in (*named.files, named.files[0])]


def test_without_a_network_the_error_says_what_to_do(named: NamedDataset, mirror: Mirror, archives: Path) -> None:
    mirror.answers[""] = lambda handler, _: send(handler, b"no", 503, "text/plain")
    with pytest.raises(DataError) as caught:
        load_omniglot()
    assert "it answered 503 Service Unavailable" in str(caught.value)
    names = ", ".join(file.name for file in named.files)
    assert str(caught.value).endswith(
        f"or get {names} in another way, put them in a folder, and name it with data='DIR'."
    )
    assert len(load_dataset(archives).test) == 24  # and that is true


def test_fetching_decodes_nothing(named: NamedDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(omniglot, "_decode", None)
    assert sorted(file.name for file in fetch(named).glob("*.zip")) == [file.name for file in named.files]


def test_as_a_data_set_its_classes_are_the_alphabets_and_people_stand_in_one_part_only(archives: Path) -> None:
    dataset, characters = load_dataset(archives), load_omniglot(archives)
    assert dataset.label_names == characters.alphabets
    assert dataset.image_shape == (28, 28)
    parts = {"validation": range(1, 3), "train": range(3, 17), "test": range(17, 21)}
    for name, drawers in parts.items():
        split = getattr(dataset, name)
        chosen = np.isin(characters.drawer, drawers)
        by_drawer = np.argsort(characters.drawer[chosen], kind="stable")
        np.testing.assert_array_equal(split.images, shrink(characters.images[chosen][by_drawer]))
        np.testing.assert_array_equal(split.labels, characters.alphabet[chosen][by_drawer])
    assert len(load_dataset(archives, validation_images=1).validation) == 1


def test_as_a_data_set_it_has_the_fingerprint_of_its_copy_in_any_format(archives: Path, tmp_path: Path) -> None:
    copy = load_dataset(convert(archives, tmp_path / "copy.npz", "npz"), validation_images=12)
    assert copy.fingerprint == load_dataset(archives).fingerprint
    assert copy.label_names == load_dataset(archives).label_names


def test_small_images_have_mnists_layout() -> None:
    images = np.zeros((5, 105, 105), np.uint8)
    images[0, 10:70, 5:45] = 255  # 60 by 40
    images[1, 100, 100] = 255  # a dot
    images[2, 3:103, 50] = 255  # a line
    images[3, 10:70, 5:45], images[3, 70:80, 5:75] = 90, 90  # faint, and heavy on the left
    small = shrink(images)
    assert small.shape == (5, 28, 28)
    assert small[:4].max(axis=(1, 2)).tolist() == [255] * 4
    assert not small[4].any()
    rows, columns = np.nonzero(small[0])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 13)
    rows, columns = np.nonzero(small[2])
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 1)
    for image in small[:4]:
        for axis in (0, 1):
            assert np.average(np.arange(28), weights=image.sum(axis=axis)) == pytest.approx(14, abs=0.5)


def test_ink_that_is_heavy_on_one_side_stays_whole() -> None:
    images = np.zeros((2, 105, 105), np.uint8)
    images[:, 50, 5:105] = 255
    images[0, :, 5:10], images[1, :, 100:105] = 255, 255
    for image, side in zip(shrink(images), (0, 1), strict=True):
        columns = np.flatnonzero(image.any(axis=0))
        assert len(columns) == np.ptp(columns) + 1 == 19
        assert image[:, columns[-side]].sum() > 4_000


def test_shrinking_keeps_the_proportions_of_light_and_dark() -> None:
    picture = np.zeros((1, 105, 105), np.uint8)
    picture[0, 20:80, 20:80] = 255
    picture[0, 50:80, 50:80:3] = 0  # a third of the last quarter is paper
    small = shrink(picture)[0]
    ink = small[small > 0]
    assert ink.max() == 255
    assert small.sum() / 255 == pytest.approx(20 * 20 * 11 / 12, rel=0.01)


def test_the_module_is_light_to_import() -> None:
    loaded = run("-c", "import sys, digitnet.data.omniglot; print(*sys.modules)", check=True).stdout.split()
    assert {"PIL", "ssl", "torch", "urllib.request"}.isdisjoint(loaded)


@needs_real
def test_the_real_one_has_its_published_numbers() -> None:
    everything = load_omniglot(REAL)
    assert everything.alphabets == tuple(sorted(DIGIT_SHAPES))
    assert len(everything) == 4_840
    counts = {"Balinese": 24, "Early_Aramaic": 22, "Greek": 24, "Japanese_(katakana)": 47}
    counts |= {"Korean": 40, "Latin": 26, "Sanskrit": 42, "Tagalog": 17}
    for name, count in counts.items():
        part = everything.of(name)
        assert part.character.tolist() == [number for number in range(count) for _ in range(20)]
        assert part.drawer.tolist() == [*range(1, 21)] * count
    assert set(np.unique(everything.images)) == {0, 255}
    assert 0.01 < (everything.images == 255).mean() < 0.1  # thin strokes, and not their paper


@needs_real
def test_the_real_latin_and_greek_are_the_same_in_both_archives(tmp_path: Path) -> None:
    parts = []
    for file in OMNIGLOT.files:
        shutil.copy(REAL / file.name, tmp_path)
        parts.append(load_omniglot(tmp_path))
        (tmp_path / file.name).unlink()
    assert [len(part) for part in parts] == [2_720, 3_120]  # 5,840 in all, 1,000 of them twice
    assert_same(*(part.of("Latin", "Greek") for part in parts))


@needs_real
def test_of_the_real_one_this_many_characters_have_no_digits_shape() -> None:
    rest = load_omniglot(REAL).without_digit_shapes()
    counts = {"Latin": 15, "Greek": 14, "Balinese": 16, "Sanskrit": 28, "Japanese_(katakana)": 24}
    counts |= {"Korean": 18, "Tagalog": 13, "Early_Aramaic": 5}
    assert {name: len(rest.of(name)) // 20 for name in counts} == counts
    assert (len(rest.of(*TRAINING)), len(rest.of(*HELD_OUT))) == (1_940, 720)


@needs_real
def test_the_real_one_is_shown_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path))
    (tmp_path / "omniglot").mkdir()
    for file in OMNIGLOT.files:
        shutil.copy(REAL / file.name, tmp_path / "omniglot")  # with the hashes of the catalog
    assert main(["data", "fetch", "omniglot"]) == 0
    assert main(["data", "show", "omniglot"]) == 0
    printed = capsys.readouterr()
    assert "omniglot: images of 28 x 28 pixels, values from 0 to 255." in printed.out
    assert printed.out.split("all")[1].split()[:3] == ["3,388", "484", "968"]
    assert "digitnet train --data omniglot" in printed.err
