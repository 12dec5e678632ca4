"""Values of many seeds in; intervals, p-values and plain sentences out. scipy and statsmodels do the statistics.

Accuracies are fractions from 0 to 1; sentences give percentage points. Values are paired by seed. The paired t
test decides: it is the usual one, and keeps its error rate with few seeds. Two checks that don't assume normal
differences accompany it: the bootstrap over seeds gives an interval (with 10 seeds it covers the truth 89% of the
time instead of 95%, so it decides nothing), and the permutation test, which flips the signs of the differences,
gives an exact p-value, which resampling of so few seeds does not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as exact_mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from digitnet.metrics import Interval

ALPHA = 0.05
"""A difference whose Holm-adjusted p-value lies below this is called real."""

SMALLEST_OF_INTEREST = 0.0005
"""Differences of accuracy below this, 5 images of 10,000, are worth no search."""

_RESAMPLES = 9_999  # up to 13 seeds, all 2^n ways to flip the signs are counted instead
_LARGEST_EFFECT = 5.0  # beyond it two or three seeds are enough, and the solver stops converging
_SMALLEST_EFFECT = 0.003  # below it nobody has seeds enough: almost a million

Values = Sequence[float] | npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Summary:
    """What n seeds gave; one seed has neither spread nor interval."""

    n: int
    mean: float
    sd: float | None  # of single seeds, with n - 1
    interval: Interval | None  # 95% t interval of the mean


@dataclass(frozen=True)
class PairedDifference:
    """By how much the first exceeds the second, over the n seeds that both have."""

    n: int
    mean: float
    sd: float | None  # of the differences, with n - 1; None for one seed
    interval: Interval | None  # 95% t interval of the mean difference
    p_t: float | None  # paired t test, two-sided; None where all differences are equal
    bootstrap_interval: Interval | None  # 95% percentiles of the mean over resampled seeds
    p_permutation: float | None  # fraction of sign flips whose mean is as far from 0; None for one seed

    @property
    def p(self) -> float | None:
        """The p-value that decides: of the t test, or of the permutations where equal differences leave no t."""
        return self.p_permutation if self.p_t is None else self.p_t

    @property
    def half_width(self) -> float:
        """Half of the 95% t interval: the number after "+-"; NaN for one seed."""
        return (self.interval.high - self.interval.low) / 2 if self.interval else math.nan


@dataclass(frozen=True)
class McNemar:
    """Two networks on the same test images: how often only one of them is correct, and how likely by chance."""

    only_first: int
    only_second: int
    p: float


def summarise(values: Values) -> Summary:
    """Mean, spread and 95% interval of one or more finite values; equal values have an interval of no width."""
    array = _checked(values)
    n, mean = len(array), float(array.mean())
    if n == 1:
        return Summary(1, mean, None, None)
    if np.ptp(array) < 1e-150:  # equal, or as good as: no rounding may look like spread, and no square become 0
        return Summary(n, float(array[0]), 0.0, Interval(float(array[0]), float(array[0])))
    low, high = stats.t.interval(0.95, n - 1, loc=mean, scale=stats.sem(array))
    return Summary(n, mean, float(array.std(ddof=1)), Interval(float(low), float(high)))


def compare_pairs(first: Values, second: Values, seed: int = 0) -> PairedDifference:
    """Compare accuracies of two variants, from 0 to 1; position k of both is the same seed's.

    `seed` draws the resamples. Raises ValueError for lengths that differ, no values, and values outside 0 to 1.
    """
    both = _checked(first), _checked(second)
    if len(both[0]) != len(both[1]) or np.min(both) < 0 or np.max(both) > 1:
        raise ValueError(f"expected pairs of fractions from 0 to 1, found {first} and {second}")
    # Fractions carry errors of 1e-17; without rounding, ten equal differences would have a t of a million.
    differences = np.round(both[0] - both[1], 12)
    summary = summarise(differences)
    n, mean, sd, interval = summary.n, summary.mean, summary.sd, summary.interval
    if n == 1:
        return PairedDifference(n, mean, sd, interval, p_t=None, bootstrap_interval=None, p_permutation=None)
    p_permutation = _permute(differences, seed)
    if sd == 0:
        return PairedDifference(n, mean, sd, interval, None, interval, p_permutation)
    p_t = float(stats.ttest_1samp(differences, 0).pvalue)
    return PairedDifference(n, mean, sd, interval, p_t, _resample(differences, seed), p_permutation)


def mcnemar(first: Bools, second: Bools) -> McNemar:
    """Compare two networks by which of the same N images each read correctly: ``(N,)`` and ``(N,)``.

    The exact binomial form at any count: where counts are large it costs nothing and the chi-squared form only
    approximates it. The p-value is about these two networks, not about other seeds.
    """
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"expected two (N,) arrays, found {first.shape} and {second.shape}")
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    answer = exact_mcnemar([[both, only_first], [only_second, neither]], exact=True)
    return McNemar(only_first, only_second, float(answer.pvalue))


def adjust_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for multiple comparisons (Holm 1979), which bounds the family-wise error rate.

    None, where nothing could be tested, stays None and does not count.
    """
    found = [p for p in p_values if p is not None]
    adjusted = iter(multipletests(found, method="holm")[1] if found else [])
    return [None if p is None else float(next(adjusted)) for p in p_values]


def seeds_needed(
    sd_of_differences: float, difference: float, power: float = 0.8, alpha: float = ALPHA
) -> int | None:
    """Seeds with which a paired t test finds a `difference` of that size with that power; at least 3.

    None where there is no spread to plan with, or so much that it would take about a million seeds.
    """
    effect = abs(difference) / sd_of_differences if sd_of_differences else 0.0
    if effect < _SMALLEST_EFFECT:
        return None
    n: float = TTestPower().solve_power(
        effect_size=min(effect, _LARGEST_EFFECT), nobs=None, alpha=alpha, power=power
    )
    return math.ceil(n)


def describe_difference(
    first: str,
    second: str,
    difference: PairedDifference,
    p: float | None = None,
    p_permutation: float | None = None,
    comparisons: int = 1,
    smallest: float = SMALLEST_OF_INTEREST,
) -> str:
    """Say in one sentence what the seeds show about two variants, named as the caller names them.

    `p` is the p-value that decides, and `p_permutation` the permutation test's, both adjusted for the number of
    `comparisons`; without them, the difference's own are taken. Where no difference is seen, the sentence says how
    many seeds would show the observed one, or the `smallest` one of interest where that is larger, at the level
    that is left to one of so many comparisons.
    """
    p = difference.p if p is None else p
    p_permutation = difference.p_permutation if p_permutation is None else p_permutation
    winner, loser = (first, second) if difference.mean > 0 else (second, first)
    if p is None or difference.sd is None:
        apart = f"{winner} beat {loser} by {points(difference.mean)} points" if difference.mean else ""
        equal = f"{first} and {second} were equal"
        return f"{apart or equal} with the one seed that both have: nothing can be concluded from one seed."
    size = f"{points(difference.mean)} +- {points(difference.half_width)} points"
    facts = f"{difference.n} seeds, {write_p(p)}"
    if p < ALPHA:
        return f"{winner} beat {loser} by {size} ({facts}): real{_reservation(p_permutation)}."
    advice = _advise(difference, max(abs(difference.mean), smallest), ALPHA / comparisons)
    return f"No difference seen between {first} and {second} ({size}, {facts}); {advice}."


def points(difference: float) -> str:
    """Write the size of a difference of accuracies in percentage points: ``0.0021`` is ``0.21``."""
    return f"{100 * abs(difference):.2f}"


def write_p(p: float) -> str:
    """Write a p-value in a sentence: ``p = 0.02``, ``p < 0.001``."""
    number = write_chance(p)
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def write_chance(p: float) -> str:
    """Write a p-value alone, with the digits that matter; never rounded to the level that decides."""
    if p < 0.001:
        return "< 0.001"
    if round(p, 3) == ALPHA:
        return f"{p:.6f}"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _reservation(p: float | None) -> str:
    """Say so where only the t test, which assumes normality, is significant; `p` is the permutation test's."""
    if p is None or p < ALPHA:
        return ""
    return f", if the differences are normal (the permutation test, which assumes less, gives {write_p(p)})"


def _advise(difference: PairedDifference, wanted: float, alpha: float) -> str:
    if not difference.sd:
        return "every seed gave the same one, so there is no spread to plan with"
    one = f"one of {points(wanted)}"
    needed = seeds_needed(difference.sd, wanted, alpha=alpha)
    if needed is None:
        return f"no number of seeds that can be run would show {one}"
    if needed <= difference.n:
        return f"{difference.n} seeds would most likely have shown {one}"
    unit = 10 ** max(0, len(f"{needed}") - 2)  # two digits, rounded up: the spread is itself an estimate
    return f"you would need about {math.ceil(needed / unit) * unit:,} seeds to see {one}"


def _checked(values: Values) -> npt.NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or len(array) == 0 or not np.isfinite(array).all():
        raise ValueError(f"expected one or more finite values, found {values}")
    return array


def _permute(differences: npt.NDArray[np.float64], seed: int) -> float:
    answer = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=_RESAMPLES,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(answer.pvalue)


def _resample(differences: npt.NDArray[np.float64], seed: int) -> Interval:
    """Percentiles, not BCa: for means of so few seeds both cover alike, and BCa fails on skewed samples."""
    answer = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=_RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return Interval(float(answer.confidence_interval.low), float(answer.confidence_interval.high))
