"""What a person waits for on the page: its start, and the answer after each movement of the pen.

    .venv/bin/python -m benchmarks.page

Starts `digitnet serve` and a Chromium without a window, draws digits with the mouse, and measures in the page the
time from a movement to the answer about it: the newest movement that a question knows, until its answer is shown.
The result is stored in benchmarks/results/page.json, and a picture of the page in docs/figures/page.png.
"""

import json
import shutil
import statistics
import subprocess
import sys
import time
from math import cos, pi, sin
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from digitnet.files import write_whole
from digitnet.training.environment import describe_machine

ROUNDS = 5
RESULT = Path(__file__).parent / "results" / "page.json"
FIGURE = Path(__file__).parents[1] / "docs" / "figures" / "page.png"

_MEASURE = """
(() => {
  let newest = 0, asked = 0;
  window.waits = [];
  for (const kind of ["pointermove", "pointerrawupdate"]) {
    addEventListener(kind, (event) => { newest = Math.max(newest, event.timeStamp); }, true);
  }
  const plain = window.fetch;
  window.fetch = (...words) => {
    if (String(words[0]).includes("/reader/answers")) asked = newest;
    return plain(...words);
  };
  addEventListener("DOMContentLoaded", () => {
    new MutationObserver(() => { if (asked) { window.waits.push(performance.now() - asked); asked = 0; } })
      .observe(document.getElementById("answer"), { childList: true });
  });
})();
"""


def main() -> None:
    """Measure, print and store."""
    starts, waits, paints = [], [], []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        words = [sys.executable, "-m", "digitnet", "serve", "--port", "0", "--no-browser"]
        server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        starts.append(time.perf_counter() - begin)
        try:
            found = _measure_page(address)
        finally:
            server.terminate()
            server.wait()
        waits += found["waits"]
        paints.append(found["paint"])
    result = {
        "machine": describe_machine(),
        "rounds": ROUNDS,
        "start_seconds": _summarise(starts),
        "paint_milliseconds": _summarise(paints),
        "answer_milliseconds": {**_summarise(waits), "n": len(waits)},
    }
    write_whole(RESULT, json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def _measure_page(address: str) -> dict[str, Any]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.add_init_script(_MEASURE)
        page.goto(address)
        page.wait_for_selector('body[data-answer="7"]')
        for turn in (-0.5, -1.5, -2.5):  # a 6, a 2-like and a 0-like spiral
            _draw_spiral(page, turn)
            page.wait_for_timeout(300)
            page.click("#clear")
        waits = page.evaluate("() => window.waits")
        _draw_three(page)
        page.wait_for_selector('body[data-answer="3"]')
        page.wait_for_timeout(1_000)
        page.evaluate("() => document.activeElement.blur()")
        page.screenshot(path=FIGURE)
        paint = page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
    return {"waits": waits, "paint": paint}


def _draw_spiral(page: Page, start: float) -> None:
    area = page.locator("#pad").bounding_box()
    assert area is not None
    for step in range(41):
        angle, radius = start + 2 * pi * step / 40, 0.34 - 0.1 * step / 40
        x, y = 0.5 + radius * cos(angle), 0.5 + radius * sin(angle)
        page.mouse.move(area["x"] + x * area["width"], area["y"] + y * area["height"])
        if step == 0:
            page.mouse.down()
        page.wait_for_timeout(16)  # as often as a mouse or a finger tells where it is
    page.mouse.up()


def _draw_three(page: Page) -> None:
    area = page.locator("#pad").bounding_box()
    assert area is not None
    bows = ((0.5, 0.335, 0.15, 0.135, 200, 440), (0.49, 0.625, 0.18, 0.16, -80, 160))  # middle, radii, degrees
    places = [
        (area["x"] + (x + wide * cos(degree * pi / 180)) * area["width"],
         area["y"] + (y + high * sin(degree * pi / 180)) * area["height"])
        for x, y, wide, high, start, end in bows
        for degree in range(start, end + 1, 6)
    ]  # fmt: skip
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def _summarise(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 3),
    }


if __name__ == "__main__":
    main()
