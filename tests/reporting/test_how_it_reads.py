"""The section "How this network reads a digit" holds what the network computes, within what a page may weigh."""

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import nn

from digitnet.config import TrainConfig
from digitnet.evaluation.layers import trace_layers
from digitnet.networks.models import build_network
from digitnet.presets import PRESETS, preset
from digitnet.reporting import how_it_reads
from digitnet.reporting.how_it_reads import Example, describe_reading, encode

NAMES = tuple("0123456789")
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 28, 28), dtype=np.uint8)


def describe(config: TrainConfig, count: int = 12) -> dict[str, Any]:
    network = build_network(config, (28, 28), classes=10)
    found = describe_reading(network, config, [Example(image, "x") for image in IMAGES[:count]], NAMES)
    assert found is not None
    return found


def decode(encoded: dict[str, Any], shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    """Decode as the page's script does: whole numbers of two bytes, times the scale."""
    units = np.frombuffer(base64.b64decode(encoded["data"]), "<i2")
    return units.reshape(shape) * encoded["scale"]


@given(arrays(np.float32, (2, 3, 4), elements=st.floats(-1e6, 1e6, width=32)))
def test_encoded_values_come_back_to_within_a_65000th_of_the_largest(values: npt.NDArray[np.float32]) -> None:
    assert decode(encode(values), values.shape) == pytest.approx(values, abs=float(np.abs(values).max()) / 60_000)


@pytest.mark.parametrize("name", PRESETS)
def test_every_layer_is_there_with_its_values_and_words(name: str) -> None:
    config = preset(name)
    found = describe(config)
    traced = trace_layers(build_network(config, (28, 28), classes=10), IMAGES)
    shown = found["layers"][-len(traced) :]
    assert found["layers"][0]["kind"] == "image"
    for plain, layer in zip(shown, traced, strict=True):
        values = decode(plain["sums"], (len(found["examples"]), *layer.sums.shape[1:]))
        assert values == pytest.approx(layer.sums[: len(values)], abs=float(np.abs(layer.sums).max()) / 60_000)
        assert plain["text"]
    assert len(found["labels"]) == found["layers"][-1]["shape"][0]


@pytest.mark.parametrize("name", PRESETS)
def test_the_section_of_any_preset_leaves_room_in_a_page_of_three_megabytes(name: str) -> None:
    assert len(json.dumps(describe(preset(name)))) < 2_300_000


def test_the_last_examples_are_left_out_where_the_page_would_become_too_large(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(how_it_reads, "MOST_BYTES", 100_000)
    assert 0 < len(describe(preset("blog"))["examples"]) < 12


def test_the_filters_of_a_frozen_layer_are_said_to_be_so() -> None:
    frozen, free = (describe(preset("fast").replace(freeze_after=fraction), 1) for fraction in (0.2, 1.0))
    told = [any("frozen after 20%" in layer["text"] for layer in found["layers"]) for found in (frozen, free)]
    assert told == [True, False]


def test_batchnorm_changes_the_maps_of_a_convolution_and_the_outputs_of_a_dense_layer() -> None:
    texts = {layer["kind"]: layer["text"] for layer in describe(preset("fast"), 1)["layers"][:-1]}
    assert "BatchNorm then multiplies each map" in texts["pool"]
    assert "BatchNorm then multiplies each output" in texts["dense"]


def test_what_changes_the_answer_besides_the_layers_is_noted() -> None:
    assert describe(preset("blog"), 1)["note"] == ""
    assert "shifted by a pixel" in describe(preset("fast"), 1)["note"]
    assert "first of 2 networks" in describe(preset("blog").replace(members=2), 1)["note"]


def test_a_network_that_is_no_sequence_of_layers_has_no_section() -> None:
    assert describe_reading(nn.Linear(784, 10), TrainConfig(), [Example(IMAGES[0], "x")], NAMES) is None
