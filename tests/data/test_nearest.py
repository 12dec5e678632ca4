"""The nearest images are those of a search one by one, in integers."""

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from digitnet.data.dataset import Dataset, Split
from digitnet.data.nearest import nearest_images

Images = npt.NDArray[np.uint8]


def brute_force(queries: Images, images: Images, count: int) -> list[list[int]]:
    """Positions of the nearest images, in integers and one distance at a time; ties by position."""
    wide = images.astype(np.int64)
    found = []
    for query in queries.astype(np.int64):
        distances = [int(((image - query) ** 2).sum()) for image in wide]
        found.append(sorted(range(len(images)), key=lambda k: (distances[k], k))[:count])
    return found


def positions(found: list[npt.NDArray[np.int64]]) -> list[list[int]]:
    return [near.tolist() for near in found]


def split_of(images: Images) -> Split:
    return Split(images, np.zeros(len(images), np.uint8))


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    queries=st.integers(1, 4),
    images=st.integers(1, 40),
    count=st.integers(1, 45),
    block=st.integers(1, 50),
    greys=st.sampled_from([2, 3, 256]),  # few greys make many ties
    side=st.integers(1, 5),
)
def test_the_nearest_images_are_those_of_a_brute_force_search(
    seed: int, queries: int, images: int, count: int, block: int, greys: int, side: int
) -> None:
    source = np.random.default_rng(seed)
    pictures = source.integers(0, greys, (queries + images, side, side + 1)).astype(np.uint8)
    query, known = pictures[:queries], pictures[queries:]
    assert positions(nearest_images(query, split_of(known), count, block)) == brute_force(query, known, count)


def test_the_nearest_images_are_exact_for_bright_images() -> None:
    # squared norms near 784 x 255^2, where single precision can't tell neighbours apart
    images = np.random.default_rng(0).integers(245, 256, (400, 28, 28)).astype(np.uint8)
    assert positions(nearest_images(images[:20], split_of(images), 8)) == brute_force(images[:20], images, 8)


def test_an_image_is_nearest_to_itself(drawn: Dataset) -> None:
    chosen = [3, 77, 499]
    found = nearest_images(drawn.train.images[chosen], drawn.train, 1)
    assert positions(found) == [[k] for k in chosen]
