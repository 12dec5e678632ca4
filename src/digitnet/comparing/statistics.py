"""Intervals, p-values and plain sentences from the values of many seeds, by scipy and statsmodels.

Accuracies are fractions from 0 to 1; sentences give percentage points. Values are paired by seed. The paired t
test decides: it is the usual test, and keeps its error rate with few seeds. Two checks that don't assume normal
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
"""A difference is called real if its Holm-adjusted p-value is below this."""

SMALLEST_OF_INTEREST = 0.0005
"""The smallest difference of accuracy of interest: 5 images of 10,000."""

_RESAMPLES = 9_999  # up to 13 seeds, all 2^n sign flips are counted instead
_LARGEST_EFFECT = 5.0  # above it, two or three seeds are enough, and the solver does not converge
_SMALLEST_EFFECT = 0.003  # below it, almost a million seeds would be needed

Values = Sequence[float] | npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Summary:
    """Mean, standard deviation and interval over n seeds; one seed has only a mean."""

    n: int
    mean: float
    sd: float | None  # of single seeds, with n - 1
    interval: Interval | None  # 95% t interval of the mean


@dataclass(frozen=True)
class PairedDifference:
    """The difference first minus second, over the n seeds that both have."""

    n: int
    mean: float
    sd: float | None  # of the differences, with n - 1; None for one seed
    interval: Interval | None  # 95% t interval of the mean difference
    p_t: float | None  # paired t test, two-sided; None if all differences are equal
    bootstrap_interval: Interval | None  # 95% percentiles of the mean over resampled seeds
    p_permutation: float | None  # fraction of sign flips whose mean is as far from 0; None for one seed

    @property
    def p(self) -> float | None:
        """The p-value that decides: the t test's, or the permutation test's if all differences are equal."""
        return self.p_permutation if self.p_t is None else self.p_t

    @property
    def half_width(self) -> float:
        """Half of the 95% t interval: the number after "±"; NaN for one seed."""
        return (self.interval.high - self.interval.low) / 2 if self.interval else math.nan


@dataclass(frozen=True)
class McNemar:
    """McNemar's test of two networks on the same test images: how often only one of them is correct."""

    only_first: int
    only_second: int
    p: float


def summarise(values: Values) -> Summary:
    """Compute mean, sd and 95% interval of one or more finite values."""
    array = _checked(values)
    n, mean = len(array), float(array.mean())
    if n == 1:
        return Summary(1, mean, None, None)
    if np.ptp(array) < 1e-150:  # equal up to rounding, whose squares would underflow
        return Summary(n, float(array[0]), 0.0, Interval(float(array[0]), float(array[0])))
    low, high = stats.t.interval(0.95, n - 1, loc=mean, scale=stats.sem(array))
    return Summary(n, mean, float(array.std(ddof=1)), Interval(float(low), float(high)))


def compare_pairs(first: Values, second: Values, seed: int = 0) -> PairedDifference:
    """Compare accuracies of two variants, from 0 to 1; position k of both belongs to the same seed.

    `seed` draws the resamples. Raises ValueError for lengths that differ, no values, and values outside 0 to 1.
    """
    both = _checked(first), _checked(second)
    if len(both[0]) != len(both[1]) or np.min(both) < 0 or np.max(both) > 1:
        raise ValueError(f"expected pairs of fractions from 0 to 1, found {first} and {second}")
    # Fractions have rounding errors of 1e-17; without this, ten equal differences would have a t of a million.
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

    Uses the exact binomial test at any count; the chi-squared form only approximates it, and saves nothing. The
    p-value is about these two networks, not about other seeds.
    """
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"expected two (N,) arrays, found {first.shape} and {second.shape}")
    both, neither = int((first & second).sum()), int((~first & ~second).sum())
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    answer = exact_mcnemar([[both, only_first], [only_second, neither]], exact=True)
    return McNemar(only_first, only_second, float(answer.pvalue))


def adjust_holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for multiple comparisons (Holm 1979), which bounds the family-wise error rate.

    None, where nothing could be tested, stays None and is not counted.
    """
    found = [p for p in p_values if p is not None]
    adjusted = iter(multipletests(found, method="holm")[1] if found else [])
    return [None if p is None else float(next(adjusted)) for p in p_values]


def seeds_needed(
    sd_of_differences: float, difference: float, power: float = 0.8, alpha: float = ALPHA
) -> int | None:
    """Compute the seeds that a paired t test needs to find a `difference` with that power; at least 3.

    None if the standard deviation is 0, or so large that it would take about a million seeds.
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
    `comparisons`; without them, the difference's own are used. If no difference is seen, the sentence says
    how many seeds would show the observed one, or the `smallest` of interest if that is larger, at the Bonferroni
    level of one of so many comparisons.
    """
    p = difference.p if p is None else p
    p_permutation = difference.p_permutation if p_permutation is None else p_permutation
    winner, loser = (first, second) if difference.mean > 0 else (second, first)
    if p is None or difference.sd is None:
        apart = f"{winner} beat {loser} by {points(difference.mean)} points" if difference.mean else ""
        equal = f"{first} and {second} were equal"
        return f"{apart or equal} with the one seed that both have: nothing can be concluded from one seed."
    size = f"{points(difference.mean)} ± {points(difference.half_width)} points"
    facts = f"{difference.n} seeds, {write_p(p)}"
    if p < ALPHA:
        return f"{winner} beat {loser} by {size} ({facts}): real{_reservation(p_permutation)}."
    advice = _advise(difference, max(abs(difference.mean), smallest), ALPHA / comparisons)
    return f"No difference seen between {first} and {second} ({size}, {facts}); {advice}."


def points(difference: float) -> str:
    """Write the size of a difference of accuracies in percentage points: ``0.0021`` is ``0.21``."""
    return f"{100 * abs(difference):.2f}"


def signed_points(difference: float) -> str:
    """Write a difference of accuracies in percentage points with its sign: ``0.0021`` is ``+0.21``."""
    text = f"{100 * difference:+.2f}"
    return text[1:] if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


def write_p(p: float) -> str:
    """Write a p-value in a sentence: ``p = 0.02``, ``p < 0.001``."""
    number = write_chance(p)
    return f"p {number}" if number.startswith("<") else f"p = {number}"


def write_chance(p: float) -> str:
    """Write a p-value alone; never rounded to the significance level."""
    if p < 0.001:
        return "< 0.001"
    if round(p, 3) == ALPHA:
        return f"{p:.6f}"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _reservation(p: float | None) -> str:
    """Add a caveat if only the t test, which assumes normality, is significant; `p` is the permutation test's."""
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
    unit = 10 ** max(0, len(f"{needed}") - 2)  # two digits, rounded up: the sd is itself an estimate
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
    """Resample percentiles, not BCa: for means of few seeds both cover alike, and BCa fails on skewed samples."""
    answer = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=_RESAMPLES,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return Interval(float(answer.confidence_interval.low), float(answer.confidence_interval.high))
