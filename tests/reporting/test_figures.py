"""The figures hold what they promise, at both widths, and leave matplotlib as it was."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import Evaluation
from digitnet.evaluation.mistakes import Mistake, find_mistakes
from digitnet.metrics import reliability
from digitnet.pages.png import data_uri, png
from digitnet.reporting import figures
from digitnet.reporting.graphs import middles, ticks_down_from_1
from digitnet.reporting.style import DARK, LIGHT, Width, to_png, to_svg
from digitnet.reporting.tiles import ink, sheet, tint
from digitnet.run_folder import History, Run, TrainingRow

pytest_plugins = ["judged_run"]

WIDTHS: Sequence[Width] = ("wide", "narrow")
SOME = np.random.default_rng(0)


def texts(figure: Figure) -> list[str]:
    """Every text of a figure."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def mistakes_of(evaluation: Evaluation, dataset: Dataset) -> list[Mistake]:
    return find_mistakes(evaluation.logits, dataset)


@pytest.mark.parametrize("width", WIDTHS)
def test_samples_are_labelled(drawn: Dataset, width: Width) -> None:
    assert set(drawn.label_names) <= set(texts(figures.sample_figure(drawn.train, drawn.label_names, width)))


@pytest.mark.parametrize("width", WIDTHS)
def test_every_mistake_has_its_image_and_both_labels(evaluation: Evaluation, drawn: Dataset, width: Width) -> None:
    mistakes = mistakes_of(evaluation, drawn)
    figure = figures.mistakes_figure(mistakes, drawn.label_names, width)

    assert len(figure.axes[0].images) == len(mistakes) == 5
    assert texts(figure).count("read as 8") == 2
    assert texts(figure).count("3") == 2


def test_no_more_mistakes_are_shown_than_asked(evaluation: Evaluation, drawn: Dataset) -> None:
    figure = figures.mistakes_figure(mistakes_of(evaluation, drawn), drawn.label_names, most=2)

    assert len(figure.axes[0].images) == 2
    assert "2 of 5 mistakes, the most confident first" in texts(figure)


def test_no_mistakes_make_a_figure_too(drawn: Dataset) -> None:
    assert texts(figures.mistakes_figure([], drawn.label_names))


@pytest.mark.parametrize("width", WIDTHS)
def test_the_curves_are_named_at_their_ends(judged: Run, width: Width) -> None:
    found = " ".join(texts(figures.loss_figure(judged.history, width)))

    assert found.count("training") == found.count("validation") == 2
    assert f"{100 * judged.history.validation[-1].validation_accuracy:.2f}%" in found


def training_history(losses: Sequence[float], every: int = 10) -> History:
    """A history of training alone, measured every so many steps; the accuracy mirrors the loss."""
    return History(
        tuple(
            TrainingRow(every * k, loss=9, accuracy=0, mean_loss=x, mean_accuracy=1 - x, learning_rate=0.1)
            for k, x in enumerate(losses, start=1)
        ),
        (),
    )


@given(st.lists(st.floats(0.001, 0.9), min_size=1, max_size=80))
def test_line_and_dots_begin_and_end_at_the_same_measurement(losses: list[float]) -> None:
    figure = figures.loss_figure(training_history(losses))

    for axes in figure.axes:
        dots = np.asarray(axes.collections[0].get_offsets())
        line = axes.lines[0].get_xydata()
        assert line[[0, -1]] == pytest.approx(dots[[0, -1]])
        assert len(line) == len(dots) == len(losses)


def test_a_mean_of_several_steps_stands_in_their_middle() -> None:
    assert middles(training_history([0.5, 0.4, 0.3]).training) == [5.5, 15.5, 25.5]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("losses", [[0.9, 0.05, 0.02], [0.001] * 4, [0.9] * 9, [0.9, *[0.0009] * 60]])
def test_the_axis_of_accuracy_reaches_and_names_100_percent(losses: list[float], width: Width) -> None:
    figure = figures.loss_figure(training_history(losses), width)
    figure.draw_without_rendering()
    shown = [label.get_text() for label in figure.axes[1].get_yticklabels()]

    assert "100%" in shown
    assert 2 <= len(shown) <= 6
    assert figure.axes[1].get_ylim()[1] >= 1


@given(st.floats(0, 1, exclude_max=True))
def test_ticks_run_down_from_1_at_equal_distances(bottom: float) -> None:
    ticks = ticks_down_from_1(min(bottom, 1 - 1e-9))

    assert ticks[0] == 1 and len(ticks) <= 6
    assert np.allclose(np.diff(ticks, 2), 0, atol=1e-12)


def test_a_run_without_measurements_has_a_graph_too() -> None:
    assert to_png(figures.loss_figure(History((), ()))).startswith(b"\x89PNG")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_confusion_matrix_holds_every_count(evaluation: Evaluation, width: Width) -> None:
    shown = texts(figures.confusion_figure(evaluation.confusion, evaluation.label_names, width))
    counts = [f"{count}" for count in evaluation.confusion.ravel() if count]

    assert all(count in shown for count in counts)


@pytest.mark.parametrize("width", WIDTHS)
def test_reliability_has_a_dot_for_each_bin(evaluation: Evaluation, width: Width) -> None:
    bins = reliability(evaluation.logits, evaluation.labels)
    figure = figures.reliability_figure(bins, width)

    assert len(figure.axes[0].collections[-1].get_offsets()) == len(bins)


@pytest.mark.parametrize("width", WIDTHS)
def test_filters_and_maps_are_counted_in_their_titles(width: Width) -> None:
    weights = [SOME.normal(size=(16, 1, 5, 5)), SOME.normal(size=(32, 16, 5, 5))]
    maps = [SOME.random((16, 28, 28)), SOME.random((32, 14, 14)), SOME.random((17, 7, 7))]
    image = SOME.integers(0, 256, (28, 28), dtype=np.uint8)
    shares = [0.9, 0.1]

    assert "Layer 1: 16 filters, 5 by 5 pixels each" in texts(figures.filter_figure(weights, width))
    assert "Layer 2: 32 filters, 16 slices of 5 by 5 each" in texts(figures.filter_figure(weights, width))
    shown = texts(figures.activation_figure(image, maps, shares, ("cat", "dog"), width))
    assert {"Image", "Layer 2: 32 maps", "Layer 3: 17 maps", "cat", "dog", "90.0%"} <= set(shown)


def test_a_network_without_convolutions_has_no_pictures_of_them(
    judged: Run, drawn: Dataset, evaluation: Evaluation
) -> None:
    traced = figures.TracedImage(drawn.test.images[0], layers=[], probabilities=(1.0,))
    names = figures.draw_figures(judged.history, drawn, evaluation, [], traced).keys()

    assert not {"filters", "activations"} & names


def test_drawing_leaves_the_settings_of_the_caller(judged: Run) -> None:
    before = dict(matplotlib.rcParams)
    to_svg(figures.loss_figure(judged.history, theme=DARK))

    assert dict(matplotlib.rcParams) == before


def test_an_svg_is_the_same_each_time(judged: Run) -> None:
    once, again = (to_svg(figures.loss_figure(judged.history, theme=LIGHT)) for _ in range(2))

    assert once == again
    assert b"<text" in once  # real text, in the reader's font


def test_figures_are_saved_as_sharp_pngs(judged: Run, report: object) -> None:
    folder = judged.path / "figures"

    names = {"samples", "loss", "mistakes", "confusion", "filters", "activations", "reliability", "coverage"}
    assert {path.name for path in folder.iterdir()} == {f"{name}.png" for name in names}
    with Image.open(folder / "loss.png") as picture:
        assert picture.width >= 1_600


def test_ink_is_the_strength_of_the_pixel() -> None:
    picture = ink(np.array([[0, 128, 255]], np.uint8))

    assert picture[0, :, 3].tolist() == [0, 128, 255]
    assert not picture[..., :3].any()


def test_tint_is_white_at_zero_and_differs_with_the_sign() -> None:
    negative, zero, positive = tint(np.array([-1.0, 0.0, 1.0]))[:, :3].astype(int)

    assert min(zero) == 250
    assert negative[2] > negative[0]  # blue
    assert positive[0] > positive[2]  # orange


def test_a_sheet_keeps_every_tile() -> None:
    tiles = SOME.integers(0, 256, (5, 3, 2, 4), dtype=np.uint8)
    picture = sheet(tiles, columns=2, gap=1)

    assert picture.shape == (3 * 3 + 2, 2 * 2 + 1, 4)
    assert (picture[8:, :2] == tiles[4]).all()
    assert (picture[8:, 3:] == 0).all()


def test_a_png_is_small() -> None:
    assert len(data_uri(png(ink(np.zeros((28, 28), np.uint8))))) < 200
