"""Made photographs: the same seed makes the same one, and it says truly what is written where."""

import cv2
import numpy as np
import pytest

from digitnet.data.dataset import Dataset
from digitnet.photographs.kinds import KINDS
from digitnet.photographs.paper import OTHER
from digitnet.photographs.photograph import make_photograph
from digitnet.photographs.scribe import Scribe
from digitnet.photographs.strokes import bend, draw, trace


@pytest.fixture(scope="module")
def scribe(drawn: Dataset) -> Scribe:
    """Writes with drawn digits."""
    return Scribe(drawn.train.images, drawn.train.labels)


@pytest.mark.parametrize("kind", KINDS)
def test_a_photograph_says_what_is_written_on_it_and_where(kind: str, scribe: Scribe) -> None:
    for number in range(4):
        made = make_photograph(kind, scribe, (0, number))
        assert made.picture.dtype == np.uint8 and made.picture.shape == (*made.owners.shape, 3)
        least, most = KINDS[kind].digits
        written = int(np.bitwise_or.reduce(made.owners, axis=None)) & ~OTHER
        if KINDS[kind].is_written:
            assert least <= len(made.answer) <= most and made.answer.isdigit()
            assert written == 2 ** len(made.answer) - 1
        else:
            assert made.answer == "" and not written


def test_ink_differs_from_the_paper_around_it(scribe: Scribe) -> None:
    for number in range(6):
        made = make_photograph("careful", scribe, (1, number))
        grey = made.picture.mean(axis=2)
        assert grey[made.owners == 1].mean() < grey[made.owners == 0].mean() - 20


def test_the_same_seed_makes_the_same_photograph_and_another_another(drawn: Dataset) -> None:
    fresh, used = (Scribe(drawn.train.images, drawn.train.labels) for _ in range(2))
    make_photograph("several", used, (9, 9))
    first, same, other = (
        make_photograph("desk", who, (3, number)).picture for who, number in ((fresh, 0), (used, 0), (fresh, 1))
    )
    assert np.array_equal(first, same)
    assert first.shape != other.shape or not np.array_equal(first, other)


def test_a_close_crop_ends_at_its_margin(scribe: Scribe) -> None:
    least, most = KINDS["close crop"].margin or (0, 0)
    for number in range(8):
        owner = make_photograph("close crop", scribe, (2, number)).owners
        rows = np.flatnonzero((owner == 1).any(axis=1))
        assert rows[0] <= most + 1 and len(owner) - 1 - rows[-1] <= most + 1
        assert min(rows[0], len(owner) - 1 - rows[-1]) >= min(least, 0)


def test_a_traced_ring_drawn_again_is_the_ring() -> None:
    image = np.zeros((28, 28), np.uint8)
    cv2.circle(image, (14, 14), 9, 255, 3, cv2.LINE_AA)
    strokes = trace(image)
    assert strokes.size == (pytest.approx(1, abs=0.05), pytest.approx(1, abs=0.05))
    wide = image.sum() / 255 / (np.pi * 18)  # pixels
    assert strokes.width == pytest.approx(wide / 18, rel=0.25)
    ink = draw(strokes, 180.0, 30.0, np.random.default_rng(0), uneven=0)
    assert ink.sum() == pytest.approx(np.pi * 180 * 30, rel=0.1)


def test_bent_strokes_keep_their_points_and_lines_in_the_unit_box(drawn: Dataset) -> None:
    strokes = trace(drawn.train.images[0])
    bent = bend(strokes, np.random.default_rng(1))
    assert (bent.lines == strokes.lines).all()
    assert bent.points.min() == 0 and bent.points.max() == pytest.approx(1)


def test_an_image_without_ink_can_not_be_traced() -> None:
    with pytest.raises(ValueError, match="no ink"):
        trace(np.zeros((28, 28), np.uint8))
