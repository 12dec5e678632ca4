"""The blog's figure, and one run, among many runs of the blog's program."""

import itertools
import re
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import BLOG
from digitnet.reporting.blog_runs import (
    BLOG_ACCURACY,
    BlogRuns,
    is_blog_experiment,
    place_among,
    stored_runs,
    strip_figure,
    typical_difference,
)

RUNS = BlogRuns((0, 1, 2, 3), (0.9870, 0.9930, 0.9926, 0.9915))


def test_the_blogs_experiment_is_known_by_what_decides_it() -> None:
    assert is_blog_experiment(BLOG.replace(seed=4, threads=2, log_every=7))
    assert not is_blog_experiment(BLOG.replace(steps=200))
    assert not is_blog_experiment(BLOG.replace(hidden=0))
    assert not is_blog_experiment(BLOG.replace(data="fashion-mnist"))


def test_a_run_and_the_blogs_figure_have_their_places_among_the_others() -> None:
    sentence = place_among(0.9928, RUNS)
    for part in ("99.22%", "4 runs", "99.10%", "98.70% to 99.30%", "above 2 of them", "above 3"):
        assert part in sentence
    assert "this run's is above all" in place_among(0.9940, RUNS)


def test_a_run_is_not_compared_with_itself() -> None:
    assert RUNS.without(1) == BlogRuns((0, 2, 3), (0.9870, 0.9926, 0.9915))
    assert RUNS.without(99) == RUNS


@given(st.lists(st.floats(0.9, 1), min_size=2, max_size=9))
def test_the_typical_difference_is_the_mean_over_all_pairs(values: list[float]) -> None:
    expected = mean(abs(a - b) for a, b in itertools.combinations(values, 2))
    assert typical_difference(values) == pytest.approx(expected, abs=1e-9)


def test_the_stored_runs_are_many_and_each_has_a_seed_of_its_own() -> None:
    runs = stored_runs()
    assert len(runs.accuracies) >= 10
    assert len(set(runs.seeds)) == len(runs.seeds) == len(runs.accuracies)
    assert all(0.97 < accuracy < 0.995 for accuracy in runs.accuracies)


@pytest.mark.parametrize("accuracy", [0.90, 0.9870, BLOG_ACCURACY, 0.9950])
@pytest.mark.parametrize("width", ["wide", "narrow"])
def test_every_run_is_a_dot_and_the_names_stay_inside_the_figure(accuracy: float, width: str) -> None:
    figure = strip_figure(accuracy, RUNS, width)  # type: ignore[arg-type]
    (axes,) = figure.axes
    assert len(axes.collections[0].get_offsets()) == len(RUNS.accuracies)
    figure.canvas.draw()
    whole = figure.bbox
    for text in axes.texts:
        box = text.get_window_extent()
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1
    assert {match for text in axes.texts for match in re.findall("the blog|this run", text.get_text())} == {
        "the blog",
        "this run",
    }
