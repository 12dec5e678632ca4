"""The page as a person meets it: in a real browser, on a phone and on a desk, by mouse and by keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser import DESK, PHONE, chromium, needs_browser, opened

pytest_plugins = ["judged_run"]
pytestmark = needs_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


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
