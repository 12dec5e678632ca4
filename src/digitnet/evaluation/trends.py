"""Trends of a training: whether its loss falls, rises, jumps or stays. Needs measurements only, no torch."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.run_folder import History, TrainingRow

Floats = npt.NDArray[np.floating[Any]]


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


def compare(before: Floats, after: Floats) -> Change:
    """Compare the means of two stretches of a curve, each with two measurements or more."""
    return Change(
        float(before.mean()), float(after.mean()), math.hypot(_standard_error(before), _standard_error(after))
    )


def last_quarters(losses: Floats) -> Change:
    """Compare the last quarter of eight measurements or more with the quarter before."""
    quarter = len(losses) // 4
    return compare(losses[-2 * quarter : -quarter], losses[-quarter:])


def rise_to_the_end(losses: Floats) -> Change | None:
    """Rise of the loss from its lowest quarter to its last, if it is clear and goes on; NaN if a loss is."""
    if not np.isfinite(losses).all():
        return Change(math.nan, math.nan, math.nan)
    quarter, recent = len(losses) // 4, last_quarters(losses)
    start = int(np.argmin(_moving_means(losses, quarter)))
    since_best = compare(losses[start : start + quarter], losses[-quarter:])
    return since_best if recent.after > recent.before and since_best.is_clear_rise else None


def rise_on_the_way(losses: Floats) -> tuple[int, Change] | None:
    """Largest rise of a stretch over an earlier one, and the index of its top, unless it is small.

    Small is less than half as much again, or less than a tenth of the first loss.
    """
    length = max(2, len(losses) // 20)
    means = _moving_means(losses, length)
    lowest = np.minimum.accumulate(means)[:-length]  # before each of the later stretches
    top = int(np.argmax(means[length:] - lowest)) + length
    bottom = int(np.argmin(means[: top - length + 1]))
    rise = compare(losses[bottom : bottom + length], losses[top : top + length])
    is_large = rise.after > 1.5 * rise.before and rise.after - rise.before > 0.1 * losses[0]
    return (top, rise) if is_large and rise.is_clear_rise else None


def count_spikes(losses: Sequence[float]) -> int:
    """Count the jumps to more than three times the median of the five before, and a tenth of the first loss.

    Losses far below the first jump by chance: a few difficult images are enough.
    """
    least = 0.1 * losses[0] if losses else 0.0
    jumps = [losses[k] > max(3 * float(np.median(losses[k - 5 : k])), least) for k in range(5, len(losses))]
    return sum(now and not before for before, now in itertools.pairwise([False, *jumps]))


def overfits_since(history: History) -> int | None:
    """Step of the lowest validation loss, if it has clearly risen since, while the training loss fell."""
    values = np.array([row.validation_loss for row in history.validation])
    if len(values) < 4:
        return None
    length = max(2, len(values) // 4)
    best = int(np.argmin(values))
    start = min(max(0, best - length // 2), len(values) - length)
    step, recent = history.validation[best].step, -len(history.training) // 4
    before = [row.mean_loss for row in history.training if row.step <= step][recent:]
    after = [row.mean_loss for row in history.training][recent:]
    kept_falling = bool(before) and np.mean(after) < np.mean(before)
    rises = compare(values[start : start + length], values[-length:]).is_clear_rise
    return step if rises and kept_falling else None


def is_stuck(rows: Sequence[TrainingRow]) -> bool:
    """Tell whether nothing was learned: the loss hardly fell, or the answers are no better than guesses.

    Guesses among K classes are correct once in K, with a loss of log K. A network that has learned something is
    correct more often than its loss says.
    """
    if len(rows) < 4:
        return False
    first, last = rows[0], rows[-1]
    hardly_fell = min(row.mean_loss for row in rows) > 0.9 * first.mean_loss > 0
    guesses = last.mean_accuracy < min(0.6, 1.3 * math.exp(-last.mean_loss))
    return hardly_fell or guesses


def halving_step(rows: Sequence[TrainingRow]) -> int | None:
    """Step by which the loss had fallen to half of the first."""
    return next((row.step for row in rows if row.mean_loss <= rows[0].mean_loss / 2), None)


def is_slow(rows: Sequence[TrainingRow]) -> bool:
    """Tell whether the loss was still falling at the end, and had halved late or not at all."""
    halved = halving_step(rows)
    is_late = halved is None or halved > rows[-1].step / 4
    return is_late and last_quarters(np.array([row.mean_loss for row in rows])).is_fall


def smooth(values: Sequence[float] | Floats, window: int) -> npt.NDArray[np.float64]:
    """Centred moving average, as long as `values`; the `window` narrows symmetrically near the ends."""
    array = np.asarray(values, dtype=np.float64)
    half = max(0, window // 2)
    reach = [min(half, k, len(array) - 1 - k) for k in range(len(array))]
    return np.array([array[k - r : k + r + 1].mean() for k, r in enumerate(reach)])


def _moving_means(losses: Floats, length: int) -> Floats:
    return np.convolve(losses, np.full(length, 1 / length), mode="valid")


def _standard_error(stretch: Floats) -> float:
    """Standard error of a stretch's mean, from the differences of neighbours, so that a trend is not counted."""
    return float(np.sqrt(np.mean(np.diff(stretch) ** 2) / 2 / len(stretch)))
