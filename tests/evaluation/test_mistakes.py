"""The mistakes are exactly the wrong predictions, with their nearest training images and disputed labels."""

import re

import numpy as np
import numpy.typing as npt
import pytest
import scipy.special

from digitnet.data import disputed
from digitnet.data.dataset import Dataset, Split
from digitnet.data.disputed import disputed_labels
from digitnet.data.nearest import nearest_images
from digitnet.errors import DataError, StorageError
from digitnet.evaluation.mistakes import find_mistakes

Images = npt.NDArray[np.uint8]


def random_logits(dataset: Dataset, seed: int = 0) -> npt.NDArray[np.float32]:
    """Draw logits for the test images, about half of them correct."""
    source = np.random.default_rng(seed)
    labels = dataset.test.labels
    logits = source.normal(size=(len(labels), dataset.classes))
    logits[np.arange(len(labels)), labels] += 2 * source.random(len(labels))
    return logits.astype(np.float32)


def test_the_mistakes_are_exactly_the_wrong_predictions(drawn: Dataset) -> None:
    logits = random_logits(drawn)
    wrong = [k for k, label in enumerate(drawn.test.labels) if max(range(10), key=lambda c: logits[k, c]) != label]
    assert 10 < len(wrong) < 90
    mistakes = find_mistakes(logits, drawn)
    assert sorted(mistake.index for mistake in mistakes) == wrong
    for mistake in mistakes:
        assert mistake.true == drawn.test.labels[mistake.index]
        assert mistake.predicted == logits[mistake.index].argmax()
        assert np.array_equal(mistake.image, drawn.test.images[mistake.index])
        np.testing.assert_allclose(mistake.probabilities, scipy.special.softmax(logits[mistake.index]), rtol=1e-5)
        assert mistake.confidence == max(mistake.probabilities)
        assert mistake.disputed is None


def test_the_most_confident_mistake_comes_first_and_ties_keep_the_files_order(drawn: Dataset) -> None:
    logits = random_logits(drawn)
    logits[40:60] = np.roll(
        10 * np.eye(10, dtype=np.float32)[drawn.test.labels[40:60]], 1, axis=1
    )  # equally wrong
    mistakes = find_mistakes(logits, drawn)
    assert [mistake.index for mistake in mistakes[:20]] == list(range(40, 60))
    confidences = [mistake.confidence for mistake in mistakes]
    assert confidences == sorted(confidences, reverse=True)


@pytest.mark.parametrize("count", [1, 5])
def test_a_mistake_comes_with_its_nearest_training_images(count: int, drawn: Dataset) -> None:
    mistakes = find_mistakes(random_logits(drawn), drawn, neighbours=count)
    images = np.stack([mistake.image for mistake in mistakes])
    near = [list(mistake.neighbours) for mistake in mistakes]
    assert near == [row.tolist() for row in nearest_images(images, drawn.train, count)]


def test_a_perfect_network_makes_no_mistakes(drawn: Dataset) -> None:
    assert find_mistakes(np.eye(10, dtype=np.float32)[drawn.test.labels], drawn) == []


def test_a_network_that_is_always_wrong_misreads_every_image(drawn: Dataset) -> None:
    wrong = np.eye(10, dtype=np.float32)[(drawn.test.labels + 1) % 10]
    assert len(find_mistakes(wrong, drawn)) == len(drawn.test)


# --- disputed labels -------------------------------------------------------------------------------------------

# position in MNIST's test file: its label there
LABELS = {
    947: 8,
    1621: 0,
    1901: 9,
    2130: 4,
    2462: 2,
    2597: 5,
    2654: 6,
    3520: 6,
    3558: 5,
    5937: 5,
    6651: 0,
    6783: 1,
    8527: 4,
    9679: 6,
    9729: 5,
}


@pytest.fixture(scope="module")
def mnist() -> Dataset:
    """MNIST itself; its tests are skipped where it is neither cached nor can be downloaded."""
    from digitnet.data.load import load_dataset

    try:
        return load_dataset("mnist", validation_images=5_000)
    except (DataError, StorageError) as error:
        pytest.skip(str(error))


def test_the_disputed_labels_are_the_fifteen_of_the_study() -> None:
    assert disputed._VERDICTS.keys() == LABELS.keys()
    assert len(LABELS) == 15


@pytest.mark.parametrize("position", LABELS)
def test_a_verdict_names_the_label_and_another_digit(position: int) -> None:
    verdict = disputed._VERDICTS[position]
    label = re.search(r"the label's (\d)", verdict)
    assert label is None or int(label[1]) == LABELS[position]
    others = re.findall(r"\ba (\d)", verdict)
    assert str(LABELS[position]) not in others
    assert len(others) == 1 or "neither the label's" in verdict


@pytest.mark.parametrize("position", LABELS)
def test_a_verdict_counts_five_people_and_fewer_than_three_for_the_label(position: int) -> None:
    counts = {"nobody": 0, "one": 1, "two": 2, "three": 3, "four": 4, "all": 5}
    counted = [counts[word] for word in re.findall(r"\w+", disputed._VERDICTS[position]) if word in counts]
    if counted:  # the others say that no label was agreed on
        assert sum(counted) == 5
        assert counted[0] < 3
    else:
        assert "could not settle" in disputed._VERDICTS[position] or "neither" in disputed._VERDICTS[position]


def test_other_data_has_no_disputed_labels(drawn: Dataset) -> None:
    assert disputed_labels(drawn) == {}


def test_only_mnists_own_test_images_have_disputed_labels(mnist: Dataset) -> None:
    assert disputed_labels(mnist).keys() == LABELS.keys()
    assert {position: int(mnist.test.labels[position]) for position in LABELS} == LABELS

    images = mnist.test.images.copy()
    images[0, 0, 0] += 1
    assert disputed_labels(Dataset(**{**vars(mnist), "test": Split(images, mnist.test.labels)})) == {}
    assert disputed_labels(Dataset(**{**vars(mnist), "test": mnist.train})) == {}


def test_a_mistake_with_a_disputed_label_says_so(mnist: Dataset) -> None:
    labels = mnist.test.labels.copy()
    labels[[0, 947]] = (labels[[0, 947]] + 1) % 10  # the network is wrong here, and correct elsewhere
    sure, unsure = find_mistakes(10 * np.eye(10, dtype=np.float32)[labels], mnist, neighbours=1)
    assert (sure.index, sure.disputed) == (0, None)
    assert unsure.index == 947
    assert unsure.disputed
    assert str(mnist.test.labels[947]) in unsure.disputed
