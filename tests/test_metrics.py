"""Every number agrees with an independent oracle: scikit-learn, scipy, or the definition written out."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import scipy.special
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from digitnet import metrics

Logits = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]


def draw(seed: int, images: int = 500, classes: int = 10, sure: float = 3.0) -> tuple[Logits, Labels]:
    """Draw logits that are mostly right, and their labels."""
    source = np.random.default_rng(seed)
    labels = source.integers(0, classes, images).astype(np.uint8)
    logits = source.normal(size=(images, classes))
    logits[np.arange(images), labels] += sure * source.random(images)
    return logits.astype(np.float32), labels


answers = st.builds(draw, seed=st.integers(0, 2**32), images=st.integers(1, 60), classes=st.integers(2, 12))
finite_rows = st.integers(2, 8).flatmap(
    lambda classes: st.lists(
        st.lists(st.floats(-1e4, 1e4, width=32), min_size=classes, max_size=classes), min_size=1, max_size=5
    )
)


# --- probabilities ---------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(finite_rows)
def test_softmax_agrees_with_scipy_and_its_rows_sum_to_one(rows: list[list[float]]) -> None:
    logits = np.array(rows, np.float32)
    probabilities = metrics.softmax(logits)
    np.testing.assert_allclose(probabilities, scipy.special.softmax(logits.astype(np.float64), axis=1), rtol=1e-12)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


@settings(deadline=None)
@given(answers, st.integers(-1000, 1000))
def test_adding_a_constant_to_the_logits_changes_no_probability(answer: tuple[Logits, Labels], shift: int) -> None:
    logits = answer[0].astype(np.float64)
    np.testing.assert_allclose(metrics.softmax(logits + shift), metrics.softmax(logits), rtol=1e-9)


@pytest.mark.parametrize("size", [1e4, 1e8])
def test_huge_logits_overflow_nothing(size: float) -> None:
    logits = np.array([[size, -size, 0], [size, size, size]], np.float32)
    np.testing.assert_allclose(metrics.softmax(logits), [[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]])
    # the two images cost nothing and log 3
    loss = metrics.negative_log_likelihood(logits, np.array([0, 1]))
    assert loss == pytest.approx(math.log(3) / 2)


@settings(deadline=None)
@given(answers)
def test_the_loss_is_scikit_learns(answer: tuple[Logits, Labels]) -> None:
    logits, labels = answer
    classes = range(logits.shape[1])
    oracle = sklearn.metrics.log_loss(
        labels, scipy.special.softmax(logits.astype(np.float64), axis=1), labels=classes
    )
    assert metrics.negative_log_likelihood(logits, labels) == pytest.approx(oracle, rel=1e-9)


def test_a_sure_and_wrong_answer_costs_the_difference_of_its_logits() -> None:
    assert metrics.negative_log_likelihood(np.array([[1e4, 0.0]]), np.array([1])) == pytest.approx(1e4)


# --- accuracy and its interval ---------------------------------------------------------------------------------


@settings(deadline=None)
@given(answers)
def test_accuracy_is_scikit_learns(answer: tuple[Logits, Labels]) -> None:
    logits, labels = answer
    assert metrics.accuracy(logits, labels) == sklearn.metrics.accuracy_score(labels, logits.argmax(axis=1))


def test_all_correct_is_one_and_all_wrong_is_zero() -> None:
    logits = np.eye(10, dtype=np.float32)
    assert metrics.accuracy(logits, np.arange(10)) == 1
    assert metrics.accuracy(logits, (np.arange(10) + 1) % 10) == 0


shares = st.integers(1, 100_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@settings(deadline=None)
@given(shares)
def test_the_interval_is_scipys(share: tuple[int, int]) -> None:
    oracle = scipy.stats.binomtest(*share).proportion_ci(method="wilson")
    interval = metrics.wilson_interval(*share)
    assert interval.low == pytest.approx(oracle.low, abs=1e-12)
    assert interval.high == pytest.approx(oracle.high, abs=1e-12)


@settings(deadline=None)
@given(shares)
def test_the_ends_of_the_interval_lie_one_score_away(share: tuple[int, int]) -> None:
    correct, total = share
    z = scipy.stats.norm.ppf(0.975)
    for end in (metrics.wilson_interval(correct, total).low, metrics.wilson_interval(correct, total).high):
        # the definition (Wilson 1927): |share - p| = z sqrt(p (1 - p) / n)
        assert (correct / total - end) ** 2 == pytest.approx(z * z * end * (1 - end) / total, rel=1e-6, abs=1e-15)


@settings(deadline=None)
@given(shares)
def test_the_interval_holds_the_share_and_stays_in_zero_to_one(share: tuple[int, int]) -> None:
    correct, total = share
    interval = metrics.wilson_interval(correct, total)
    assert 0 <= interval.low <= correct / total <= interval.high <= 1
    assert interval.low < interval.high


@pytest.mark.parametrize("total", [1, 3, 6, 7, 10, 12, 10_000])
def test_the_interval_of_all_or_nothing_reaches_the_end(total: int) -> None:
    assert metrics.wilson_interval(0, total).low == 0
    assert metrics.wilson_interval(total, total).high == 1


@settings(deadline=None)
@given(shares, st.integers(2, 20))
def test_more_images_narrow_the_interval(share: tuple[int, int], times: int) -> None:
    few = metrics.wilson_interval(*share)
    many = metrics.wilson_interval(share[0] * times, share[1] * times)
    assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (-1, 5), (6, 5)])
def test_an_impossible_share_has_no_interval(correct: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"found {correct} of {total}"):
        metrics.wilson_interval(correct, total)


def test_an_interval_reads_as_words() -> None:
    assert str(metrics.Interval(0.98765, 1.0)) == "0.9877 to 1.0000"


# --- confusion -------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(answers)
def test_confusion_precision_and_recall_are_scikit_learns(answer: tuple[Logits, Labels]) -> None:
    logits, labels = answer
    predicted, classes = logits.argmax(axis=1), logits.shape[1]
    known = list(range(classes))
    confusion = metrics.confusion_matrix(predicted, labels, classes)
    assert np.array_equal(confusion, sklearn.metrics.confusion_matrix(labels, predicted, labels=known))
    precision, recall, _, support = sklearn.metrics.precision_recall_fscore_support(
        labels, predicted, labels=known, zero_division=np.nan
    )
    np.testing.assert_allclose(metrics.precision(confusion), precision)
    np.testing.assert_allclose(metrics.recall(confusion), recall)
    assert np.array_equal(confusion.sum(axis=1), support)


def test_a_row_is_the_true_class_and_a_column_the_predicted_one() -> None:
    confusion = metrics.confusion_matrix(np.array([2, 2, 0]), np.array([1, 1, 0], np.uint8), 3)
    assert confusion.tolist() == [[1, 0, 0], [0, 0, 2], [0, 0, 0]]


def test_many_classes_do_not_overflow_the_labels_bytes() -> None:
    labels = np.arange(256).astype(np.uint8)
    assert np.array_equal(metrics.confusion_matrix(labels, labels, 256), np.eye(256))


def test_a_class_that_never_comes_has_no_precision_and_no_recall() -> None:
    confusion = metrics.confusion_matrix(np.array([0, 0]), np.array([0, 1]), 3)
    np.testing.assert_array_equal(metrics.precision(confusion), [0.5, np.nan, np.nan])
    np.testing.assert_array_equal(metrics.recall(confusion), [1, 0, np.nan])


# --- calibration -----------------------------------------------------------------------------------------------


def naive_calibration_error(logits: Logits, labels: Labels, bins: int) -> float:
    """Guo et al. 2017, equation 3, one image at a time."""
    members: dict[int, list[tuple[float, bool]]] = {}
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        weights = [math.exp(value - max(row)) for value in row]
        confidence = max(weights) / sum(weights)
        slot = next(k for k in range(bins) if confidence < (k + 1) / bins or k == bins - 1)
        members.setdefault(slot, []).append((confidence, row.index(max(row)) == label))
    error = 0.0
    for inside in members.values():
        mean_confidence = sum(confidence for confidence, _ in inside) / len(inside)
        share_right = sum(right for _, right in inside) / len(inside)
        error += len(inside) / len(labels) * abs(share_right - mean_confidence)
    return error


@settings(deadline=None)
@given(answers, st.sampled_from([1, 5, 15]))
def test_calibration_error_is_its_definition(answer: tuple[Logits, Labels], bins: int) -> None:
    error = metrics.calibration_error(*answer, bins=bins)
    assert error == pytest.approx(naive_calibration_error(*answer, bins), abs=1e-9)
    assert 0 <= error <= 1


def test_sure_and_correct_has_no_error_and_sure_and_wrong_all_of_it() -> None:
    sure = 1e4 * np.eye(10, dtype=np.float32)
    assert metrics.calibration_error(sure, np.arange(10)) == 0
    assert metrics.calibration_error(sure, (np.arange(10) + 1) % 10) == 1


def test_as_sure_as_correct_has_no_error() -> None:
    logits = np.log(np.array([[0.75, 0.25]] * 4))
    assert metrics.calibration_error(logits, np.array([0, 0, 0, 1])) == pytest.approx(0)


@settings(deadline=None)
@given(answers, st.integers(1, 20))
def test_reliability_counts_every_image_once_in_bins_that_rise(answer: tuple[Logits, Labels], bins: int) -> None:
    logits, labels = answer
    table = metrics.reliability(logits, labels, bins)
    assert sum(row.count for row in table) == len(labels)
    assert all(row.count > 0 for row in table)
    assert [row.confidence for row in table] == sorted(row.confidence for row in table)
    right = sum(row.count * row.accuracy for row in table)
    assert right == pytest.approx(metrics.accuracy(logits, labels) * len(labels))


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.5, 0.9, 0.99]), st.booleans()), min_size=1, max_size=40))
def test_a_threshold_reaches_its_accuracy_and_no_lower_one_does(answers: list[tuple[float, bool]]) -> None:
    confidence, right = np.array([c for c, _ in answers]), np.array([r for _, r in answers])
    curve = metrics.coverage_curve(confidence, right)
    for wanted in (0.5, 0.9, 1.0):
        reaching = [
            t for t in set(confidence) if right[confidence >= t].mean() >= wanted
        ]  # every threshold, tried
        threshold = curve.threshold(wanted)
        assert threshold == min(reaching, default=np.nextafter(1.0, 2.0))
        assert curve.coverage(wanted) == pytest.approx((confidence >= threshold).mean())


def test_the_curve_begins_with_all_images_and_ends_with_the_surest() -> None:
    curve = metrics.coverage_curve(np.array([0.2, 0.9, 0.6, 0.8]), np.array([False, True, True, False]))
    assert curve.points(4) == ((1.0, 0.5), (0.75, pytest.approx(2 / 3)), (0.5, 0.5), (0.25, 1.0))
    assert curve.points(2) == ((1.0, 0.5), (0.25, 1.0))


def test_the_curves_points_are_closest_near_full_coverage() -> None:
    curve = metrics.coverage_curve(np.linspace(0, 1, 10_000), np.ones(10_000, bool))
    unanswered = 1 - np.array([coverage for coverage, _ in curve.points(50)])
    assert len(unanswered) <= 50
    assert (np.diff(unanswered, n=2) > -2e-4).all()  # ever wider apart, but for rounding to whole images
