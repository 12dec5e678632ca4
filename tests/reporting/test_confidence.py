"""What the page says of confidence: which way it errs, by how much, and why."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import BLOG
from digitnet.config import TrainConfig
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import preset
from digitnet.reporting.confidence import describe_calibration, describe_coverage, describe_smoothing


def evaluation(correct: int, confidence: float, images: int = 10_000) -> Evaluation:
    """Answers among ten classes, all with the same confidence, of which `correct` are correct."""
    logits = np.zeros((images, 10), np.float32)
    answers = np.where(np.arange(images) < correct, 0, 1)
    logits[np.arange(images), answers] = np.log(9 * confidence / (1 - confidence))
    return Evaluation(logits, np.zeros(images, np.uint8), tuple("0123456789"))


def describe(correct: int, confidence: float, config: TrainConfig = BLOG, in_training: float = 0.99) -> str:
    return describe_calibration(evaluation(correct, confidence), config, in_training)


@pytest.mark.parametrize(
    ("correct", "leaning"),
    [(6_000, "overconfident"), (9_900, "underconfident"), (9_000, "agree, as far as")],
)
def test_calibration_says_which_way_it_leans_and_by_how_much(correct: int, leaning: str) -> None:
    sentence = describe(correct, 0.9)

    assert leaning in sentence
    assert "90.00%" in sentence and f"{correct / 100:.2f}%" in sentence
    assert f"{abs(9_000 - correct) / 100:.2f} percentage points" in sentence


def test_modesty_that_label_smoothing_causes_is_said_to_be_meant() -> None:
    sentence = describe(9_900, 0.89, preset("fast"))

    assert "meant to be so" in sentence
    assert "label smoothing of 0.1" in sentence and "91%" in sentence


def test_label_smoothing_explains_no_confidence_far_below_what_it_aims_at() -> None:
    sentence = describe(9_900, 0.85, preset("fast"))

    assert "A part of that is meant to be so" in sentence
    assert "6.0 percentage points" in sentence  # below 91%


def test_label_smoothing_alone_does_not_explain_a_confidence_below_a_low_accuracy() -> None:
    sentence = describe(8_000, 0.6, preset("fast"))

    assert "One cause is label smoothing" in sentence
    assert "meant" not in sentence


def test_overconfidence_is_explained_by_training_images_that_are_read_better() -> None:
    assert "read 100.00% of the training images" in describe(9_200, 0.97, in_training=1.0)
    assert "does not show why" in describe(9_200, 0.97, in_training=0.91)


def test_no_cause_is_invented() -> None:
    assert "does not show why" in describe(9_900, 0.8)
    assert "augmentation" in describe(9_900, 0.8, BLOG.replace(augment="affine"))
    assert "mean of several answers" in describe(9_900, 0.8, BLOG.replace(members=3))
    assert "cause" not in describe(9_000, 0.9, preset("fast"))


def test_coverage_is_in_sample_and_says_so() -> None:
    assert "in-sample" in describe_coverage(evaluation(9_900, 0.9))


def test_a_network_that_is_never_accurate_enough_answers_nothing() -> None:
    assert "at no confidence are 99.9%" in describe_coverage(evaluation(9_000, 0.9))
    assert "100.00% of the images, 99.9% of them correctly." in describe_coverage(evaluation(9_995, 0.9))


def test_label_smoothing_names_the_loss_of_a_network_that_reaches_its_aim() -> None:
    sentence = describe_smoothing(BLOG.replace(label_smoothing=0.1), 10)
    wanted = torch.full((1, 10), 0.01).index_fill(1, torch.tensor([3]), 0.91)

    loss = F.cross_entropy(wanted.log(), torch.tensor([3]))
    assert "91.00%" in sentence and f"a loss of {loss:.3f}," in sentence
    assert describe_smoothing(BLOG, 10) == ""
