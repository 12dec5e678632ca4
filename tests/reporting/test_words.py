"""Numbers as people write them."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import BLOG
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import preset
from digitnet.reporting import words


def evaluation(correct: int, images: int = 10_000) -> Evaluation:
    """Answers of which `correct` are correct."""
    labels = np.zeros(images, np.uint8)
    logits = np.zeros((images, 2), np.float32)
    logits[:correct, 0], logits[correct:, 1] = 4, 1
    return Evaluation(logits, labels, ("a", "b"))


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.9907, "99.07%"),
        (1.0, "100.00%"),
        (0.999999, ">99.99%"),
        (0.0, "0.00%"),
        (1e-9, "<0.01%"),
        (math.nan, "none"),
    ],
)
def test_percent(fraction: float, text: str) -> None:
    assert words.percent(fraction) == text


@pytest.mark.parametrize(("seconds", "text"), [(3.21, "3.2 s"), (312, "5 min 12 s"), (7_500, "2 h 5 min")])
def test_duration(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(12, "12 bytes"), (530_000_000, "530 MB"), (1.25e9, "1.2 GB")])
def test_size(count: float, text: str) -> None:
    assert words.size(count) == text


def test_the_result_names_accuracy_interval_mistakes_time_and_images() -> None:
    sentence = words.describe_result(evaluation(9_907), BLOG, {"steps": 10_000, "seconds": 312.0}, 55_000)

    for part in ("99.07%", "98.86% to 99.24%", "93 wrong", "5 min 12 s", "1,280,000 images", "23.3 passes"):
        assert part in sentence


def test_the_images_of_all_members_are_counted() -> None:
    config = BLOG.replace(members=5)
    sentence = words.describe_result(evaluation(9_907), config, {"steps": 1_000, "seconds": 312.0}, 64_000)

    assert "640,000 images (10.0 passes over 64,000)" in sentence


def test_calibration_says_which_way_it_leans() -> None:
    sure = words.describe_calibration(evaluation(6_000))

    assert "overconfident" in sure
    assert "60.00%" in sure


def test_label_smoothing_names_the_loss_of_a_network_that_reaches_its_aim() -> None:
    sentence = words.describe_smoothing(BLOG.replace(label_smoothing=0.1), 10)
    wanted = torch.full((1, 10), 0.01).index_fill(1, torch.tensor([3]), 0.91)

    loss = F.cross_entropy(wanted.log(), torch.tensor([3]))
    assert "91.00%" in sentence and f"a loss of {loss:.3f}," in sentence
    assert words.describe_smoothing(BLOG, 10) == ""


def test_changed_fields_carry_their_default() -> None:
    rows = {name: (value, default) for name, value, default in words.field_rows(BLOG.replace(filters=(4, 8)))}

    assert rows["filters"] == ("4, 8", "16, 32")
    assert rows["steps"] == ("10,000", None)


def test_fields_of_another_network_are_left_out() -> None:
    assert "filters" not in {name for name, _, _ in words.field_rows(preset("fast"))}
