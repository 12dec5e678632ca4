"""Read a loss curve: say in plain words, with numbers, what it means. Needs measurements only, no torch."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from digitnet.config import TrainConfig
from digitnet.run_folder import History, TrainingRow

Kind = Literal["falling", "flat", "overfitting", "diverging", "short"]
Floats = npt.NDArray[np.floating[Any]]

_FEWEST_ROWS = 8  # two in each quarter: the standard error needs two


@dataclass(frozen=True)
class CurveReading:
    """What a loss curve says."""

    kind: Kind
    sentence: str


@dataclass(frozen=True)
class Change:
    """Means of a curve over an earlier and a later stretch, and the standard error of their difference."""

    before: float
    after: float
    standard_error: float

    @property
    def is_fall(self) -> bool:
        """Whether the later mean is lower by more than two standard errors and by more than 3%."""
        return self.before - self.after > max(2 * self.standard_error, 0.03 * abs(self.before))

    @property
    def is_clear_rise(self) -> bool:
        """Whether the later mean is higher by more than three standard errors and by more than a tenth."""
        return self.after - self.before > max(3 * self.standard_error, 0.1 * abs(self.before))

    def __str__(self) -> str:
        return f"{_amount(self.after)}, was {_amount(self.before)}"


def read_curve(history: History, config: TrainConfig) -> CurveReading:
    """Say whether the loss falls, is flat, overfits or diverges, and what that means for the learning rate.

    Compares the last quarter of the measurements with the quarter before.
    """
    rows = history.training
    if len(rows) < _FEWEST_ROWS:
        return CurveReading(
            "short",
            f"There are too few measurements to read the curve ({len(rows)}, where {_FEWEST_ROWS} are needed): "
            "train for more steps, or measure more often with --log-every.",
        )
    losses = np.array([row.mean_loss for row in rows])
    quarter = len(rows) // 4
    recent = compare(losses[-2 * quarter : -quarter], losses[-quarter:])
    rise_since_best = compare(_lowest_stretch(losses, quarter), losses[-quarter:])
    if not np.isfinite(losses).all() or (recent.after > recent.before and rise_since_best.is_clear_rise):
        return CurveReading("diverging", _diverging(rise_since_best, config))
    advice = assess_learning_rate(rows, recent, config)
    if rise := _validation_rise(history, losses):
        step, validation = rise
        return CurveReading(
            "overfitting",
            f"The network overfits: its validation loss was lowest near step {step:,} and has risen since "
            f"({validation}) while the training loss kept falling, so more steps at this rate make it worse on "
            f"new images; {advice}.",
        )
    if recent.is_fall:
        return CurveReading("falling", _falling(recent, history, advice))
    return CurveReading(
        "flat",
        f"The loss is flat over the last quarter of the training ({recent}), so more steps at this rate will "
        f"change little; {advice}.",
    )


def compare(before: Floats, after: Floats) -> Change:
    """Compare the means of two stretches of a curve, each with two measurements or more."""
    return Change(
        float(before.mean()), float(after.mean()), math.hypot(_standard_error(before), _standard_error(after))
    )


def assess_learning_rate(rows: Sequence[TrainingRow], recent: Change, config: TrainConfig) -> str:
    """Say what the curve means for the learning rate, as the last clause of a sentence."""
    rate = f"the learning rate of {config.optimisation.learning_rate:g}"
    start = rows[0].mean_loss
    halved = next((row.step for row in rows if row.mean_loss <= start / 2), None)
    if halved is None and recent.after > 0.9 * start:
        return f"{rate} is far too low, or so high that nothing was learned: try a tenth of it, and ten times it"
    if spikes := count_spikes([row.mean_loss for row in rows]):
        return f"{rate} is on the high side ({spikes} sudden {'jump' if spikes == 1 else 'jumps'}): try half of it"
    if recent.is_fall and (halved is None or halved > config.optimisation.steps / 4):
        when = f"took until step {halved:,}" if halved else "never came"
        return f"{rate} is too low for so few steps (half the first loss {when}): try three times as much"
    fell = f"the loss had halved by step {halved:,}" if halved else "the loss has settled"
    return f"{rate} is neither too high (no sudden jumps) nor too low ({fell})"


def count_spikes(losses: Sequence[float]) -> int:
    """Count the measurements that jump to more than three times the median of the five before them."""
    jumps = [losses[k] > 3 * float(np.median(losses[k - 5 : k])) for k in range(5, len(losses))]
    return sum(now and not before for before, now in itertools.pairwise([False, *jumps]))


def smooth(values: Sequence[float] | Floats, window: int) -> npt.NDArray[np.float64]:
    """Centred moving average, as long as `values`; the `window` narrows symmetrically near the ends."""
    array = np.asarray(values, dtype=np.float64)
    half = max(0, window // 2)
    reach = [min(half, k, len(array) - 1 - k) for k in range(len(array))]
    return np.array([array[k - r : k + r + 1].mean() for k, r in enumerate(reach)])


def _standard_error(stretch: Floats) -> float:
    """Standard error of a stretch's mean, from the differences of neighbours, so that a trend is not counted."""
    return float(np.sqrt(np.mean(np.diff(stretch) ** 2) / 2 / len(stretch)))


def _lowest_stretch(losses: Floats, length: int) -> Floats:
    means = np.convolve(losses, np.full(length, 1 / length), mode="valid")
    start = int(np.argmin(means))
    return losses[start : start + length]


def _validation_rise(history: History, losses: Floats) -> tuple[int, Change] | None:
    """Step of the lowest validation loss, and the rise since, if it is clear while the training loss fell."""
    values = np.array([row.validation_loss for row in history.validation])
    if len(values) < 4:
        return None
    length = max(2, len(values) // 4)
    best = int(np.argmin(values))
    start = min(max(0, best - length // 2), len(values) - length)
    change = compare(values[start : start + length], values[-length:])
    step = history.validation[best].step
    before = [row.mean_loss for row in history.training if row.step <= step][-len(losses) // 4 :]
    kept_falling = bool(before) and losses[-len(losses) // 4 :].mean() < np.mean(before)
    return (step, change) if change.is_clear_rise and kept_falling else None


def _diverging(rise: Change, config: TrainConfig) -> str:
    numbers = f" ({rise})" if math.isfinite(rise.after) else ""
    return (
        f"The loss diverges: it has risen well above its lowest{numbers}, so the learning rate of "
        f"{config.optimisation.learning_rate:g} is too high; try a third of it."
    )


def _falling(recent: Change, history: History, advice: str) -> str:
    values = np.array([row.validation_loss for row in history.validation])
    quarter = max(2, len(values) // 4)
    stalled = (
        len(values) >= 2 * quarter and not compare(values[-2 * quarter : -quarter], values[-quarter:]).is_fall
    )
    meaning = (
        f"but the validation loss no longer follows ({_amount(values[-1])} at the end, {_amount(values.min())} at "
        "its lowest), so more steps would fit the training images better, but hardly new ones"
        if stalled
        else "so more steps would still help"
    )
    return f"The training loss is still falling ({recent} a quarter earlier), {meaning}; {advice}."


def _amount(value: float) -> str:
    return f"{value:.2g}" if 0.0001 <= abs(value) < 100 else f"{value:.1e}" if value else "0"
