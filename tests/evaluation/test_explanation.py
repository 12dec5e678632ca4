"""An explanation holds the network's own answer, the rival's, and the training images near to both."""

import json

import numpy as np
import pytest
import scipy.special
import torch

from conftest import BLOG
from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import load_evaluation
from digitnet.evaluation.explanation import explain_image, preprocess, runner_up
from digitnet.networks.models import build_network
from digitnet.networks.preprocessing import deskew
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network


@pytest.mark.parametrize("index", [0, 57])
def test_the_answer_is_that_of_the_evaluation_and_the_rival_comes_second(
    index: int, finished: Run, drawn: Dataset
) -> None:
    logits = load_evaluation(finished, drawn).logits[index]
    image, label = drawn.test.images[index], int(drawn.test.labels[index])
    found = explain_image(load_network(finished), image, drawn, label)
    np.testing.assert_allclose(found.probabilities, scipy.special.softmax(logits), atol=1e-5)
    assert [found.answer, found.rival] == sorted(range(10), key=lambda k: -logits[k])[:2]
    assert found.occlusion.answer == found.answer
    assert found.outlier is None


def test_neighbours_are_the_nearest_of_all_and_of_answer_rival_and_label(finished: Run, drawn: Dataset) -> None:
    image = drawn.test.images[5]
    found = explain_image(load_network(finished), image, drawn, true=9)
    distances = [float(np.sqrt(((other - image.astype(float)) ** 2).sum())) for other in drawn.train.images]

    def nearest(label: int | None) -> list[int]:
        known = [k for k in range(len(drawn.train)) if label is None or drawn.train.labels[k] == label]
        return sorted(known, key=lambda k: (distances[k], k))[:8]

    assert [near.index for near in found.neighbours] == nearest(None)
    assert set(found.of_class) == {found.answer, found.rival, 9}
    for label, neighbours in found.of_class.items():
        assert [near.index for near in neighbours] == nearest(label)
        assert {near.label for near in neighbours} == {label}
        assert [near.distance for near in neighbours] == pytest.approx([distances[k] for k in nearest(label)])


def test_a_network_that_may_refuse_says_how_probable_that_is(drawn: Dataset) -> None:
    network = build_network(BLOG.replace(outliers=0.1), (28, 28), classes=10).eval()
    image = drawn.test.images[0]
    with torch.no_grad():
        logits = network(torch.from_numpy(image)[None, None])[0].numpy()
    found = explain_image(network, image, drawn)
    assert found.outlier == pytest.approx(scipy.special.softmax(logits)[10], rel=1e-4)
    np.testing.assert_allclose(found.probabilities, scipy.special.softmax(logits[:10]), rtol=1e-4)


@pytest.mark.parametrize("members", [1, 2])
def test_the_preprocessed_image_is_what_the_first_convolution_sees(members: int, drawn: Dataset) -> None:
    image = drawn.test.images[2]
    plain, skewed = (
        build_network(BLOG.replace(preprocessing=name, members=members), (28, 28), classes=10)
        for name in ("scale", "deskew")
    )
    np.testing.assert_array_equal(preprocess(plain, image), image)
    expected = deskew(torch.from_numpy(image).float()[None, None])[0, 0].round().numpy()
    np.testing.assert_allclose(preprocess(skewed, image), expected, atol=1)
    assert skewed.training


def test_a_single_class_has_no_rival() -> None:
    assert runner_up((1.0,)) is None
    assert runner_up((0.2, 0.5, 0.3)) == 2


def test_programs_get_plain_values(finished: Run, drawn: Dataset) -> None:
    found = explain_image(load_network(finished), drawn.test.images[0], drawn, true=0)
    values = json.loads(json.dumps(found.to_json()))
    assert values["answer"] == str(found.answer)
    assert sum(values["probabilities"].values()) == pytest.approx(1)
    assert list(values["nearest_of_class"]) == [str(k) for k in found.of_class]
