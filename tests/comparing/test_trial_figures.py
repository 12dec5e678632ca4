"""The figures of a comparison hold every seed and every mean, at both widths, whatever the results."""

import itertools
import math
import warnings
from collections.abc import Sequence
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from digitnet.comparing.collect import VariantResults
from digitnet.comparing.compare import Comparison, compare_variants
from digitnet.comparing.figures.against_cost import front_figure, pareto
from digitnet.comparing.figures.by_field import field_figure
from digitnet.comparing.figures.by_two_fields import heat_figure, is_crossed
from digitnet.comparing.figures.in_rows import difference_figure, variant_figure
from digitnet.errors import UsageError
from digitnet.reporting.style import DARK, LIGHT, Theme, Width, spread_dots, to_png

WIDTHS: Sequence[Width] = ("wide", "narrow")


def variant(
    seeds: int = 5, test: float = 0.98, seconds: float = 10, size: int = 1_000, **fields: object
) -> VariantResults:
    """Make results around `test`, whose validation is a little worse."""
    spread = np.linspace(-0.001, 0.001, seeds) if seeds > 1 else np.zeros(seeds)
    accuracies = [float(value) for value in np.clip(test + spread, 0, 1)]
    below = tuple(max(0.0, value - 0.002) for value in accuracies)
    name = " ".join(f"{name}={value}" for name, value in fields.items())
    return VariantResults(name, fields, tuple(range(seeds)), below, tuple(accuracies), (seconds,) * seeds, size)


SIZES = [
    variant(test=0.97 + size / 1_000, seconds=size, size=size**2 * 100, kernel_size=size) for size in (3, 5, 7)
]
GRID = [
    variant(test=0.97 + size / 1_000 + sum(filters) / 10_000, kernel_size=size, filters=filters)
    for size in (3, 5)
    for filters in ((8, 16), (16, 32), (32, 64))
]


def texts(figure: Figure) -> list[str]:
    """Every text of a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def dots(figure: Figure) -> list[tuple[float, float]]:
    """Every dot and every mean of a figure's first axes."""
    scattered = [c for c in figure.axes[0].collections if isinstance(c, PathCollection)]
    return [(float(x), float(y)) for collection in scattered for x, y in np.asarray(collection.get_offsets())]


# --- one field -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_every_seed_is_a_dot_and_every_mean_is_written(width: Width) -> None:
    figure = field_figure(SIZES, "kernel_size", width=width)
    heights = sorted(y for _, y in dots(figure))
    expected = sorted([value for v in SIZES for value in v.test] + [float(np.mean(v.test)) for v in SIZES])
    assert heights == pytest.approx(expected)
    assert {"97.30%", "97.50%", "97.70%"} <= set(texts(figure))


def test_validation_and_test_are_never_drawn_together() -> None:
    test, validation = (field_figure(SIZES, "kernel_size", measure) for measure in ("test", "validation"))
    assert "Test accuracy by kernel size" in texts(test)
    assert "Validation accuracy by kernel size" in texts(validation)
    assert max(y for _, y in dots(validation)) < max(y for _, y in dots(test))


def test_numbers_stand_at_their_distances_and_names_in_their_order() -> None:
    def ticks(values: Sequence[object]) -> dict[str, float]:
        axes = field_figure([variant(x=value) for value in values], "x").axes[0]
        return dict(zip((t.get_text() for t in axes.get_xticklabels()), axes.get_xticks().tolist(), strict=True))

    assert ticks([7, 3, 4]) == {"3": 3, "4": 4, "7": 7}
    assert ticks([1_000, 100, 10_000]) == {"100": 2, "1,000": 3, "10,000": 4}
    assert ticks([(16, 32, 64), (32, 64), (9, 80), (16,)]) == {"16": 0, "9-80": 1, "32-64": 2, "16-32-64": 3}
    assert ticks(["none", "shift"]) == {"none": 0, "shift": 1}
    assert ticks([True, False]) == {"yes": 0, "no": 1}


def test_lines_of_other_fields_are_named() -> None:
    shown = texts(field_figure(GRID, "kernel_size"))
    assert {"filters 8-16", "filters 16-32", "filters 32-64"} <= set(shown)


def test_a_variant_that_differs_in_something_else_too_is_on_no_line() -> None:
    single = variant(test=0.5, kernel_size=5, filters=(1,))
    lines = [variant(test=0.97, kernel_size=size, filters=(8, 16)) for size in (3, 5)]
    assert min(y for _, y in dots(field_figure([*lines, single], "kernel_size"))) > 0.9
    assert min(y for _, y in dots(field_figure([single], "kernel_size"))) < 0.6


def test_a_variant_without_results_is_left_out() -> None:
    assert len(dots(field_figure([*SIZES, variant(0, kernel_size=9)], "kernel_size"))) == 3 * 5 + 3
    to_png(field_figure([variant(0, kernel_size=9)], "kernel_size"))


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(UsageError, match=r"no varied field 'kernel' to draw. Did you mean 'kernel_size'\?"):
        field_figure(GRID, "kernel")
    with pytest.raises(UsageError, match=r"no varied field 'filter' to draw. Did you mean 'filters'\?"):
        heat_figure(GRID, "kernel_size", "filter")


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1)), min_size=1, max_size=5))
def test_any_accuracies_are_drawn_in_every_figure_without_a_warning(results: list[tuple[int, float]]) -> None:
    variants = [variant(seeds, test, k * 100, k, x=k, y=k % 2) for k, (seeds, test) in enumerate(results)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        field = field_figure(variants, "x")
        for figure in (field, heat_figure(variants, "x", "y"), front_figure(variants)):
            assert to_png(figure).startswith(b"\x89PNG")
    heights, values = [y for _, y in dots(field)], [value for v in variants for value in v.test]
    assert bool(heights) == bool(values)
    assert all(min(values) - 1e-9 <= y <= max(values) + 1e-9 for y in heights)


def joined(figure: Figure) -> bool:
    """Whether a line runs through the means."""
    return any(len(line.get_xdata()) > 1 for line in figure.axes[0].lines)  # type: ignore[arg-type]


def test_a_line_joins_numbers_and_never_categories() -> None:
    assert joined(field_figure(SIZES, "kernel_size"))
    for values in (("none", "gentle", "affine"), ((8,), (8, 16)), (True, False)):
        assert not joined(field_figure([variant(x=value) for value in values], "x"))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_names_of_groups_lie_neither_on_each_other_nor_on_the_data_nor_outside(width: Width) -> None:
    crossed = itertools.product(("none", "gentle", "affine"), ("scale", "deskew"))
    alike = [variant(augment=one, preprocessing=other) for one, other in crossed]
    figure = field_figure(alike, "preprocessing", width=width)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text().startswith("augment")]
    assert len(boxes) == 3
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    data = figure.axes[0].get_window_extent()
    assert all(data.x1 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)


# --- rows --------------------------------------------------------------------------------------------------------


def compared(*variants: VariantResults) -> Comparison:
    """Compare each variant with the first."""
    return compare_variants(variants, [(other.name, variants[0].name) for other in variants[1:]])


@pytest.mark.parametrize("width", WIDTHS)
def test_every_variant_is_a_row_of_its_seeds_and_its_mean(width: Width) -> None:
    figure = variant_figure(compared(*SIZES, variant(0, kernel_size=9)), width=width)
    found = sorted(x for x, _ in dots(figure))
    expected = sorted([value for v in SIZES for value in v.test] + [float(np.mean(v.test)) for v in SIZES])
    assert found == pytest.approx(expected)
    assert {*(v.name for v in SIZES), "97.30%", "97.50%", "97.70%"} <= set(texts(figure))


@pytest.mark.parametrize("width", WIDTHS)
def test_every_pair_is_a_row_of_its_differences_with_a_line_at_zero(width: Width) -> None:
    one, *others = SIZES
    figure = difference_figure(compared(*SIZES), width=width)
    expected = [a - b for v in others for a, b in zip(v.test, one.test, strict=True)]
    expected += [float(np.mean(v.test) - np.mean(one.test)) for v in others]
    assert sorted(x for x, _ in dots(figure)) == pytest.approx(sorted(expected))
    (zero,) = figure.axes[0].lines
    assert list(zero.get_xdata()) == [0, 0]  # type: ignore[arg-type]
    left, right = figure.axes[0].get_xlim()
    assert left < 0 < right


def test_a_difference_without_an_interval_or_a_common_seed_is_no_error() -> None:
    alone = variant(1, kernel_size=3)
    apart = VariantResults("apart", {}, (99,), (0.9,), (0.9,), (1.0,), 1)
    figure = difference_figure(compared(alone, variant(1, test=0.5, kernel_size=5), apart))
    assert len(dots(figure)) == 2  # the seed, and its mean


def test_no_text_of_a_row_is_cut_off_however_long_its_name() -> None:
    names = ["a name that goes on and on and on " * 5, "W" * 300, "short"]
    variants = [replace(variant(test=0.9 + k / 100), name=name) for k, name in enumerate(names)]
    for width in WIDTHS:
        for figure in (variant_figure(compared(*variants), width=width), difference_figure(compared(*variants))):
            figure.canvas.draw()
            inside = [t for t in figure.findobj(Text) if t.get_text() and t.get_text()[0] != "W"]
            assert all(t.get_window_extent().x1 <= figure.bbox.x1 for t in inside)


def test_a_dollar_in_a_name_is_a_dollar_and_any_alphabet_is_drawn() -> None:
    odd = [replace(variant(test=0.9, x=name), name=name) for name in ("$\\frac{$", "数字")]
    for figure in (variant_figure(compared(*odd)), field_figure(odd, "x"), front_figure(odd)):
        assert to_png(figure).startswith(b"\x89PNG")


@given(st.lists(st.floats(0, 100), max_size=40))
def test_dots_that_lie_apart_stay_on_their_line_and_others_leave_it_by_two_dots_at_most(
    places: list[float],
) -> None:
    shifts = spread_dots(places, 5)
    assert shifts == spread_dots(places, 5)
    assert set(shifts) <= {0, 5, -5, 10, -10}
    for k, place in enumerate(places):
        if all(abs(place - other) >= 5 for j, other in enumerate(places) if j != k):
            assert shifts[k] == 0


def test_few_dots_never_cover_each_other() -> None:
    places = [0, 1, 2, 3, 9, 9, 9, 20]
    dots = list(zip(places, spread_dots(places, 5), strict=True))
    assert min(math.dist(a, b) for k, a in enumerate(dots) for b in dots[:k]) > 4.9


# --- two fields ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
def test_every_cell_holds_its_mean_and_interval(width: Width) -> None:
    shown = texts(heat_figure(GRID, "filters", "kernel_size", width=width))
    assert {f"{100 * np.mean(v.test):.2f}%" for v in GRID} <= set(shown)
    assert sum(text.startswith("±") and "interval" not in text for text in shown) == len(GRID)


def test_two_fields_are_crossed_where_each_value_met_each_other_equally_often() -> None:
    assert is_crossed(GRID, "kernel_size", "filters")
    assert is_crossed([variant(x=x, y=y, z=z) for x in (1, 2) for y in (1, 2) for z in (1, 2)], "x", "y")
    assert not is_crossed(GRID[1:], "kernel_size", "filters")
    assert not is_crossed([*GRID, variant(kernel_size=3, filters=(8, 16), x=1)], "kernel_size", "filters")
    assert not is_crossed([variant(x=1, y=y) for y in (1, 2)], "x", "y")


def test_the_outline_is_about_the_best_on_validation_though_another_is_best_on_the_test() -> None:
    first, *rest = GRID
    figure = heat_figure(
        [VariantResults("", first.fields, (0,), (1.0,), (0.1,), (1.0,), 1), *rest], "filters", "kernel_size"
    )
    (outline,) = [p for p in figure.findobj(Rectangle) if p.get_width() == 0.94]
    assert (round(outline.get_x() + 0.47), round(outline.get_y() + 0.47)) == (0, 0)


# --- cost ------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    def beats(j: int, k: int) -> bool:
        cheaper, better = points[j][0] - points[k][0], points[j][1] - points[k][1]
        return (cheaper <= 0 <= better) and ((cheaper, better) != (0, 0) or j < k)

    count = range(len(points))
    found = pareto([cost for cost, _ in points], [value for _, value in points])
    assert sorted(found) == [k for k in count if not any(beats(j, k) for j in count if j != k)]
    assert [points[k] for k in found] == sorted(points[k] for k in found)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_front_is_named_against_time_and_against_size(width: Width) -> None:
    shown = texts(front_figure(SIZES, width=width))
    for v in SIZES:
        assert shown.count(v.name) == 2
    assert {"training time, seconds", "parameters"} <= set(shown)


def test_names_never_lie_on_each_other() -> None:
    figure = front_figure([variant(test=0.98 + k / 9_000, seconds=10 + k, size=900 + k, x=k) for k in range(30)])
    for axes in figure.axes:
        boxes = [t.get_window_extent() for t in axes.texts if t.get_text().startswith("x=")]
        assert boxes
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


# --- all -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_every_figure_is_drawn_on_its_page_and_leaves_matplotlib_as_it_was(theme: Theme) -> None:
    before = dict(matplotlib.rcParams)
    for figure in (
        field_figure(GRID, "filters", theme=theme),
        heat_figure(GRID, "filters", "kernel_size", theme=theme),
        front_figure(GRID, theme=theme),
        variant_figure(compared(*GRID), theme=theme),
        difference_figure(compared(*GRID), theme=theme),
    ):
        assert to_png(figure).startswith(b"\x89PNG")
        assert to_hex(figure.get_facecolor()) == theme.paper
    assert dict(matplotlib.rcParams) == before
