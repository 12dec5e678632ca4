"""A configuration survives every way of writing it down, and a bad one is refused with a sentence."""

import dataclasses
import functools
import math
import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitnet.cli import main as cli
from digitnet.config import PRESETS, TrainConfig, flag, preset
from digitnet.errors import UsageError

FIELDS = [field.name for field in dataclasses.fields(TrainConfig)]

count = st.integers(1, 2**31)
count_or_none = st.integers(0, 2**31)
name = st.text(max_size=20)

VALID: dict[str, st.SearchStrategy[Any]] = {
    "data": name,
    "validation_images": count,
    "network": name,
    "filters": st.lists(count, min_size=1, max_size=5).map(tuple),
    "kernel_size": st.integers(0, 50).map(lambda half: 2 * half + 1),
    "hidden": count_or_none,
    "prepare": name,
    "views": st.sampled_from([1, 5]),
    "members": count,
    "steps": count,
    "batch_size": count,
    "learning_rate": st.floats(0, 1e300, exclude_min=True) | count,
    "schedule": name,
    "warmup": st.floats(0, 1),
    "beta1": st.floats(0, 1, exclude_max=True),
    "beta2": st.floats(0, 1, exclude_max=True),
    "label_smoothing": st.floats(0, 1, exclude_max=True),
    "freeze_after": st.floats(0, 1),
    "augment": name,
    "not_digits": st.just(0.0) | st.floats(0.6, 1, exclude_max=True),  # an image even of a batch of one
    "seed": st.integers(0, 2**63 - 1),
    "log_every": count,
    "validate_every": count_or_none,
    "save_every": count,
    "device": st.sampled_from(["auto", "cpu", "cuda", "mps"]),
    "threads": count_or_none,
}
"""The values that each field may take."""

some_values = st.fixed_dictionaries({}, optional=VALID)  # any fields; the others keep their defaults


def refusal(values: Mapping[str, Any]) -> str:
    """Return the sentence with which `values` are refused."""
    with pytest.raises(UsageError) as caught:
        TrainConfig(**values)
    return str(caught.value)


def parse_command(command: str) -> TrainConfig:
    """Return the configuration that the command line makes of `command`."""
    asked: list[TrainConfig] = []

    @functools.wraps(cli.train)
    def train(config: TrainConfig, **others: object) -> None:
        asked.append(config)

    program, *arguments = shlex.split(command)
    assert program == "digitnet"
    with mock.patch.object(cli, "train", train):
        assert cli.main(arguments) == 0
    (config,) = asked
    return config


def test_these_tests_draw_every_field() -> None:
    assert list(VALID) == FIELDS


@settings(deadline=None)
@given(some_values)
def test_a_configuration_survives_toml(values: dict[str, Any]) -> None:
    config = TrainConfig(**values)
    assert TrainConfig.from_toml(config.to_toml()) == config


@settings(max_examples=60, deadline=None)
@given(some_values)
def test_a_configuration_survives_the_command_line(values: dict[str, Any]) -> None:
    config = TrainConfig(**values)
    assert parse_command(config.to_command()) == config


@pytest.mark.parametrize(
    "word", ["--seed", "-x", "-", "--", "-1", "a b", "it's", 'a"b', "", "$HOME", "~", "a\nb", "é"]
)
def test_a_path_of_odd_characters_survives_the_command_line(word: str) -> None:
    config = TrainConfig(data=word)
    assert parse_command(config.to_command()) == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_toml_and_its_command_is_its_name(name: str) -> None:
    config = preset(name)
    assert TrainConfig.from_toml(config.to_toml()) == config
    assert config.to_command() == f"digitnet train {name}"
    assert parse_command(config.to_command()) == config


def test_toml_names_every_field() -> None:
    assert list(tomllib.loads(TrainConfig().to_toml())) == FIELDS


@settings(deadline=None)
@given(some_values, some_values)
def test_differences_are_the_fields_whose_values_differ(left: dict[str, Any], right: dict[str, Any]) -> None:
    one, other = TrainConfig(**left), TrainConfig(**right)
    differing = one.differences(other)
    assert differing == other.differences(one)
    assert dataclasses.replace(one, **{name: getattr(other, name) for name in differing}) == other
    assert all(getattr(one, name) != getattr(other, name) for name in differing)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().steps = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("validation_images", 0, "a whole number of at least 1"),
        ("filters", (), "one or more whole numbers of at least 1"),
        ("filters", (16, 0), "one or more whole numbers of at least 1"),
        ("filters", (16, 2.0), "a list of whole numbers"),
        ("filters", (True,), "a list of whole numbers"),
        ("filters", [16, 32], "a list of whole numbers"),
        ("filters", 16, "a list of whole numbers"),
        ("kernel_size", 4, "an odd number"),
        ("kernel_size", 0, "a whole number of at least 1"),
        ("kernel_size", -3, "a whole number of at least 1"),
        ("hidden", -1, "a whole number of at least 0"),
        ("steps", 0, "a whole number of at least 1"),
        ("steps", -5, "a whole number of at least 1"),
        ("steps", True, "a whole number"),
        ("steps", 10.0, "a whole number"),
        ("steps", "many", "a whole number"),
        ("steps", None, "a whole number"),
        ("batch_size", 0, "a whole number of at least 1"),
        ("learning_rate", 0.0, "a positive number"),
        ("learning_rate", -0.1, "a positive number"),
        ("learning_rate", math.nan, "a positive number"),
        ("learning_rate", math.inf, "a positive number"),
        ("learning_rate", True, "a number"),
        ("learning_rate", "fast", "a number"),
        ("warmup", -0.1, "a share from 0 to 1"),
        ("warmup", 1.1, "a share from 0 to 1"),
        ("warmup", math.nan, "a share from 0 to 1"),
        ("freeze_after", -0.1, "a share from 0 to 1"),
        ("freeze_after", 1.1, "a share from 0 to 1"),
        ("label_smoothing", 1.0, "a number from 0 up to, not including, 1"),
        ("label_smoothing", 1, "a number from 0 up to, not including, 1"),
        ("label_smoothing", -0.5, "a number from 0 up to, not including, 1"),
        ("label_smoothing", math.nan, "a number from 0 up to, not including, 1"),
        ("not_digits", 1.0, "a number from 0 up to, not including, 1"),
        ("not_digits", -0.1, "a number from 0 up to, not including, 1"),
        ("not_digits", 0.003, "0, or a share that makes an image of 128"),
        ("seed", -1, "a whole number of at least 0"),
        ("seed", 2**63, "a whole number below 2 to the power of 63"),
        ("seed", 0.5, "a whole number"),
        ("log_every", 0, "a whole number of at least 1"),
        ("validate_every", -1, "a whole number of at least 0"),
        ("save_every", 0, "a whole number of at least 1"),
        ("threads", -1, "a whole number of at least 0"),
        ("device", "tpu", "one of auto, cpu, cuda, mps"),
        ("device", 0, "one of auto, cpu, cuda, mps"),
        ("data", 7, "text"),
        ("data", Path("mnist"), "text"),
        ("network", None, "text"),
    ],
)
def test_a_bad_value_is_refused_by_flag_range_and_value(field: str, value: object, expected: str) -> None:
    sentence = refusal({field: value})
    assert sentence.startswith(f"{flag(field)}: expected {expected}, found ")
    assert str(value) in sentence
    assert sentence.endswith(". See: digitnet train --help")


@pytest.mark.parametrize(
    "field", [name for name in FIELDS if isinstance(getattr(TrainConfig(), name), int | float)]
)
def test_true_is_no_number(field: str) -> None:
    assert "found True" in refusal({field: True})


@pytest.mark.parametrize(
    "text",
    [
        "steps = 0",
        "steps = 'many'",
        "steps = 1.5",
        "steps = true",
        "[steps]\nmany = 1",
        "filters = 16",
        "filters = [16, 'x']",
        "filters = [[16]]",
        "learning_rate = nan",
        "data = 2020-01-01",
        "device = 'tpu'",
        "device = ['cpu']",
        "step = 1",
        "steps =",
        "steps = 1\nsteps = 2",
        "steps = " + "9" * 5_000,
        "\x00",
        "{}",
    ],
)
def test_a_bad_file_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(UsageError, match=r"^runs/a/config\.toml: ") as caught:
        TrainConfig.from_toml(text, "runs/a/config.toml")
    assert len(str(caught.value)) < 1_000


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from([*FIELDS, "=", "[", "]", '"', "1", "\n", "{", "}", "."])).map("".join))
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    try:
        config = TrainConfig.from_toml(text)
    except UsageError as error:
        assert str(error).startswith("config.toml: ")
    else:
        assert isinstance(config, TrainConfig)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(st.sampled_from(FIELDS), json_like)
def test_any_value_is_kept_exactly_or_refused_by_its_flag(field: str, value: object) -> None:
    try:
        config = TrainConfig.from_mapping({field: value}, "plan.toml")
    except UsageError as error:
        assert flag(field) in str(error)
    else:
        assert getattr(config, field) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("step", "steps"), ("learning-rate", "learning_rate"), ("Filters", "filters"), ("kernel", "kernel_size")],
)
def test_an_unknown_field_names_the_nearest(mistyped: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"plan\.toml: .*'{mistyped}'.* Did you mean '{meant}'\?"):
        TrainConfig.from_mapping({mistyped: 1}, "plan.toml")


@pytest.mark.parametrize("mistyped", ["blogg", "Blog", "bolg"])
def test_an_unknown_preset_names_the_nearest(mistyped: str) -> None:
    with pytest.raises(UsageError, match=rf"'{mistyped}'.* Did you mean 'blog'\?"):
        preset(mistyped)


def test_a_preset_like_no_other_lists_them_all() -> None:
    with pytest.raises(UsageError) as caught:
        preset("qqqqqqqq")
    assert "Did you mean" not in str(caught.value)
    assert all(name in str(caught.value) for name in PRESETS)
