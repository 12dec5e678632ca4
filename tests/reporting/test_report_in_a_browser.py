"""The page as a person meets it: in a real browser, on a phone and on a desk, by mouse and by keyboard."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page

from browser import DESK, PHONE, needs_browser, opened
from digitnet.data.dataset import Dataset
from digitnet.evaluation.evaluate import load_evaluation
from digitnet.evaluation.layers import Layer, trace_layers
from digitnet.evaluation.mistakes import find_mistakes
from digitnet.metrics import softmax
from digitnet.networks.models import build_network, parameter_count
from digitnet.presets import preset
from digitnet.reporting.how_it_reads import Example, describe_reading
from digitnet.reporting.report import choose_examples, collect_findings, render
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

pytest_plugins = ["judged_run"]
pytestmark = needs_browser


@pytest.fixture
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report, opened at the size of the test."""
    with opened(browser, report.as_uri(), getattr(request, "param", DESK)) as page:
        yield page


def shown_panels(page: Page) -> list[str]:
    """Names of the panels of images that can be seen."""
    return [panel.get_attribute("id") for panel in page.locator(".panel").all() if panel.is_visible()]


@pytest.mark.parametrize("page", [PHONE, DESK, (320, 640)], indirect=True)
def test_nothing_sticks_out_sideways(page: Page) -> None:
    page.locator("body").evaluate(
        "body => body.querySelectorAll('details').forEach(details => details.open = true)"
    )

    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_every_picture_can_be_seen(page: Page) -> None:
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


def test_the_most_frequent_mistake_is_open_at_first(page: Page) -> None:
    assert shown_panels(page) == ["cell-3-8"]


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_a_click_on_a_number_shows_exactly_its_images(page: Page) -> None:
    page.get_by_role("link", name="5 read as 6: 1").click()

    assert shown_panels(page) == ["cell-5-6"]
    images = page.locator("#cell-5-6 img")
    assert [image.get_attribute("alt") for image in images.all()] == ["test image 45: 5"]
    assert images.first.is_visible()


def test_the_enter_key_does_what_a_click_does(page: Page) -> None:
    link = page.get_by_role("link", name="3 read as 8: 2")
    link.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert len(shown_panels(page)) == 1
    assert shown_panels(page) != ["cell-3-8"]

    link.focus()
    page.keyboard.press("Enter")

    assert shown_panels(page) == ["cell-3-8"]
    alts = [image.get_attribute("alt") for image in page.locator("#cell-3-8 img").all()]
    assert alts == ["test image 13: 3", "test image 3: 3"]


def test_an_image_of_a_panel_leads_to_its_card(page: Page) -> None:
    page.locator("#cell-3-8 a").first.click()

    assert page.evaluate("document.querySelector(':target').id") == "mistake-13"
    assert page.locator("#mistake-13").is_visible()


def test_on_a_dark_screen_text_is_light_and_ink_is_white(page: Page) -> None:
    page.emulate_media(color_scheme="dark")

    background, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert sum(map(int, background[4:-1].split(","))) < 150 < 600 < sum(map(int, ink[4:-1].split(",")))
    assert page.locator(".ink").first.evaluate("image => getComputedStyle(image).filter") == "invert(1)"


# How this network reads a digit: the run is of the network blog, with 4 and 8 filters of 5 x 5, deskewed


@pytest.fixture(scope="module")
def layers(judged: Run, drawn: Dataset) -> list[Layer]:
    """What the network itself computes for the examples of the page."""
    network = load_network(judged)
    evaluation = load_evaluation(judged, drawn)
    examples = choose_examples(drawn, evaluation, find_mistakes(evaluation.logits, drawn))
    return trace_layers(network, np.stack([example.image for example in examples]))


def station(page: Page, name: str, which: int = 0) -> Locator:
    return page.locator(".strip button", has=page.get_by_text(name, exact=True)).nth(which)


def number(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", "").rstrip("%"))


def place(page: Page) -> tuple[int, int]:
    """Row and column, from 0, of the sum that is worked out."""
    title = page.locator(".worked h3").inner_text()
    row, column = re.findall(r"\d+", title)
    return int(row) - 1, int(column) - 1


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_the_strip_shows_every_layer_with_its_shape_and_weights(page: Page, layers: list[Layer]) -> None:
    texts = [text.replace("\n", " ") for text in page.locator(".strip button").all_inner_texts()]
    assert [text.split()[0] for text in texts] == [
        "Image", "Deskew", "Convolution", "Max", "Convolution", "Max", "Dense", "Dense", "Softmax",
    ]  # fmt: skip
    for text, layer in zip(texts[1:], layers, strict=False):
        assert str(layer.sums.shape[1]) in text or layer.kind == "deskew"
        assert not layer.parameters or f"{layer.parameters:,} weights" in text


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_the_sum_is_worked_out_to_what_the_network_computes(page: Page, layers: list[Layer]) -> None:
    convolutions = [layer for layer in layers if layer.kind == "convolution"]
    for which, layer in enumerate(convolutions):
        station(page, "Convolution", which).click()
        page.locator(".pairs button").nth(2).click()
        shown = float(page.locator(".worked").get_attribute("data-result") or "nan")
        assert shown == pytest.approx(float(layer.sums[0, 2][place(page)]), abs=1e-3)
        first, second, products = page.locator(".numbers-grid").all()
        for a, b, c in zip(
            *(grid.locator("td").all_inner_texts() for grid in (first, second, products)), strict=True
        ):
            assert number(a) * number(b) == pytest.approx(number(c), abs=0.02 + 0.005 * abs(number(a)))


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_a_click_and_the_arrow_keys_move_the_filter(page: Page, layers: list[Layer]) -> None:
    page.locator("[role=application]").click(position={"x": 30, "y": 40})
    row, column = place(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert place(page) == (row + 1, column + 1)
    shown = float(page.locator(".worked").get_attribute("data-result") or "nan")
    map_number = int(re.search(r"Filter (\d+)", page.locator(".story").inner_text()).group(1))  # type: ignore[union-attr]
    first = next(layer for layer in layers if layer.kind == "convolution")
    assert shown == pytest.approx(float(first.sums[0, map_number - 1][row + 1, column + 1]), abs=1e-3)


def test_the_pool_keeps_the_largest_number(page: Page, layers: list[Layer]) -> None:
    station(page, "Max pool").click()
    shown = [number(text) for text in page.locator(".numbers-grid td").all_inner_texts()]
    kept = number(page.locator(".numbers-grid .is-marked").inner_text())
    assert len(shown) == 4 and kept == max(shown)
    assert np.isclose(next(layer for layer in layers if layer.kind == "pool").sums[0], kept, atol=0.006).any()


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_another_digit_gives_its_own_probabilities(page: Page, layers: list[Layer]) -> None:
    station(page, "Softmax").click()
    for example in (0, 3):
        page.locator(".examples button").nth(example).click()
        shown = [
            number(row.locator("td").nth(2).inner_text().replace("<", ""))
            for row in page.locator(".softmax tbody tr").all()
        ]
        assert shown == pytest.approx(100 * softmax(layers[-1].outputs[example : example + 1])[0], abs=0.11)


def test_the_score_of_a_class_is_worked_out_from_the_last_layers_weights(page: Page, layers: list[Layer]) -> None:
    station(page, "Dense", 1).click()
    page.locator(".bar-row").nth(4).click()
    shown = float(page.locator(".worked").get_attribute("data-result") or "nan")
    assert shown == pytest.approx(float(layers[-1].sums[0, 4]), abs=1e-3)


def test_the_first_screen_of_a_desk_shows_a_filter_a_map_and_a_pool_with_their_words(page: Page) -> None:
    for name in ("Filter", "Map", "Pool"):
        caption = page.locator(".story figcaption", has=page.locator("b", has_text=name)).bounding_box()
        assert caption and caption["y"] + caption["height"] <= DESK[1], name


def test_a_pool_has_no_weights_and_those_of_its_batchnorm_are_named_behind_it(
    browser: Browser, judged: Run, drawn: Dataset, tmp_path: Path
) -> None:
    config = preset("fast")
    network = build_network(config, (28, 28), classes=10)
    reads = describe_reading(network, config, [Example(drawn.test.images[0], "0")], drawn.label_names)
    file = tmp_path / "report.html"
    file.write_text(render(replace(collect_findings(judged, drawn), reads=reads)), encoding="utf-8")
    with opened(browser, file.as_uri()) as page:
        _, *shown = station(page, "Max pool").inner_text().splitlines()
        assert [line for line in shown if line] == ["8 maps", "12 x 12", "+ BatchNorm", "16 weights", "+ ReLU"]
        counts = re.findall(r"([\d,]+) weights", page.locator(".strip").inner_text())
    assert sum(int(count.replace(",", "")) for count in counts) == parameter_count(network)


def test_mistakes_among_the_examples_say_what_was_read(page: Page) -> None:
    assert page.locator(".examples .is-wrong").count() == 4
    assert "read as" in page.locator(".examples .is-wrong").first.inner_text()
