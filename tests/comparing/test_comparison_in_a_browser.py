"""The page of a comparison in a real browser, on a phone and on a desk, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from made_up import PLAN, VARIANTS, findings, results
from playwright.sync_api import Browser, Page, expect

from browser import DESK, PHONE, needs_browser, opened
from digitnet.comparing.report import render
from processes import PATIENCE

pytestmark = needs_browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of three variants, one with a name that is long and one that is a single word."""
    file = tmp_path_factory.mktemp("pages") / "comparison.html"
    long = "a name that goes on and on, longer than any line of a phone, preprocessing=deskew," + "x" * 60
    plan = PLAN.replace('"start"', f'"{long}"')
    file.write_text(render(findings(results(long, 0.97, 5), *VARIANTS[1:], plan=plan)), encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def page(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    with opened(browser, address, getattr(request, "param", DESK)) as page:
        yield page


@pytest.mark.parametrize("page", [PHONE, DESK, (320, 640)], indirect=True)
def test_nothing_sticks_out_sideways(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_on_a_phone_the_short_table_fits_when_names_are_short(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "comparison.html"
    file.write_text(render(findings()), encoding="utf-8")
    with opened(browser, file.as_uri(), PHONE) as page:
        box = page.locator("header .scroll")
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth")


@pytest.mark.parametrize("page", [PHONE, DESK], indirect=True)
def test_every_picture_can_be_seen(page: Page) -> None:
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Page, scheme: str) -> None:
    """At least 4.5 to 1, as WCAG 2.2 asks of small text."""
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]

    def colour(selector: str, name: str) -> list[float]:
        value = page.locator(selector).first.evaluate(f"element => getComputedStyle(element).{name}")
        return [float(part) for part in value[4:-1].split(",")]

    def luminance(selector: str, name: str) -> float:
        parts = [c / 255 for c in colour(selector, name)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    ground = luminance("body", "backgroundColor")
    for selector in ("h1", ".verdicts li", ".note", ".results td", ".results thead th", "nav a"):
        light, dark = sorted((luminance(selector, "color"), ground), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, selector


def test_a_dark_screen_gets_dark_figures(page: Page) -> None:
    figure = page.locator("#seeds .drawing")
    shown = figure.evaluate("image => image.currentSrc")
    page.emulate_media(color_scheme="dark")
    # waits: a browser chooses another source of a picture only some time after its colours
    expect(figure).not_to_have_js_property("currentSrc", shown, timeout=1_000 * PATIENCE)
