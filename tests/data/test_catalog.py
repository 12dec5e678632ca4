"""Data sets by name: each is fetched from a server, checked, and read as its makers publish it.

The files are small, with a mirror on this machine and hashes that fit; their forms are the published ones.
"""

import bz2
import gzip
import io
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mirror import Mirror, send, send_status, serve

from digitnet.cli.main import main
from digitnet.data import idx, qmnist
from digitnet.data.catalog import DATASETS
from digitnet.data.dataset import Dataset, UInt8
from digitnet.data.load import convert, load_dataset
from digitnet.data.qmnist import load_writers
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.source import RawFile
from digitnet.errors import DataError
from digitnet.files import sha256

TRAIN, TEST = 60, 20  # images
EMNIST = [name for name in DATASETS if name.startswith("emnist-")]
NEW = ["kmnist", "qmnist", *EMNIST, "usps"]
CLASSES = {"emnist-letters": 26, "emnist-balanced": 47}
BALANCED = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"


def draw(name: str) -> dict[str, tuple[UInt8, UInt8]]:
    """Draw noise of each part of a data set, with labels from 0."""
    random = np.random.default_rng(len(name))
    side, classes = (16 if name == "usps" else 28), CLASSES.get(name, 10)
    return {
        part: (
            random.integers(0, 256, (count, side, side)).astype(np.uint8),
            (np.arange(count) % classes).astype(np.uint8),
        )
        for part, count in (("train", TRAIN), ("test", TEST))
    }


WRITERS = {"train": np.arange(TRAIN) // 7, "test": 2_100 + np.arange(TEST) // 7}


def extend(labels: UInt8, part: str) -> bytes:
    """Encode QMNIST's extended labels: 8 columns, of which the first is the class and the third the writer."""
    table = np.zeros((len(labels), 8), ">i4")
    table[:, 0], table[:, 2] = labels, WRITERS[part]
    return struct.pack(">3I", 0x0C02, *table.shape) + table.tobytes()


def turned(images: UInt8) -> UInt8:
    return np.ascontiguousarray(images.swapaxes(1, 2))


def emnist_files(name: str) -> dict[str, bytes]:
    """Make the files of one of EMNIST's data sets; the letters count from 1, and have two codes each."""
    names = {"emnist-digits": "0123456789", "emnist-balanced": BALANCED}.get(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    first = int(name == "emnist-letters")
    lines = (f"{label} {ord(sign)} {ord(sign.lower())}" for label, sign in enumerate(names, start=first))
    files = {f"{name}-mapping.txt": "\n".join(lines).encode()}
    for part, (images, labels) in draw(name).items():
        files[f"{name}-{part}-images-idx3-ubyte.gz"] = gzip.compress(idx.to_bytes(turned(images)))
        files[f"{name}-{part}-labels-idx1-ubyte.gz"] = gzip.compress(idx.to_bytes(labels + np.uint8(first)))
    return files


def archive(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as members:
        members.mkdir("gzip")
        for name, member in files.items():
            members.writestr(f"gzip/{name}", member)
    return content.getvalue()


def libsvm(images: UInt8, labels: UInt8) -> bytes:
    """Write USPS's text: labels from 1, values from -1 to 1."""
    lines = (
        f"{label + 1} " + " ".join(f"{number}:{value:.6f}" for number, value in enumerate(image, start=1)) + " \n"
        for image, label in zip(images.reshape(len(images), -1) / 127.5 - 1, labels, strict=True)
    )
    return bz2.compress("".join(lines).encode())


@cache  # archives hold the time at which they were made
def emnist_archive() -> bytes:
    return archive({file: content for name in EMNIST for file, content in emnist_files(name).items()})


@cache
def publish(name: str) -> dict[str, bytes]:
    """Make the files of a data set as they are published."""
    (train, train_labels), (test, test_labels) = draw(name).values()
    if name == "usps":
        return {"usps.bz2": libsvm(train, train_labels), "usps.t.bz2": libsvm(test, test_labels)}
    if name in EMNIST:
        return {"gzip.zip": emnist_archive()}
    if name == "kmnist":
        contents = [idx.to_bytes(values) for values in (train, train_labels, test, test_labels)]
    else:
        contents = [
            idx.to_bytes(train),
            extend(train_labels, "train"),
            idx.to_bytes(test),
            extend(test_labels, "test"),
        ]
    return {
        file.name: gzip.compress(content) for file, content in zip(DATASETS[name].files, contents, strict=True)
    }


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A server that has the files of every data set, each in a folder of its own, with hashes that fit."""
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / "cache"))
    with serve(tmp_path, monkeypatch) as running:
        for name in NEW:
            small = replace(
                DATASETS[name],
                files=tuple(
                    RawFile(file, len(content), sha256(content)) for file, content in publish(name).items()
                ),
                sources=(HttpsMirror(f"{running.address}/{name}", gzipped=False),),
            )
            monkeypatch.setitem(DATASETS, name, small)
            if name == "qmnist":
                monkeypatch.setattr(qmnist, "QMNIST", small)

        def answer(handler: object, _: bytes) -> None:
            name, file = handler.path.removeprefix("/").split("/")  # type: ignore[attr-defined]
            send(handler, publish(name)[file])  # type: ignore[arg-type]

        running.answers[""] = answer
        yield running


def assert_is(dataset: Dataset, name: str) -> None:
    """Hold a data set to be what was drawn, whatever became its validation split."""
    parts = draw(name)
    np.testing.assert_array_equal(dataset.test.images, parts["test"][0])
    np.testing.assert_array_equal(dataset.test.labels, parts["test"][1])
    pairs = [
        sorted(
            (image.tobytes(), int(label))
            for images, labels in splits
            for image, label in zip(images, labels, strict=True)
        )
        for splits in (
            [parts["train"]],
            [(split.images, split.labels) for split in (dataset.train, dataset.validation)],
        )
    ]
    assert pairs[0] == pairs[1]


@pytest.mark.parametrize("name", NEW)
def test_it_is_fetched_once_and_read_as_it_is_published(name: str, mirror: Mirror) -> None:
    for _ in range(2):
        assert_is(load_dataset(name), name)
    assert mirror.requests == [f"{name}/{file.name.removesuffix('.gz')}" for file in DATASETS[name].files]


@pytest.mark.parametrize(
    ("name", "label_names"),
    [
        ("kmnist", ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")),
        ("qmnist", tuple("0123456789")),
        ("usps", tuple("0123456789")),
        ("emnist-digits", tuple("0123456789")),
        ("emnist-letters", tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        ("emnist-balanced", tuple(BALANCED)),
    ],
)
def test_its_classes_have_their_names(name: str, label_names: tuple[str, ...], mirror: Mirror) -> None:
    assert load_dataset(name).label_names == label_names


def test_the_data_sets_of_one_archive_are_downloaded_together(mirror: Mirror) -> None:
    for name in EMNIST:
        assert_is(load_dataset(name), name)
    assert mirror.requests == [f"{EMNIST[0]}/gzip.zip"]


@pytest.mark.parametrize("name", NEW)
def test_its_files_in_any_folder_are_the_same_data_set(name: str, mirror: Mirror, tmp_path: Path) -> None:
    """As the error without a network says: EMNIST's unpacked, the others as they are published."""
    folder = tmp_path / "by-hand"
    folder.mkdir()
    for file, content in (emnist_files(name) if name in EMNIST else publish(name)).items():
        (folder / file).write_bytes(content)
    assert load_dataset(folder).fingerprint == load_dataset(name).fingerprint
    assert_is(load_dataset(folder), name)


@pytest.mark.parametrize("name", NEW)
def test_without_a_network_the_error_names_the_files_and_what_to_do_with_them(name: str, mirror: Mirror) -> None:
    mirror.answers[""] = send_status(503)
    with pytest.raises(DataError) as caught:
        load_dataset(name)
    message = str(caught.value)
    assert "it answered 503 Service Unavailable" in message
    assert all(file.name in message for file in DATASETS[name].files)
    assert message.endswith("and name it with data='DIR'.")


@pytest.mark.parametrize("name", NEW)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[:-1], "bytes, found"),
        (lambda content: content + b"!", "found more than"),
        (lambda content: content[:-1] + bytes([content[-1] ^ 1]), "expected SHA-256"),
    ],
)
def test_a_file_that_differs_in_anything_is_refused(name: str, damage: object, words: str, mirror: Mirror) -> None:
    assert callable(damage)
    mirror.answers[""] = lambda handler, _: send(handler, damage(publish(name)[handler.path.split("/")[-1]]))
    with pytest.raises(DataError, match=words):
        load_dataset(name)


@pytest.mark.parametrize("name", ["emnist-letters", "usps"])
def test_it_is_shown_with_its_licence_and_converted(
    name: str, mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "fetch", name]) == 0
    assert main(["data", "show", name]) == 0
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert f"described at {DATASETS[name].page}; licence: {DATASETS[name].licence}" in text
    copy = convert(name, tmp_path / "copy")
    assert load_dataset(copy).fingerprint == load_dataset(name).fingerprint
    assert load_dataset(copy).label_names == load_dataset(name).label_names


def test_an_archive_that_lacks_a_data_set_is_a_sentence(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_archive(mirror, archive(emnist_files("emnist-digits")), monkeypatch)
    with pytest.raises(DataError, match=r"gzip.zip: expected files emnist-letters-\*, found none"):
        load_dataset("emnist-letters")


def test_an_archive_that_lacks_a_file_is_a_sentence(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    files = emnist_files("emnist-letters")
    del files["emnist-letters-test-labels-idx1-ubyte.gz"]
    replace_archive(mirror, archive(files), monkeypatch)
    with pytest.raises(DataError, match=r"expected a file test-labels-idx1-ubyte, found only emnist-letters-"):
        load_dataset("emnist-letters")


@pytest.mark.parametrize("content", [b"", b"PK\3\4" + bytes(99), b"<html>"])
def test_what_is_no_archive_is_a_sentence(content: bytes, mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    replace_archive(mirror, content, monkeypatch)
    with pytest.raises(DataError, match=r"gzip.zip"):
        load_dataset("emnist-letters")


def test_a_member_that_expands_without_end_is_read_up_to_what_its_header_says(
    mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = emnist_files("emnist-letters")
    images = "emnist-letters-train-images-idx3-ubyte.gz"
    files[images] = gzip.compress(gzip.decompress(files[images]) + bytes(200_000_000))
    replace_archive(mirror, archive(files), monkeypatch)
    with pytest.raises(DataError, match=r"found 47,057 \(the file continues after its last value\)"):
        load_dataset("emnist-letters")


def test_a_mapping_that_expands_without_end_is_refused(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    files = emnist_files("emnist-letters") | {"emnist-letters-mapping.txt": b"1" * 200_000_000}
    replace_archive(mirror, archive(files), monkeypatch)
    with pytest.raises(DataError, match=r"emnist-letters-mapping.txt: can't be read"):
        load_dataset("emnist-letters")


def replace_archive(mirror: Mirror, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish another archive, with a hash that fits."""
    mirror.answers[""] = lambda handler, _: send(handler, content)
    files = (RawFile("gzip.zip", len(content), sha256(content)),)
    monkeypatch.setitem(DATASETS, "emnist-letters", replace(DATASETS["emnist-letters"], files=files))


@pytest.mark.parametrize("packed", [True, False])
def test_the_writers_of_qmnist_are_in_the_order_of_its_images(
    packed: bool, mirror: Mirror, tmp_path: Path
) -> None:
    for file, content in publish("qmnist").items():
        (tmp_path / file.removesuffix("" if packed else ".gz")).write_bytes(
            content if packed else gzip.decompress(content)
        )
    for writers in (load_writers(), load_writers(tmp_path)):
        np.testing.assert_array_equal(writers.train, WRITERS["train"])
        np.testing.assert_array_equal(writers.test, WRITERS["test"])


def test_a_folder_without_qmnists_labels_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"qmnist-train-labels-idx2-int.gz: can't be read"):
        load_writers(tmp_path)


@pytest.mark.parametrize("name", NEW)
def test_the_help_names_it(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "fetch", "--help"])
    assert name in capsys.readouterr().out
