"""Numbers as people write them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import BLOG
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import PRESETS, preset
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

    for part in (
        "99.07%",
        "98.86% to 99.24%",
        "93 wrong",
        "5 min 12 s",
        "1,280,000 images",
        "23.3 epochs of 55,000 training images",
    ):
        assert part in sentence


def test_the_images_of_all_members_are_counted() -> None:
    config = BLOG.replace(members=5)
    sentence = words.describe_result(evaluation(9_907), config, {"steps": 1_000, "seconds": 312.0}, 64_000)

    assert "640,000 images (10.0 epochs of 64,000 training images)" in sentence


def test_the_dots_of_the_graph_are_what_was_measured() -> None:
    many = words.describe_dots(BLOG.replace(log_every=10, batch_size=64, members=2), window=3)

    assert "the mean of 10 steps, each on a batch of 128 images" in many and "smooths" in many
    assert "one step" in words.describe_dots(BLOG.replace(log_every=1), window=1)


def test_changed_settings_carry_the_presets_value() -> None:
    rows = {name: (value, default) for name, value, default in words.setting_rows(BLOG.replace(filters=(4, 8)))}

    assert rows["filters"] == ("4, 8", "16, 32")
    assert rows["steps"] == ("10,000", None)


def test_settings_of_another_network_are_left_out() -> None:
    assert "filters" not in {name for name, _, _ in words.setting_rows(preset("fast"))}


def test_a_setting_that_is_off_is_shown_only_where_the_preset_has_it_on() -> None:
    names = {name for name, _, _ in words.setting_rows(BLOG)}
    assert {"steps", "learning rate", "schedule", "data", "seed"} <= names
    assert not {"augment", "outliers", "members", "tta", "label smoothing", "freeze after", "device"} & names

    without = preset("fast").replace(tta=1, label_smoothing=0.0)
    assert {("tta", "1", "5"), ("label smoothing", "0", "0.1")} <= set(words.setting_rows(without))


def test_how_a_run_is_recorded_is_shown_where_it_differs() -> None:
    assert ("threads", "1", "0") in words.setting_rows(preset("fast").replace(threads=1))


@given(network=st.sampled_from([*PRESETS]), others=st.sampled_from([*PRESETS]), steps=st.integers(1, 20_000))
def test_a_run_is_never_compared_with_the_preset_of_another_network(network: str, others: str, steps: int) -> None:
    rows = words.setting_rows(PRESETS[others].replace(network=network, steps=steps))

    assert ("network", network, None) in rows
