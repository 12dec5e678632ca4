"""The site of the documents: it builds without a warning, finds what one looks for, and asks no other host."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from browser import PHONE, hosted, needs_browser, opened
from processes import DIGITNET, run

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.acceptance, needs_browser]


def build(documents: Path, site: Path) -> "subprocess.CompletedProcess[str]":
    words = ["--quiet", "--fail-on-warning", "--doctree-dir", site.parent / "doctrees", documents, site]
    return subprocess.run([sys.executable, "-m", "sphinx", *words], capture_output=True, text=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    done = build(ROOT / "docs", folder)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with hosted(site) as server:
        yield server


def test_every_page_fits_a_phone_and_asks_no_other_host(site: Path, address: str, browser: Browser) -> None:
    with opened(browser, address, PHONE, is_alone=False) as page:
        for file in sorted(site.glob("*.html")):
            page.goto(address + file.name)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0], file.name


def test_the_search_finds_a_page_by_a_word_in_it(address: str, browser: Browser) -> None:
    with opened(browser, address, is_alone=False) as page:
        page.get_by_placeholder("Search").fill("forgetting")
        page.keyboard.press("Enter")
        page.locator("#search-results").get_by_role("link", name="Teach it your hand").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Teach it your hand")


def test_the_notebook_and_the_examples_can_be_downloaded(site: Path) -> None:
    downloaded = {path.name for path in (site / "_downloads").rglob("*.*")}
    assert downloaded >= {"tutorial.ipynb", *(path.name for path in (ROOT / "examples").glob("*.py"))}


def test_the_home_page_leads_to_the_page_to_draw_on(site: Path, address: str, browser: Browser) -> None:
    done = run(*DIGITNET, "serve", "--static", site / "draw")
    assert done.returncode == 0, done.stderr
    with opened(browser, address, is_alone=False) as page:
        page.get_by_role("link", name="Draw a digit").click()
        expect(page.locator("#pad")).to_be_visible()


FAULTS = {
    "nowhere.md": ("data.md", "[a page](nowhere.md)"),
    "no-heading": ("data.md", "[a heading](trials.md#no-heading)"),
    "digitnet.no_name": ("data.md", "{py:func}`digitnet.no_name`"),
    "no_function": ("python.md", "```{eval-rst}\n.. autofunction:: digitnet.no_function\n```"),
    "unlisted.md": ("unlisted.md", "# A page that no list names"),
}
"""What leads nowhere: by the word that its warning must contain, the page that it is appended to, and the text."""


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> "subprocess.CompletedProcess[str]":
    folder = tmp_path_factory.mktemp("faulty")
    for name in ("README.md", "docs", "examples", "src"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    for page, text in FAULTS.values():
        with (folder / "docs" / page).open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}\n")
    return build(folder / "docs", folder / "site")


@pytest.mark.parametrize("warning", FAULTS)
def test_what_leads_nowhere_fails_the_build(warning: str, faulty: "subprocess.CompletedProcess[str]") -> None:
    assert faulty.returncode == 1
    assert warning in faulty.stderr
