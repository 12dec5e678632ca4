"""What to do after a run: commands that fit it, and a plan that can be run."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conftest import SHORT
from digitnet.config import TrainConfig
from digitnet.evaluation.curve import CurveReading
from digitnet.evaluation.evaluate import Evaluation
from digitnet.presets import PRESETS
from digitnet.reporting.next_steps import (
    after_run,
    change_one_thing,
    compare_over_seeds,
    look_at_an_image,
    read_a_picture,
)
from digitnet.run_folder import Run
from digitnet.trials.plan import Plan

pytest_plugins = ["judged_run"]

RUN = Path("runs/fast-001")
CHANGES = [
    ("augment", "affine"), ("learning_rate", 0.07), ("log_every", 5), ("members", 3), ("schedule", "cosine"),
    ("steps", 99),
]  # fmt: skip


def reading(field: str, value: object) -> CurveReading:
    return CurveReading("ended", "More steps might still help", "It fell.", (field, value))


def evaluation(label_names: tuple[str, ...] = tuple("0123456789")) -> Evaluation:
    """Two mistakes, the later one more confident."""
    logits = np.eye(10, dtype=np.float32)[[0, 1, 2, 3]]
    logits[2] *= 9
    return Evaluation(logits, np.array([0, 7, 7, 3], np.uint8), label_names)


def test_the_most_confident_mistake_is_looked_at_first() -> None:
    assert look_at_an_image(RUN, evaluation()).commands == ("digitnet explain runs/fast-001 2",)


def test_without_mistakes_the_first_image_is_looked_at() -> None:
    found = evaluation()
    perfect = Evaluation(found.logits, found.logits.argmax(axis=1).astype(np.uint8), found.label_names)

    assert look_at_an_image(RUN, perfect).commands == ("digitnet explain runs/fast-001 0",)


def test_a_network_that_knows_digits_reads_a_picture() -> None:
    assert read_a_picture(RUN, evaluation()).commands == (
        "digitnet export runs/fast-001",
        "digitnet read photo.jpg --model runs/fast-001/model.onnx",
        "digitnet serve runs/fast-001",
    )
    clothes = tuple(f"garment {k}" for k in range(10))
    assert read_a_picture(RUN, evaluation(clothes)).commands == ("digitnet export runs/fast-001",)


def test_a_folder_with_spaces_is_quoted() -> None:
    assert "'my runs/a'" in look_at_an_image(Path("my runs/a"), evaluation()).commands[0]


@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_the_change_is_the_runs_own_command_with_one_difference(field: str, value: object) -> None:
    step = change_one_thing(SHORT, reading(field, value))

    assert f"--{field.replace('_', '-')} {value}" in step.commands[0]
    assert "--batch-size 32" in step.commands[0]
    assert "More steps might still help" in step.reason
    assert "{" not in step.purpose


@given(config=st.sampled_from([*PRESETS.values(), SHORT]), change=st.sampled_from(CHANGES))
def test_the_plan_compares_the_run_with_the_change_over_seeds(
    config: TrainConfig, change: tuple[str, object]
) -> None:
    assume(config.value(change[0]) != change[1])
    step = compare_over_seeds(config, reading(*change))
    plan = Plan.from_toml(step.plan)
    first, second = plan.variants
    field = "steps" if change[0] == "log_every" else change[0]

    assert first.config == config.replace(seed=0, threads=1)
    assert second.config.differences(first.config) == [field]
    assert len(plan.seeds) >= 3
    assert step.commands == ("digitnet trials plan.toml", "digitnet compare trials/plan")


def test_after_a_run_there_are_two_things_to_do(judged: Run, drawn: object) -> None:
    judged.__dict__["dataset"] = drawn
    first, second = after_run(judged)

    assert first.commands[0].endswith(" 57")
    assert second.commands[0].startswith("digitnet train blog ")
