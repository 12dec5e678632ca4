"""The corruptions: each changes the images, in their range, the same way each time, and every one is counted."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks import corruptions


@pytest.fixture
def digits() -> np.ndarray:
    """Six different strokes: ``(6, 28, 28)``, 0 to 1."""
    images = np.zeros((6, 28, 28))
    for index, image in enumerate(images):
        image[5:23, 10 + index : 13 + index] = 1
        image[5:8, 6:20] = 0.9
    return images


def test_there_are_the_papers_fifteen() -> None:
    assert len({corrupt.__name__ for corrupt in corruptions.CORRUPTIONS}) == 15


def test_each_corruption_changes_every_image_and_is_repeatable(digits: np.ndarray) -> None:
    for corrupt in corruptions.CORRUPTIONS:
        first, same = (corrupt(digits.copy(), np.random.default_rng(3)) for _ in range(2))
        assert first.shape == digits.shape, corrupt.__name__
        assert np.array_equal(first, same), corrupt.__name__
        changes = np.abs(first.clip(0, 1) - digits).mean(axis=(1, 2))
        assert (changes > 0.005).all(), corrupt.__name__


@pytest.mark.parametrize(
    ("name", "measure", "expected"),
    [
        ("brightness", lambda clean, bad: (bad - clean).mean(), 0.5),
        ("scale", lambda clean, bad: bad.sum() / clean.sum(), 0.49),
        ("translate", lambda clean, bad: np.abs(centre(bad) - centre(clean)).mean(), 3),
        ("rotate", lambda clean, bad: bad.sum() / clean.sum(), 1),
        ("impulse_noise", lambda clean, bad: (bad[clean == 0] == 1).mean(), 0.085),
        ("shot_noise", lambda clean, bad: bad.sum() / clean.sum(), 1),
        ("stripe", lambda clean, bad: (bad + clean)[:, :, :7].mean(), 1),
        ("stripe", lambda clean, bad: np.abs(bad - clean)[:, :, 7:21].max(), 0),
    ],
)
def test_a_corruption_is_as_strong_as_the_paper_has_it(
    digits: np.ndarray, name: str, measure: Callable[[np.ndarray, np.ndarray], float], expected: float
) -> None:
    found = measure(digits, getattr(corruptions, name)(digits.copy(), np.random.default_rng(4)))
    assert found == pytest.approx(expected, rel=0.1, abs=0.005)


def centre(images: np.ndarray) -> np.ndarray:
    """Centre of mass of each image, ``(N, 2)``."""
    places = np.arange(28)
    mass = images.sum(axis=(1, 2))
    return np.stack([(images.sum(axis=axis) * places).sum(axis=1) / mass for axis in (2, 1)], axis=1)


def test_every_corruption_is_measured_on_all_images_beside_the_clean_ones(digits: np.ndarray) -> None:
    images, labels = (255 * digits).astype(np.uint8), np.array([1, 1, 1, 1, 1, 2], dtype=np.uint8)
    seen = []

    def says_one(shown: np.ndarray) -> np.ndarray:
        seen.append(shown.copy())
        return np.ones(len(shown), dtype=np.int64)

    errors = corruptions.measure(says_one, images, labels)
    assert list(errors) == ["none", *(corrupt.__name__ for corrupt in corruptions.CORRUPTIONS)]
    assert all(error == pytest.approx(1 / 6) for error in errors.values())
    assert np.array_equal(seen[0], images)
    assert all(shown.dtype == np.uint8 and shown.shape == images.shape for shown in seen)
