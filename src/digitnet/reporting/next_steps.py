"""What to do after a run: commands for this run, which its report and the command line show."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w

from digitnet.config import TrainConfig
from digitnet.data.raw import DIGITS
from digitnet.evaluation.curve import CurveReading, read_curve
from digitnet.evaluation.evaluate import Evaluation, load_evaluation
from digitnet.evaluation.mistakes import rank_mistakes
from digitnet.presets import nearest_preset, preset, to_command
from digitnet.reporting.words import plain
from digitnet.run_folder import Run
from digitnet.wording import command

_SEEDS = 5  # few, so that the comparison does not take long; it says if they are too few

_CHANGES = {
    "augment": "vary the training images",
    "learning_rate": "try a learning rate of {:g}",
    "log_every": "measure more often",
    "members": "average {} networks",
    "schedule": "let the learning rate fall to 0",
    "steps": "try {:,} steps",
}


@dataclass(frozen=True)
class NextStep:
    """One thing to do next."""

    purpose: str
    """In the imperative, without a full stop: ``try 860 steps``."""
    commands: tuple[str, ...]
    reason: str = ""
    """Why it is worth doing, without a full stop."""
    plan: str = ""
    """The content of the plan file that the commands need."""


def after_run(run: Run) -> list[NextStep]:
    """What to do after a run that has been evaluated, in short."""
    evaluation = load_evaluation(run, run.dataset)
    return [
        look_at_an_image(run.path, evaluation),
        change_one_thing(run.config, read_curve(run.history, run.config)),
    ]


def look_at_an_image(folder: Path, evaluation: Evaluation) -> NextStep:
    """Explain the most confident mistake, or the first test image if there is none."""
    mistakes = rank_mistakes(evaluation.logits, evaluation.labels)
    which, index = ("its most confident mistake", mistakes[0]) if len(mistakes) else ("the first test image", 0)
    return NextStep(f"see how it reads {which}", (command("explain", folder, index),))


def read_a_picture(folder: Path, evaluation: Evaluation) -> NextStep:
    """Export the run, and if it knows digits, read a picture with it."""
    export = command("export", folder)
    if evaluation.label_names != DIGITS:
        return NextStep("use it in a program of your own", (export,))
    read = command("read", "photo.jpg", "--model", folder / "model.onnx")
    return NextStep("read a digit of your own with it", (export, read, command("serve", folder)))


def change_one_thing(config: TrainConfig, reading: CurveReading) -> NextStep:
    """Train again with the one change that the loss curve suggests."""
    field, value = reading.change
    changed = to_command(config.replace(**{field: value}))
    reason = f"The loss curve says “{reading.conclusion}”"
    return NextStep(_CHANGES[field].format(value), (changed,), reason)


def compare_over_seeds(config: TrainConfig, reading: CurveReading) -> NextStep:
    """Compare the run with the same change, or if it only measures, with twice the steps, over several seeds."""
    field, value = reading.change
    if field == "log_every":
        field, value = "steps", 2 * config.optimisation.steps
    name, old, new = field.replace("_", " "), plain(config.value(field)), plain(value)
    return NextStep(
        f"compare {name} {old} with {new} over {_SEEDS} seeds",
        ("digitnet trials plan.toml", "digitnet compare trials/plan"),
        reason="One run says little",
        plan=make_plan(config, field, (config.value(field), value)),
    )


def make_plan(config: TrainConfig, field: str, values: tuple[Any, Any]) -> str:
    """Write a plan of trials that compares two values of a field."""
    name = nearest_preset(config)
    base = {
        other: config.value(other) for other in config.differences(preset(name)) if other not in (field, "seed")
    }
    plan = {"preset": name, "seeds": _SEEDS, "base": {**base, "threads": 1}, "grid": {field: list(values)}}
    return re.sub(r"\[\n([^]]*),\n\]", _in_one_line, tomli_w.dumps(plan))


def _in_one_line(array: re.Match[str]) -> str:
    return f"[{' '.join(array[1].split())}]"
