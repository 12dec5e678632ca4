"""Strips of digits, cut off at their ink: no number is surely read shorter than it was written."""

import cv2
import numpy as np
import pytest

from digitnet import load_dataset
from digitnet.reading.reader import Reader
from reading.paper import UInt8

HIGH, APART, DIGITS, STRIPS = 80, 14, 5, 14


def write_strip(images: UInt8) -> UInt8:
    """Write digits ``(n, 28, 28)`` side by side, all as high as the strip: light ink on 0."""
    parts = []
    for image in images:
        large = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        rows, columns = np.nonzero(large > 60)
        ink = large[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        parts += [cv2.resize(ink, (max(6, ink.shape[1] * HIGH // ink.shape[0]), HIGH)), np.zeros((HIGH, APART))]
    return np.concatenate(parts[:-1], axis=1).astype(np.uint8)


def cut_off(strip: UInt8, margin: int) -> UInt8:
    """Cut the paper off `margin` pixels around the ink; a negative margin cuts into it."""
    rows, columns = (np.flatnonzero((strip > 60).any(axis=axis)) + 40 for axis in (1, 0))
    page = 255 - np.pad(strip, 40)
    return page[rows[0] - margin : rows[-1] + 1 + margin, columns[0] - margin : columns[-1] + 1 + margin]


@pytest.mark.parametrize("margin", [8, 2, 0, -2])
def test_no_strip_is_surely_read_shorter_than_it_was_written(margin: int) -> None:
    split = load_dataset("mnist").validation
    reader, right = Reader(), 0
    for ids in np.random.default_rng(1).choice(len(split), (STRIPS, DIGITS)):
        written = "".join(map(str, split.labels[ids]))
        text = reader.read(cut_off(write_strip(split.images[ids]), margin)).text
        assert "?" in text or len(text) >= DIGITS or not text, (written, text)
        right += text == written
    assert right >= 0.75 * STRIPS
