"""IDX: any bytes become an array or a sentence, and what was written is read back."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from digitnet.data import idx
from digitnet.data.dataset import UInt8
from digitnet.errors import DataError

IMAGES = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=3, max_dims=3, max_side=5))
LABELS = arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=1, max_side=9))
WHERE = "train-images-idx3-ubyte in digits"


@given(IMAGES, LABELS)
def test_what_was_written_is_read_back(images: UInt8, labels: UInt8) -> None:
    np.testing.assert_array_equal(idx.parse(idx.to_bytes(images), idx.IMAGES, WHERE), images)
    np.testing.assert_array_equal(idx.parse(idx.to_bytes(labels), idx.LABELS, WHERE), labels)


def test_the_format_is_the_published_one() -> None:
    content = bytes.fromhex("00000803 00000001 00000002 00000003") + bytes(range(6))
    np.testing.assert_array_equal(idx.parse(content, idx.IMAGES, WHERE), [[[0, 1, 2], [3, 4, 5]]])
    np.testing.assert_array_equal(idx.parse(bytes.fromhex("00000801 00000002 0709"), idx.LABELS, WHERE), [7, 9])


def test_extended_labels_are_integers_of_four_bytes() -> None:
    content = bytes.fromhex("00000c02 00000002 00000003 00000007 00000001 00000826 00000000 ffffffff 00000001")
    parsed = idx.parse(content, idx.EXTENDED_LABELS, WHERE)
    np.testing.assert_array_equal(parsed, [[7, 1, 2086], [0, -1, 1]])
    with pytest.raises(DataError, match=r"expected 36 bytes for 2 labels of 3, found 35 \(the file ends early\)"):
        idx.parse(content[:-1], idx.EXTENDED_LABELS, WHERE)
    with pytest.raises(DataError, match=r"IDX labels \(magic number 2049\), found IDX extended labels \(magic"):
        idx.parse(content, idx.LABELS, WHERE)


@given(st.binary(max_size=64))
def test_any_bytes_are_an_array_or_a_sentence(content: bytes) -> None:
    for kind in (idx.IMAGES, idx.LABELS):
        try:
            parsed = idx.parse(content, kind, WHERE)
        except DataError as error:
            assert str(error).startswith(WHERE)
        else:
            assert idx.to_bytes(parsed) == content


@given(st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=3), st.binary(max_size=32))
def test_any_dimensions_are_an_array_or_a_sentence(shape: list[int], values: bytes) -> None:
    content = struct.pack(">4I", 2051, *shape) + values
    try:
        assert idx.to_bytes(idx.parse(content, idx.IMAGES, WHERE)) == content
    except DataError as error:
        assert "expected" in str(error)


@given(IMAGES)
def test_every_truncation_and_every_longer_file_is_refused(images: UInt8) -> None:
    content = idx.to_bytes(images)
    for wrong in (*(content[:length] for length in range(len(content))), content + b"\0"):
        with pytest.raises(DataError):
            idx.parse(wrong, idx.IMAGES, WHERE)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "expected a header of 16 bytes, found a file of 0"),
        (
            struct.pack(">4I", 2049, 1, 1, 1),
            "IDX images (magic number 2051), found IDX labels (magic number 2049)",
        ),
        (struct.pack(">4I", 0x0D03, 1, 1, 1), "found IDX of another type or shape (magic number 3331)"),
        (b"\x1f\x8b" + bytes(20), "found gzip (the name of such a file must end in .gz)"),
        (b"<!DOCTYPE html>" + bytes(9), "found something else"),
        (struct.pack(">4I", 2051, 0, 28, 28), "expected one or more images, found none"),
        (struct.pack(">4I", 2051, 1, 28, 0), "expected one or more columns, found none"),
        (struct.pack(">4I", 2051, *[2**32 - 1] * 3), "expected at most 2,147,483,648 bytes, found a header for"),
        (
            idx.to_bytes(np.ones((2, 2, 3), np.uint8))[:-1],
            "28 bytes for 2 images of 2x3, found 27 (the file ends early)",
        ),
        (idx.to_bytes(np.ones((2, 2, 3), np.uint8)) + b"x", "found 29 (the file continues after its last value)"),
    ],
)
def test_each_error_has_its_sentence(content: bytes, words: str) -> None:
    with pytest.raises(DataError) as caught:
        idx.parse(content, idx.IMAGES, WHERE)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{WHERE}: expected ")
    assert str(caught.value).endswith("Replace the file with an undamaged copy.")


def test_parsing_copies_nothing() -> None:
    content = bytearray(idx.to_bytes(np.zeros((2, 2, 2), np.uint8)))
    images = idx.parse(content, idx.IMAGES, WHERE)
    content[16] = 7
    assert images[0, 0, 0] == 7
