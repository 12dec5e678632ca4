"""Read a loss curve: say in plain words, with numbers, what it means. Needs measurements only, no torch."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from digitnet.config import TrainConfig
from digitnet.evaluation.trends import (
    Floats,
    compare,
    count_spikes,
    halving_step,
    is_slow,
    is_stuck,
    last_quarters,
    overfits_since,
    rise_on_the_way,
    rise_to_the_end,
)
from digitnet.presets import nearest_preset, preset
from digitnet.run_folder import History, TrainingRow
from digitnet.wording import option

Kind = Literal["short", "stuck", "diverging", "jumping", "overfitting", "improving", "settled", "ended"]

_FEWEST_ROWS = 8  # two in each quarter: the standard error needs two
_MOST_DIGITS = 4  # significant ones: losses that differ in the fifth alone are the same to a reader
_SETTLED = "Trained long enough: more steps would hardly help"


@dataclass(frozen=True)
class CurveReading:
    """What a loss curve says."""

    kind: Kind
    conclusion: str
    """In a few words, without a full stop."""
    evidence: str
    """Whole sentences with the numbers behind the conclusion."""
    change: tuple[str, Any]
    """The one field to change next, and its new value."""

    @property
    def sentence(self) -> str:
        """The conclusion and its evidence."""
        return f"{self.conclusion}. {self.evidence}"


def read_curve(history: History, config: TrainConfig) -> CurveReading:
    """Say whether more steps would help, whether the network overfits, and whether the learning rate suits.

    Compares the last quarter of the measurements with the quarter before. Where the learning rate falls towards 0,
    the curve flattens whether or not there is more to learn; there it compares training with validation loss.
    """
    rows = history.training
    losses = np.array([row.mean_loss for row in rows])
    if len(rows) >= _FEWEST_ROWS and (rise := rise_to_the_end(losses)):
        lowest, end = tell_apart(rise.before, rise.after)
        numbers = f"It has risen from its lowest, {lowest}, to {end}." if math.isfinite(rise.after) else ""
        return _too_high("diverging", "the loss diverges", numbers or "It is no longer a number.", config)
    if is_stuck(rows):
        return _stuck(rows, config)
    if len(rows) < _FEWEST_ROWS:
        return _short(len(rows), config)
    if step := overfits_since(history):
        return _overfitting(step, history, config)
    if jumps := _describe_jumps(rows, losses):
        return _too_high("jumping", *jumps, config)
    if rows[-1].learning_rate < 0.1 * max(row.learning_rate for row in rows):
        return _ended(history, losses, config)
    return _steady(history, losses, config)


def tell_apart(*values: float) -> tuple[str, ...]:
    """Write numbers with as few digits, two to four, as it takes for different ones to look different.

    Numbers that look the same agree to four significant digits.
    """
    is_short = all(value == 0 or 1e-6 <= abs(value) < 999_999 for value in values)
    write = _write if is_short else _write_with_exponent
    shown = [tuple(write(value, digits) for value in values) for digits in range(2, _MOST_DIGITS + 1)]
    return next(texts for texts in shown if len(set(texts)) == len(set(shown[-1])))


def assess_learning_rate(rows: Sequence[TrainingRow], config: TrainConfig) -> str:
    """Say in a sentence whether the learning rate is too low; that it is too high shows in other ways."""
    rate, halved = f"The learning rate of {config.optimisation.learning_rate:g}", halving_step(rows)
    if is_slow(rows):
        when = f"took until step {halved:,}" if halved else "never came"
        return f"{rate} is too low for so few steps (half the first loss {when}): try three times as much."
    fell = f"the loss had halved by step {halved:,}" if halved else "the loss has settled"
    return f"{rate} is neither too high (no sudden jumps) nor too low ({fell})."


def _short(count: int, config: TrainConfig) -> CurveReading:
    steps = config.optimisation.steps
    every = max(1, steps // 40)
    return CurveReading(
        "short",
        "Too few measurements to say",
        f"It takes {_FEWEST_ROWS} measurements to read the curve, and this run has {count}: train for more steps, "
        f"or measure more often with {option('log_every', every)}.",
        ("log_every", every) if steps // every >= _FEWEST_ROWS else ("steps", 10 * steps),
    )


def _stuck(rows: Sequence[TrainingRow], config: TrainConfig) -> CurveReading:
    """Blame a learning rate that is far from the preset's."""
    first, last = tell_apart(rows[0].mean_loss, rows[-1].mean_loss)
    loss = f"stayed at {last}" if first == last else f"went from {first} to {last}"
    correct = f"{100 * rows[-1].mean_accuracy:.0f}%"
    found = f"The loss {loss}, and in the end {correct} of the training images were read correctly."
    rate, name = config.optimisation.learning_rate, nearest_preset(config)
    usual, steps = preset(name).optimisation.learning_rate, config.optimisation.steps
    if max(rate / usual, usual / rate) >= 3:
        side = "high" if rate > usual else "low"
        advice = f"The learning rate is {rate:g}, and the preset {name} takes {usual:g}: try that."
        conclusion = f"The rate is too {side}: nothing was learned"
        return CurveReading("stuck", conclusion, f"{found} {advice}", ("learning_rate", usual))
    advice = (
        f"Either {steps:,} steps are too few, or the learning rate of {rate:g} is far too low or far too high: "
        "try ten times as many steps, then a tenth of the rate and ten times it."
    )
    return CurveReading("stuck", "Nothing was learned", f"{found} {advice}", ("steps", 10 * steps))


def _too_high(kind: Kind, what: str, found: str, config: TrainConfig) -> CurveReading:
    rate = config.optimisation.learning_rate
    advice = f"The learning rate of {rate:g} is too high: try a third of it."
    return CurveReading(
        kind, f"The rate is too high: {what}", f"{found} {advice}", ("learning_rate", _round(rate / 3))
    )


def _describe_jumps(rows: Sequence[TrainingRow], losses: Floats) -> tuple[str, str] | None:
    """Describe sudden jumps, or a rise that came back: in a few words, and in a sentence."""
    if spikes := count_spikes(losses.tolist()):
        times = "once" if spikes == 1 else f"{spikes} times"
        return "the loss jumps", f"It jumped {times} to more than three times what it had been."
    if not (found := rise_on_the_way(losses)):
        return None
    top, rise = found
    before, after = tell_apart(rise.before, rise.after)
    sentence = f"It went from {before} up to {after} near step {rows[top].step:,}, and came down only later."
    return "the loss rose on the way", sentence


def _overfitting(step: int, history: History, config: TrainConfig) -> CurveReading:
    values = [row.validation_loss for row in history.validation]
    lowest, end = tell_apart(min(values), values[-1])
    risen = "risen" if end == lowest else f"risen to {end}"
    return CurveReading(
        "overfitting",
        "Stop earlier: it overfits",
        f"The validation loss was lowest at step {step:,}, with {lowest}, and has {risen} since, while the "
        "training loss kept falling: the network learns its training images by heart. "
        f"{assess_learning_rate(history.training, config)}",
        ("steps", step),
    )


def _ended(history: History, losses: Floats, config: TrainConfig) -> CurveReading:
    """Read the curve of a learning rate that has fallen towards 0: its flat end says nothing."""
    rate = assess_learning_rate(history.training, config)
    planned = "The learning rate fell towards 0, as planned, and then any loss settles."
    last = max(2, len(history.validation) // 4)
    validation = np.array([row.validation_loss for row in history.validation[-last:]])
    found = ""
    if len(validation) == last:
        gap = compare(losses[-(len(losses) // 4) :], validation)
        training, validated = tell_apart(gap.before, gap.after)
        losses_shown = f"the loss is {training} on training images and {validated} on validation images"
        if training == validated:
            losses_shown = f"the loss is the same on training and validation images, {training}"
        if gap.is_clear_rise:
            found = (
                f"At the end, {losses_shown}: more steps would fit the former still better, but hardly new images."
            )
            return CurveReading("settled", _SETTLED, f"{found} {rate}", _another_way(config))
        found = f" At the end, {losses_shown}: no sign of overfitting."
    return CurveReading(
        "ended",
        f"{_more_of_what(history)} might still help",
        f"{planned}{found} Only a longer run can tell. {rate}",
        _more_of_the_same(history, config),
    )


def _steady(history: History, losses: Floats, config: TrainConfig) -> CurveReading:
    """Read the curve of a learning rate that stays high: its end says what more steps would do."""
    rate, recent = assess_learning_rate(history.training, config), last_quarters(losses)
    before, after = tell_apart(recent.before, recent.after)
    went = f"stayed at {after}" if before == after else f"went from {before} to {after}"
    found = f"From the third quarter of the steps to the last, the training loss {went}"
    values = np.array([row.validation_loss for row in history.validation])
    quarter = max(2, len(values) // 4)
    is_known = len(values) >= 2 * quarter
    follows = not is_known or compare(values[-2 * quarter : -quarter], values[-quarter:]).is_fall
    if recent.is_fall and follows:
        too = ", and the validation loss fell too" if is_known else ""
        conclusion, change = f"{_more_of_what(history)} would still help", _more_of_the_same(history, config)
        return CurveReading("improving", conclusion, f"{found}{too}. {rate}", change)
    if recent.is_fall:
        end, lowest = tell_apart(float(values[-1]), float(values.min()))
        ever = "its lowest" if end == lowest else f"where {lowest} was its lowest"
        found += f", but the validation loss no longer falls: it is {end}, {ever}"
    return CurveReading("settled", _SETTLED, f"{found}. {rate}", _another_way(config))


def _more_of_what(history: History) -> str:
    return "More steps or a higher rate" if is_slow(history.training) else "More steps"


def _more_of_the_same(history: History, config: TrainConfig) -> tuple[str, Any]:
    """Take twice the steps, or three times a learning rate that is too low."""
    if is_slow(history.training):
        return "learning_rate", _round(3 * config.optimisation.learning_rate)
    return "steps", 2 * config.optimisation.steps


def _another_way(config: TrainConfig) -> tuple[str, Any]:
    """Where more steps do not help: let the learning rate fall, vary the images more, or average more networks."""
    if config.optimisation.schedule == "constant":
        return "schedule", "linear"
    return ("augment", "affine") if config.images.augment == "none" else ("members", config.model.members + 2)


def _round(rate: float) -> float:
    return float(f"{rate:.2g}")


def _write(value: float, digits: int) -> str:
    """Write a number with so many significant digits, trailing zeros too."""
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # of the rounded number: 0.0996 becomes 0.10
    return f"{value:,.{max(0, digits - 1 - exponent)}f}" if value else "0"


def _write_with_exponent(value: float, digits: int) -> str:
    return f"{value:.{digits - 1}e}" if value else "0"
