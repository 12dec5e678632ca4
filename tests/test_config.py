"""A configuration survives every way of writing it down, and a bad one is refused with a sentence."""

import dataclasses
import functools
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from digitnet.cli import main as cli
from digitnet.config import (
    FIELDS,
    AugmentationName,
    BlogLayers,
    InitialWeightsName,
    Model,
    NetworkName,
    Optimisation,
    PreprocessingName,
    ScheduleName,
    TrainConfig,
)
from digitnet.errors import UsageError
from digitnet.presets import PRESETS, nearest_preset, preset, read_config, to_command
from digitnet.wording import answering, flag

count = st.integers(1, 2**31)
count_or_none = st.integers(0, 2**31)
name = st.text(max_size=20)

VALID: dict[str, st.SearchStrategy[Any]] = {
    "seed": st.integers(0, 2**63 - 1),
    "network": st.sampled_from(get_args(NetworkName)),
    "filters": st.lists(count, min_size=1, max_size=5).map(tuple),
    "kernel_size": st.integers(0, 50).map(lambda half: 2 * half + 1),
    "hidden": count_or_none,
    "initial_weights": st.sampled_from(get_args(InitialWeightsName)),
    "preprocessing": st.sampled_from(get_args(PreprocessingName)),
    "tta": st.sampled_from([1, 5]),
    "members": count,
    "steps": count,
    "batch_size": count,
    "learning_rate": st.floats(0, 1e300, exclude_min=True) | count,
    "schedule": st.sampled_from(get_args(ScheduleName)),
    "warmup": st.floats(0, 1),
    "beta1": st.floats(0, 1, exclude_max=True),
    "beta2": st.floats(0, 1, exclude_max=True),
    "label_smoothing": st.floats(0, 1, exclude_max=True),
    "freeze_after": st.floats(0, 1),
    "data": name,
    "validation_images": count,
    "augment": st.sampled_from(get_args(AugmentationName)),
    "outliers": st.just(0.0) | st.floats(0.6, 1, exclude_max=True),  # an image even of a batch of one
    "photographs": st.just(0.0),  # beside outliers there may be no room
    "characters": name | st.just(""),
    "log_every": count,
    "validate_every": count_or_none,
    "save_every": count,
    "keep_checkpoints": st.booleans(),
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
    assert tuple(VALID) == FIELDS


@settings(deadline=None)
@given(some_values)
def test_a_configuration_survives_toml(values: dict[str, Any]) -> None:
    config = TrainConfig(**values)
    assert TrainConfig.from_toml(config.to_toml()) == config


@settings(max_examples=60, deadline=None)
@given(some_values)
def test_a_configuration_survives_the_command_line(values: dict[str, Any]) -> None:
    config = TrainConfig(**values)
    assert parse_command(to_command(config)) == config


@pytest.mark.parametrize(
    "word", ["--seed", "-x", "-", "--", "-1", "a b", "it's", 'a"b', "", "$HOME", "~", "a\nb", "é"]
)
def test_a_path_of_odd_characters_survives_the_command_line(word: str) -> None:
    config = TrainConfig(data=word)
    assert parse_command(to_command(config)) == config


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_survives_toml_and_its_command_is_its_name(name: str) -> None:
    config = preset(name)
    assert TrainConfig.from_toml(config.to_toml()) == config
    assert to_command(config) == f"digitnet train {name}"
    assert parse_command(to_command(config)) == config


@pytest.mark.parametrize("name", PRESETS)
def test_toml_names_every_field_of_the_network(name: str) -> None:
    written = preset(name).to_toml()
    named = {line.partition(" =")[0] for line in written.splitlines() if " = " in line}
    assert named == set(FIELDS) - (set() if name == "blog" else {"filters", "kernel_size", "hidden"})


@given(st.sampled_from([*PRESETS]), some_values)
def test_the_preset_of_a_run_is_the_one_that_was_named_unless_its_network_is_another(
    name: str, values: dict[str, Any]
) -> None:
    named = preset(name)
    try:
        config = named.replace(**{**values, "network": named.model.network})
    except UsageError:
        reject()  # the preset's outliers and photographs leave no room for these values
    assert nearest_preset(config) == name


@settings(deadline=None)
@given(some_values, some_values)
def test_differences_are_the_fields_whose_values_differ(left: dict[str, Any], right: dict[str, Any]) -> None:
    one, other = TrainConfig(**left), TrainConfig(**right)
    differing = one.differences(other)
    assert differing == other.differences(one)
    assert one.replace(**{name: other.value(name) for name in differing}) == other
    assert all(one.value(name) != other.value(name) for name in differing)


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainConfig().seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("validation_images", 0, "a whole number of at least 1"),
        ("filters", (), "one or more whole numbers of at least 1"),
        ("filters", (16, 0), "one or more whole numbers of at least 1"),
        ("filters", (16, 2.0), "a list of whole numbers"),
        ("filters", (True,), "a list of whole numbers"),
        ("filters", [16, 2.0], "a list of whole numbers"),
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
        ("warmup", -0.1, "a fraction from 0 to 1"),
        ("warmup", 1.1, "a fraction from 0 to 1"),
        ("warmup", math.nan, "a fraction from 0 to 1"),
        ("freeze_after", -0.1, "a fraction from 0 to 1"),
        ("freeze_after", 1.1, "a fraction from 0 to 1"),
        ("label_smoothing", 1.0, "a number from 0 up to, not including, 1"),
        ("label_smoothing", 1, "a number from 0 up to, not including, 1"),
        ("label_smoothing", -0.5, "a number from 0 up to, not including, 1"),
        ("label_smoothing", math.nan, "a number from 0 up to, not including, 1"),
        ("outliers", 1.0, "a number from 0 up to, not including, 1"),
        ("outliers", -0.1, "a number from 0 up to, not including, 1"),
        ("outliers", 0.003, "0, or a fraction that makes an image of 128"),
        ("photographs", 0.003, "0, or a fraction that makes an image of 128"),
        ("photographs", 1.0, "a number from 0 up to, not including, 1"),
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
        ("data", None, "text"),
        ("network", "fastt", "one of blog, fast, best, tiny, micro, reader"),
        ("network", None, "one of blog, fast, best, tiny, micro, reader"),
        ("augment", "turn", "one of none, gentle, affine, ink"),
        ("schedule", "cosin", "one of constant, linear, cosine"),
        ("preprocessing", "", "one of scale, deskew"),
        ("initial_weights", "zeros", "one of torch, truncated_normal"),
    ],
)
def test_a_bad_value_is_refused_by_name_range_and_value(field: str, value: object, expected: str) -> None:
    sentence = refusal({field: value})
    assert sentence.startswith(f"{field}: expected {expected}, found ")
    assert str(value) in sentence
    assert sentence.endswith(" See: help(digitnet.TrainConfig)") and "--" not in sentence
    with answering("command"):
        sentence = refusal({field: value})
    assert sentence.startswith(f"{flag(field)}: expected {expected}, found ")
    assert sentence.endswith(" See: digitnet train --help")


@pytest.mark.parametrize(
    ("field", "mistyped", "meant"),
    [("network", "fastt", "fast"), ("schedule", "cosin", "cosine"), ("augment", "afine", "affine")],
)
def test_a_misspelt_choice_is_refused_when_it_is_made(field: str, mistyped: str, meant: str) -> None:
    assert f"Did you mean {meant!r}?" in refusal({field: mistyped})


@pytest.mark.parametrize("field", [name for name in FIELDS if type(TrainConfig().value(name)) in (int, float)])
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
def test_any_value_is_kept_exactly_or_refused_by_its_name(field: str, value: object) -> None:
    try:
        config = TrainConfig().with_values({field: value}, "plan.toml")
    except UsageError as error:
        assert field in str(error)
    else:
        assert config.value(field) == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [("step", "steps"), ("learning-rate", "learning_rate"), ("Filters", "filters"), ("kernel", "kernel_size")],
)
def test_an_unknown_field_names_the_nearest(mistyped: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"plan\.toml: .*'{mistyped}'.* Did you mean '{meant}'\?"):
        TrainConfig().with_values({mistyped: 1}, "plan.toml")


@pytest.mark.parametrize("mistyped", ["blogg", "Blog", "bolg"])
def test_an_unknown_preset_names_the_nearest(mistyped: str) -> None:
    with pytest.raises(UsageError, match=rf"'{mistyped}'.* Did you mean 'blog'\?"):
        preset(mistyped)


def test_a_preset_like_no_other_lists_them_all() -> None:
    with pytest.raises(UsageError) as caught:
        preset("qqqqqqqq")
    assert "Did you mean" not in str(caught.value)
    assert all(name in str(caught.value) for name in PRESETS)


OLD = """data = "mnist"
validation_images = 5000
network = "fast"
filters = [16, 32]
kernel_size = 5
hidden = 0
prepare = "deskew"
views = 5
members = 1
steps = 215
batch_size = 128
learning_rate = 0.03
schedule = "linear"
warmup = 0.1
beta1 = 0.7
beta2 = 0.9
label_smoothing = 0.1
freeze_after = 0.2
ema_decay = 0.0
augment = "none"
not_digits = 0.0
seed = 7
log_every = 10
validate_every = 86
save_every = 86
device = "cpu"
threads = 0
"""
"""The config.toml of a run of digitnet 0.1."""


def test_a_file_of_version_0_1_is_read() -> None:
    assert TrainConfig.from_toml(OLD) == preset("fast").replace(steps=215, seed=7)


def test_a_field_that_an_old_file_lacks_does_what_was_done_before_it_existed() -> None:
    newer = ("prepare", "views", "members", "beta1", "beta2", "label_smoothing", "freeze_after", "not_digits")
    first = "\n".join(line for line in OLD.replace("fast", "blog").splitlines() if not line.startswith(newer))
    config = TrainConfig.from_toml(first)

    assert config.model == Model(
        network="blog", blog=BlogLayers(hidden=0), initial_weights="torch", preprocessing="scale", tta=1, members=1
    )
    optimisation = config.optimisation
    assert (optimisation.beta1, optimisation.beta2) == (0.9, 0.999)
    assert (optimisation.label_smoothing, optimisation.freeze_after, config.images.outliers) == (0, 1, 0)


def test_what_version_0_1_averaged_is_not_read_as_if_it_had_not() -> None:
    with pytest.raises(UsageError, match=r"^config\.toml: ema_decay = 0\.9 "):
        TrainConfig.from_toml(OLD.replace("ema_decay = 0.0", "ema_decay = 0.9"))


@pytest.mark.parametrize(
    ("old", "new"), [("views", "tta"), ("prepare", "preprocessing"), ("not_digits", "outliers")]
)
def test_a_renamed_field_keeps_its_old_name_with_a_warning(old: str, new: str) -> None:
    value = preset("reader").value(new)
    with pytest.warns(DeprecationWarning, match=new):
        assert TrainConfig(**{old: value}).value(new) == value
    with pytest.warns(DeprecationWarning, match=new):
        assert getattr(preset("reader"), old) == value


def test_a_group_can_be_given_whole() -> None:
    assert TrainConfig(optimisation=Optimisation(steps=9)) == TrainConfig(steps=9)


def test_the_default_is_the_preset_fast() -> None:
    assert TrainConfig() == preset("fast") == parse_command("digitnet train")


@pytest.mark.parametrize("text", ['preset = "blog"\nsteps = 9', 'preset = "blog"\n[optimisation]\nsteps = 9'])
def test_a_file_of_fields_is_a_preset_of_ones_own(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    assert parse_command(f"digitnet train {file} --seed 2") == preset("blog").replace(steps=9, seed=2)


def test_a_runs_own_file_trains_it_again(tmp_path: Path) -> None:
    config = preset("tiny").replace(seed=4)
    file = tmp_path / "config.toml"
    file.write_text(config.to_toml())
    assert parse_command(f"digitnet train {file}") == config


@pytest.mark.parametrize(
    "text", [None, "steps =", "step = 1", 'preset = "blogg"', "model = 3", "[model]\nsteps = 3"]
)
def test_a_bad_file_of_fields_is_refused_by_its_name(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        read_config(file)


def test_outliers_and_photographs_leave_room_for_the_data() -> None:
    assert TrainConfig(outliers=0.4, photographs=0.5).images.has_outliers
    with pytest.raises(UsageError, match="photographs"):
        TrainConfig(outliers=0.5, photographs=0.5)
