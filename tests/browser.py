"""A real browser to look at pages with: Chromium, where the machine has it; and a file server that hosts them."""

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from processes import PATIENCE

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
PHONE, DESK = (390, 844), (1280, 900)

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium without a window. Leave the block soon: Playwright runs an event loop in this thread."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=1_000 * PATIENCE)
        yield browser
        browser.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *words: object) -> None:
        """Log nothing."""


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Host a folder of files, as it is, and yield the address of the server."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@contextmanager
def opened(
    browser: Browser,
    address: str,
    size: tuple[int, int] = DESK,
    *,
    is_alone: bool = True,
    complains_of: str | None = None,
    prepare: Callable[[Page], object] = lambda page: None,
    **context_options: Any,
) -> Iterator[Page]:
    """Open a page in a window of `size`; until the end it must complain about nothing else than `complains_of`.

    One that is alone must ask for nothing else, and another for nothing of another host.
    """
    width, height = size
    options: Any = {"viewport": {"width": width, "height": height}, "reduced_motion": "reduce", **context_options}
    context = browser.new_context(**options)
    context.set_default_timeout(1_000 * PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    prepare(page)
    page.goto(address)
    yield page
    others = [url for url in asked if not url.startswith("data:")]
    if is_alone:
        assert others == [address]
    else:
        assert [url for url in others if not url.startswith((address, "blob:" + address))] == []
    assert [text for text in complaints if complains_of is None or complains_of not in text] == []
    context.close()
