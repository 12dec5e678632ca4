"""The statistics agree with scipy, statsmodels and brute force, and keep their promises on simulated truth."""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from digitnet.comparing.statistics import (
    ALPHA,
    PairedDifference,
    adjust_holm,
    compare_pairs,
    describe_difference,
    mcnemar,
    seeds_needed,
    summarise,
    write_chance,
)
from digitnet.metrics import Interval

shares = st.one_of(st.floats(0, 1), st.integers(0, 10_000).map(lambda right: right / 10_000))
pairs = st.lists(st.tuples(shares, shares), min_size=1, max_size=16)


@pytest.fixture(scope="module", autouse=True)
def no_collections() -> Iterator[None]:
    """Statsmodels collects garbage at each correction, which takes a fifth of a second in a process of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gc.collect", lambda: 0)
        yield


def draw_pairs(seed: int, seeds: int, difference: float, sd: float = 0.0007) -> tuple[list[float], list[float]]:
    """Draw accuracies whose true mean difference, and whose spread of differences, are known."""
    source = np.random.default_rng(seed)
    second = 0.99 + 0.001 * source.uniform(-1, 1, seeds)
    return list(np.clip(second + source.normal(difference, sd, seeds), 0, 1)), list(second)


# --- one variant -----------------------------------------------------------------------------------------------


@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=20))
def test_the_interval_is_students(values: list[float]) -> None:
    summary = summarise(values)
    assert summary.interval is not None
    assert summary.sd is not None
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    assert summary.mean == pytest.approx(math.fsum(values) / len(values), abs=1e-6)
    assert summary.sd == pytest.approx(np.std(values, ddof=1), abs=1e-6)
    assert summary.interval.high - summary.interval.low == pytest.approx(2 * half, rel=1e-6, abs=1e-6)


def test_one_seed_has_neither_spread_nor_interval() -> None:
    summary = summarise([0.99])
    assert (summary.n, summary.mean, summary.sd, summary.interval) == (1, 0.99, None, None)


def test_equal_values_have_no_spread_at_all() -> None:
    summary = summarise([0.1, 0.1, 0.1])  # whose floating-point mean is not 0.1
    assert (summary.mean, summary.sd) == (0.1, 0)
    assert summary.interval is not None
    assert summary.interval.low == summary.interval.high == 0.1


@pytest.mark.parametrize("values", [[], [math.nan], [math.inf, 1.0], [[1.0]]])
def test_nothing_and_what_is_no_number_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        summarise(values)


# --- pairs -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(3, 20))
def test_the_t_test_is_scipys_paired_one(seed: int, n: int) -> None:
    first, second = draw_pairs(seed, n, 0.0003)
    found, oracle = compare_pairs(first, second), stats.ttest_rel(first, second)
    interval = oracle.confidence_interval()
    assert found.p_t == pytest.approx(oracle.pvalue, rel=1e-5)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 9))
def test_the_permutation_test_counts_every_way_to_flip_the_signs(seed: int, n: int) -> None:
    first, second = draw_pairs(seed, n, 0.0003)
    differences = np.round(np.subtract(first, second), 12)
    sums = [abs(float(signs @ differences)) for signs in np.array(list(itertools.product((1, -1), repeat=n)))]
    as_far = sum(total >= abs(differences.sum()) * (1 - 1e-9) for total in sums)
    assert compare_pairs(first, second).p_permutation == pytest.approx(as_far / 2**n)


def test_the_bootstrap_interval_holds_95_percent_of_resampled_means() -> None:
    first, second = draw_pairs(1, 4, 0.001)
    differences = np.subtract(first, second)
    means = [np.mean(chosen) for chosen in itertools.product(differences, repeat=4)]  # all 256 resamples
    interval = compare_pairs(first, second).bootstrap_interval
    assert interval is not None
    assert interval.low == pytest.approx(np.quantile(means, 0.025), abs=2e-5)
    assert interval.high == pytest.approx(np.quantile(means, 0.975), abs=2e-5)


@settings(max_examples=60)
@given(pairs)
def test_any_accuracies_have_an_answer_and_a_sentence(values: list[tuple[float, float]]) -> None:
    first, second = map(list, zip(*values, strict=True))
    found = compare_pairs(first, second)
    assert found.n == len(values)
    assert abs(found.mean) <= 1
    for p in (found.p_t, found.p_permutation):
        assert p is None or 0 <= p <= 1
    for interval in (found.interval, found.bootstrap_interval):
        assert interval is None or interval.low - 1e-12 <= found.mean <= interval.high + 1e-12
    assert describe_difference("A", "B", found).endswith(".")


@settings(max_examples=30)
@given(pairs)
def test_swapping_the_two_mirrors_everything(values: list[tuple[float, float]]) -> None:
    first, second = map(list, zip(*values, strict=True))
    one, other = compare_pairs(first, second), compare_pairs(second, first)
    assert one.mean == pytest.approx(-other.mean, abs=1e-12)
    assert one.p_t == pytest.approx(other.p_t)
    assert one.p_permutation == pytest.approx(other.p_permutation)
    if one.interval and other.interval:
        assert one.interval.low == pytest.approx(-other.interval.high, abs=1e-12)


def test_the_same_seed_draws_the_same_resamples() -> None:
    first, second = draw_pairs(0, 20, 0.0002)
    assert compare_pairs(first, second, seed=1) == compare_pairs(first, second, seed=1)
    assert compare_pairs(first, second, seed=1) != compare_pairs(first, second, seed=2)


def test_equal_differences_are_tested_by_permutations_alone() -> None:
    second = [0.9812, 0.9907, 0.9871, 0.9913, 0.9868, 0.9899]
    found = compare_pairs([value + 0.0021 for value in second], second)  # whose rounding errors differ
    assert (found.sd, found.p_t) == (0, None)
    assert found.p == found.p_permutation == pytest.approx(2 / 2**6)


@pytest.mark.parametrize(("first", "second"), [([], []), ([0.5], [0.5, 0.6]), ([1.5], [0.5]), ([math.nan], [0.5])])
def test_what_can_not_be_paired_is_refused(first: list[float], second: list[float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        compare_pairs(first, second)


# --- the same images -------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_mcnemar_is_the_exact_binomial_test_of_the_images_on_which_they_differ(
    rows: list[tuple[bool, bool]],
) -> None:
    first, second = np.array(rows, dtype=bool).reshape(-1, 2).T
    found = mcnemar(first, second)
    assert found.only_first == sum(one and not other for one, other in rows)
    assert found.only_second == sum(other and not one for one, other in rows)
    discordant = found.only_first + found.only_second
    oracle = stats.binomtest(found.only_first, discordant).pvalue if discordant else 1.0
    assert found.p == pytest.approx(oracle)


def test_mcnemar_is_for_the_same_images() -> None:
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))


# --- many comparisons ------------------------------------------------------------------------------------------


@given(st.lists(st.none() | st.floats(0, 1), max_size=12))
def test_the_correction_is_holms(p_values: list[float | None]) -> None:
    corrected = adjust_holm(p_values)
    tested = {place: p for place, p in enumerate(p_values) if p is not None}
    assert [place for place, p in enumerate(corrected) if p is not None] == list(tested)
    highest = 0.0
    ranks = sorted(tested, key=lambda place: tested[place])
    for rank, place in enumerate(ranks):  # Holm 1979: the smallest times m, the next times m - 1, never falling
        highest = max(highest, min(1.0, (len(tested) - rank) * tested[place]))
        assert corrected[place] == pytest.approx(highest)


# --- simulated truth -------------------------------------------------------------------------------------------


def test_where_nothing_differs_real_is_said_as_rarely_as_promised() -> None:
    said = sum(_p(compare_pairs(*draw_pairs(seed, 8, 0.0))) < ALPHA for seed in range(300))
    assert stats.binom.ppf(0.001, 300, ALPHA) <= said <= stats.binom.ppf(0.999, 300, ALPHA)


def test_of_three_comparisons_of_equals_any_is_called_real_as_rarely_as_of_one() -> None:
    p_values = [_p(compare_pairs(*draw_pairs(seed, 5, 0.0))) for seed in range(240)]
    said = sum(min(adjust_holm(p_values[k : k + 3])) < ALPHA for k in range(0, 240, 3))
    assert said <= stats.binom.ppf(0.999, 80, ALPHA)


def test_the_planned_seeds_find_the_difference_as_often_as_planned() -> None:
    needed = seeds_needed(0.0007, 0.0007)
    assert needed == 10
    found = sum(_p(compare_pairs(*draw_pairs(seed, needed, 0.0007))) < ALPHA for seed in range(300))
    assert 0.72 <= found / 300 <= 0.90


def test_the_t_interval_holds_the_truth_95_times_of_100() -> None:
    answers = [compare_pairs(*draw_pairs(seed, 6, 0.0004)).interval for seed in range(300)]
    held = sum(interval.low <= 0.0004 <= interval.high for interval in answers if interval)
    assert stats.binom.ppf(0.001, 300, 0.95) <= held <= stats.binom.ppf(0.999, 300, 0.95)


# --- how many seeds --------------------------------------------------------------------------------------------


@given(st.floats(0.004, 4), st.sampled_from([0.5, 0.8, 0.9]))
def test_the_seeds_needed_are_the_fewest_with_that_power(effect: float, power: float) -> None:
    needed = seeds_needed(1.0, effect, power)
    assert needed is not None
    assert needed >= 3 or _power(effect, 2) >= power - 1e-6
    assert _power(effect, needed) >= power - 1e-6
    assert needed <= 3 or _power(effect, needed - 1) <= power + 1e-6


@given(st.floats(0, 1), st.floats(-1, 1))
def test_a_plan_is_a_number_of_seeds_or_none(sd: float, difference: float) -> None:
    needed = seeds_needed(sd, difference)
    assert needed is None or 3 <= needed < 1_000_000
    assert (needed is None) == (sd == 0 or abs(difference) / sd < 0.003)


# --- sentences -------------------------------------------------------------------------------------------------


def made(mean: float, half: float, n: int = 10, sd: float = 0.0007, p: float = 0.5) -> PairedDifference:
    """Make a difference with these numbers."""
    interval = Interval(mean - half, mean + half)
    return PairedDifference(n, mean, sd, interval, p_t=p, bootstrap_interval=interval, p_permutation=p)


def test_a_real_difference_is_said_with_its_winner_first() -> None:
    difference = made(-0.0021, 0.0005, p=0.0004)
    expected = "three layers beat two by 0.21 ± 0.05 points (10 seeds, p = 0.002): real."
    assert describe_difference("two", "three layers", difference, p=0.002) == expected


def test_no_difference_seen_comes_with_the_seeds_that_would_show_one() -> None:
    assert describe_difference("A", "B", made(0.0001, 0.0004), p=0.6, smallest=0.0003) == (
        "No difference seen between A and B (0.01 ± 0.04 points, 10 seeds, p = 0.60); "
        "you would need about 45 seeds to see one of 0.03."
    )


def test_enough_seeds_that_saw_nothing_say_so() -> None:
    said = describe_difference("A", "B", made(0.0, 0.0001, n=60), p=0.9)
    assert said.endswith("; 60 seeds would most likely have shown one of 0.05.")


def test_the_corrected_p_value_decides() -> None:
    difference = made(0.0005, 0.0004, p=0.03)
    assert describe_difference("A", "B", difference).endswith("p = 0.030): real.")
    assert describe_difference("A", "B", difference, p=0.09).startswith("No difference seen")


def test_from_one_seed_nothing_is_concluded() -> None:
    said = describe_difference("A", "B", compare_pairs([0.98], [0.99]))
    assert (
        said == "B beat A by 1.00 points with the one seed that both have: nothing can be concluded from one seed."
    )


def test_a_sure_t_test_of_few_seeds_owns_up_to_what_it_assumes() -> None:
    said = describe_difference("A", "B", compare_pairs([0.990, 0.980, 0.985], [0.970, 0.960, 0.964]))
    assert "real, if the differences are normal (the permutation test, which assumes less, gives p = 0.25)" in said


def test_equal_results_have_no_spread_to_plan_with() -> None:
    said = describe_difference("A", "B", compare_pairs([0.5, 0.6], [0.5, 0.6]))
    assert said.startswith("No difference seen between A and B (0.00 ± 0.00 points, 2 seeds")
    assert "no spread to plan with" in said


@pytest.mark.parametrize(("p", "text"), [(1e-9, "< 0.001"), (0.0496, "0.049600"), (0.012, "0.012"), (0.6, "0.60")])
def test_a_p_value_is_written_on_the_side_of_the_level_where_it_lies(p: float, text: str) -> None:
    assert write_chance(p) == text


def _p(difference: PairedDifference) -> float:
    assert difference.p is not None
    return difference.p


def _power(effect: float, n: int) -> float:
    """Power of the two-sided paired t test, from the non-central t distribution."""
    critical, centre = stats.t.ppf(1 - ALPHA / 2, n - 1), effect * math.sqrt(n)
    # sf and not cdf: scipy's cdf is NaN where the lower tail is tiny
    return float(1 + stats.nct.sf(critical, n - 1, centre) - stats.nct.sf(-critical, n - 1, centre))
