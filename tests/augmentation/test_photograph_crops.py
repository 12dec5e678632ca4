"""What is cut out of photographs is labelled by whose ink it is."""

import numpy as np
import pytest

from digitnet.augmentation.photograph_crops import NONE, cut_out
from digitnet.data.dataset import Dataset
from digitnet.photographs.paper import OTHER
from digitnet.photographs.photograph import Photograph, make_photograph
from digitnet.photographs.scribe import Scribe
from reading.paper import lay, write


def photograph(text: str, *, apart: float = 1.0, owned: bool = True) -> Photograph:
    """Take a photograph of a line of digits; unless it is `owned`, its ink is none of the answer's."""
    cover, _ = write([text], high=60, pen=6, apart=apart)
    owners = np.zeros(cover.shape, np.uint16)
    for column in range(len(text)):
        alone, _ = write([" " * column + text[column]], high=60, pen=6, apart=apart)
        owners[:, : alone.shape[1]][alone > 0.4] |= np.uint16(1 << column)
    if not owned:
        owners[owners > 0] = OTHER
    kind = "several" if len(text) > 1 else "careful"
    return Photograph(lay(cover), text if owned else "", kind if owned else "letters", owners)


def labels(made: Photograph, seed: int = 0) -> list[int]:
    """Return the labels of what is cut out of a photograph."""
    return [label for _, label, _ in cut_out(made, np.random.default_rng(seed))]


@pytest.mark.parametrize(("text", "apart"), [("3072", 1.0), ("500", 0.75), ("88", 0.7)])
def test_every_digit_of_a_line_is_cut_out_once_touching_or_not(text: str, apart: float) -> None:
    found = [label for label in labels(photograph(text, apart=apart)) if label != NONE]
    assert sorted(found) == sorted(map(int, text))


def test_pieces_of_two_digits_and_two_digits_together_are_none() -> None:
    found = labels(photograph("500", apart=0.75))
    assert 1 <= found.count(NONE) <= 3


def test_a_line_of_other_writing_is_no_digit() -> None:
    found = labels(photograph("2718", owned=False))
    assert set(found) == {NONE}


def test_the_same_numbers_choose_the_same_crops(drawn: Dataset) -> None:
    made = make_photograph("touching", Scribe(drawn.train.images, drawn.train.labels), (1, 2))
    first, again = (list(cut_out(made, np.random.default_rng(5))) for _ in range(2))
    assert [label for _, label, _ in first] == [label for _, label, _ in again]
    assert all((one[0] == other[0]).all() for one, other in zip(first, again, strict=True))
