"""The page about one image as a person meets it: in a real browser, on a phone and on a desk, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, expect

from browser import DESK, PHONE, needs_browser, opened
from digitnet.data.dataset import Dataset
from digitnet.explaining.explain import explain
from processes import PATIENCE

pytestmark = needs_browser


@pytest.fixture(scope="module")
def address(trained: Path, drawn: Dataset, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page about a wide photograph of one digit."""
    sheet = Image.new("L", (400, 140), 225)
    ImageDraw.Draw(sheet).text((290, 20), "3", fill=40, font=ImageFont.load_default(size=80))
    page = tmp_path_factory.mktemp("pages") / "page.html"
    return explain(trained, np.asarray(sheet), dataset=drawn, out=page).page.as_uri()


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    with opened(browser, address, getattr(request, "param", DESK)) as page:
        yield page


@pytest.mark.parametrize("page", [PHONE, DESK, (320, 640)], indirect=True)
def test_nothing_sticks_out_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_every_picture_can_be_seen(page: Page) -> None:
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_the_frame_lies_over_the_digit_of_the_photograph(page: Page) -> None:
    picture = page.locator(".photograph img").bounding_box()
    mark = page.locator(".photograph .mark").bounding_box()
    assert picture and mark
    left, right = ((mark["x"] + width - picture["x"]) / picture["width"] for width in (0, mark["width"]))
    assert 290 / 400 - 0.02 < left < right < 350 / 400 + 0.02


def test_the_section_on_reading_is_drawn_by_its_script(page: Page) -> None:
    assert page.locator("#how-it-reads .examples button").count() in (1, 2)
    assert page.locator("#how-it-reads .strip button").count() > 4


def test_on_a_dark_screen_ink_is_inverted_and_colours_and_photographs_are_not(page: Page) -> None:
    shown = page.locator(".effect .weights").evaluate("image => image.currentSrc")
    page.emulate_media(color_scheme="dark")
    filters = {
        name: page.locator(name).first.evaluate("image => getComputedStyle(image).filter")
        for name in (".ink", ".weights", ".photograph img")
    }
    assert filters == {".ink": "invert(1)", ".weights": "none", ".photograph img": "none"}
    # waits: a browser chooses another source of a picture only some time after its colours
    expect(page.locator(".effect .weights")).not_to_have_js_property("currentSrc", shown, timeout=1_000 * PATIENCE)
