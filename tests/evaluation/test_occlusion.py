"""Occlusion is what the network says about images from which one square was taken away, and nothing else."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import scipy.special
import torch
from torch import Tensor, nn

from conftest import BLOG
from digitnet.evaluation.occlusion import largest_side, occlude, smallest_change, squares_with_ink, usual_side
from digitnet.networks.models import build_network
from digitnet.progress import Progress

UInt8 = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


class Weigh(nn.Module):
    """Adds up the pixels, 0 to 1, with a weight for each class ``(K, rows, columns)``."""

    def __init__(self, weights: Floats) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.from_numpy(weights).float())

    def forward(self, images: Tensor) -> Tensor:
        return torch.einsum("nrc,krc->nk", images[:, 0] / 255, self.weights)


def ones(rows: int = 9, columns: int = 9) -> UInt8:
    return np.full((rows, columns), 255, np.uint8)


def blank(shape: tuple[int, ...], classes: int = 2) -> Floats:
    return np.zeros((classes, *shape))


def by_hand(network: nn.Module, image: UInt8, side: int, classes: int) -> tuple[Floats, Floats]:
    """Probabilities without each square with ink, and the mean fall of each pixel, one square at a time."""

    def ask(pixels: UInt8) -> Floats:
        with torch.no_grad():
            logits = network.eval()(torch.from_numpy(pixels)[None, None])[0, :classes]
        return np.asarray(scipy.special.softmax(logits.double().numpy()))

    before, rows, columns = ask(image), *image.shape
    found = []
    falls: list[list[list[float]]] = [[[] for _ in range(columns)] for _ in range(rows)]
    for top in range(rows - side + 1):
        for left in range(columns - side + 1):
            without = image.copy()
            without[top : top + side, left : left + side] = 0
            if (without == image).all():
                continue
            found.append(ask(without))
            fall = np.log(before[before.argmax()]) - np.log(found[-1][before.argmax()])
            for row in range(top, top + side):
                for column in range(left, left + side):
                    falls[row][column].append(fall)
    return np.array(found), np.array([[np.mean(cell) if cell else 0 for cell in row] for row in falls])


@pytest.mark.parametrize(
    "recipe", [{}, {"network": "fast"}, {"tta": 5, "preprocessing": "deskew"}, {"members": 2}, {"outliers": 0.1}]
)
def test_every_square_of_the_raw_image_is_taken_away_before_the_network(recipe: dict[str, object]) -> None:
    network = build_network(BLOG.replace(**recipe), (28, 28), classes=10)
    image = np.zeros((28, 28), np.uint8)
    image[8:20, 13:15], image[8:10, 9:15] = 255, 130
    probabilities, drop = by_hand(network, image, 5, classes=10)
    found = occlude(network, image, classes=10)
    assert found.side == 5
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-5)
    np.testing.assert_allclose(found.drop, drop, atol=1e-5)


def test_only_the_pixel_that_the_answer_rests_on_matters() -> None:
    weights = blank((9, 9))
    weights[0, 4, 4] = 3
    found = occlude(Weigh(weights), ones(), classes=2, side=1)
    expected = np.zeros((9, 9))
    expected[4, 4] = np.log(scipy.special.expit(3)) - np.log(0.5)
    np.testing.assert_allclose(found.drop, expected, atol=1e-6)


def test_ink_that_speaks_against_the_answer_has_a_negative_drop() -> None:
    weights = blank((9, 9))
    weights[0, 0, 0], weights[1, 8, 8] = 3, 1
    drop = occlude(Weigh(weights), ones(), classes=2, side=1).drop
    assert drop[0, 0] > 0 > drop[8, 8]


def test_where_there_is_no_ink_nothing_is_taken_away() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[3, 4] = 1
    assert {tuple(corner) for corner in squares_with_ink(image, 3)} == {
        (top, left) for top in (1, 2, 3) for left in (2, 3, 4)
    }
    found = occlude(Weigh(blank((28, 28))), np.zeros((28, 28), np.uint8), classes=2)
    assert len(found.probabilities) == 0
    assert not found.drop.any()
    assert found.changes() == {}


def test_changes_are_counted_by_the_class_that_is_answered_instead() -> None:
    weights = blank((9, 9), classes=3)
    weights[0, 2, 2], weights[0, 6, 6] = 3, 3
    weights[1, 0, 0], weights[2, 8, 8] = 4, 2
    found = occlude(Weigh(weights), ones(), classes=3, side=1)
    assert found.answer == 0
    assert found.changes() == {1: 2}
    assert np.argwhere(found.share(1)).tolist() == [[2, 2], [6, 6]]
    assert found.share(2).max() == 0


@pytest.mark.parametrize(("rows", "columns"), [(9, 9), (12, 17), (28, 28)])
def test_the_share_of_a_pixel_is_that_of_the_squares_over_it(rows: int, columns: int) -> None:
    weights = blank((rows, columns))
    weights[0, 4, 5], weights[1, 0, 0] = 3, 2
    found = occlude(Weigh(weights), ones(rows, columns), classes=2, side=2)
    assert found.changes() == {1: 4}
    share = found.share(1)
    assert share[4, 5] == 1
    assert share[3, 4] == share[5, 6] == 0.25
    assert share[4, 4] == share[5, 5] == 0.5


def test_the_smallest_square_is_found_and_the_surest_of_its_size() -> None:
    weights = blank((28, 28), classes=3)
    weights[0, 10:13, 10:13] = 1  # five of these nine must go: no 2 x 2 is enough, and one 3 x 3 takes all
    weights[1, 20, 20] = 4.5
    weights[2, 27, 27] = 1
    change = smallest_change(Weigh(weights), ones(28, 28), classes=3)
    assert change is not None
    assert (change.top, change.left, change.side, change.answer) == (10, 10, 3, 1)
    np.testing.assert_allclose(change.probabilities, scipy.special.softmax([0, 4.5, 1]), atol=1e-6)


class Counted(Progress):
    """Keeps what it is told."""

    def begin(self, total: int, done: int = 0, *, unit: str, pause: float = math.inf) -> None:
        self.total, self.seen = total, [done]

    def advance(self, done: int, status: str = "") -> None:
        self.seen.append(done)


def test_no_square_is_an_answer_too_and_every_square_is_counted() -> None:
    weights = blank((28, 28))
    weights[0] = 1
    progress = Counted()
    assert smallest_change(Weigh(weights), ones(28, 28), 2, progress) is None
    assert progress.total == progress.seen[-1] == sum((29 - side) ** 2 for side in range(1, 12))
    assert len(progress.seen) == 12
    assert smallest_change(Weigh(weights), np.zeros((28, 28), np.uint8), classes=2) is None


def test_squares_keep_their_proportion_and_their_number_on_images_of_other_sizes() -> None:
    assert [usual_side(ones(side, side)) for side in (1, 8, 28, 56, 100)] == [1, 1, 5, 10, 18]
    assert largest_side(ones(28, 28)) == 11
    assert [len(squares_with_ink(ones(side, side), 1)) for side in (28, 56, 200)] == [784, 841, 900]
    whole = np.zeros((200, 200), bool)
    for top, left in squares_with_ink(ones(200, 200), 36):
        whole[top : top + 36, left : left + 36] = True
    assert whole.all()
