"""The page as a folder of files: a plain file server hosts it, and its answers are those of the server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pen import DIGITS, draw
from playwright.sync_api import Browser, Page, expect
from servers import serving

from browser import PHONE, hosted, needs_browser, opened
from digitnet.data import cache
from digitnet.data.catalog import Download
from digitnet.errors import DataError, StorageError
from digitnet.serving import static
from digitnet.serving.shelf import list_models
from digitnet.serving.static import ONNX_RUNTIME, write_static
from processes import DIGITNET, run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("static") / "site"
    if shutil.which("npm") is None and not (cache.cache_folder() / ONNX_RUNTIME.name).is_dir():
        pytest.skip("onnxruntime-web is not here, and npm, which fetches it, neither")
    done = run(*DIGITNET, "serve", "--static", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(path / "index.html")
    return path


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Host the folder, as it is, below a path: code hosts do so."""
    with hosted(folder.parent) as server:
        yield f"{server}site/"


def answers_to(page: Page, label: str) -> Any:
    """Ask the page's own modules about a digit and a raw image: probabilities, scores, layers."""
    return page.evaluate(
        """async (strokes) => {
            const isStatic = document.querySelector('meta[name="digitnet"]') !== null;
            const { openNetwork } = await import(isStatic ? "./page/browser_network.js" : "./page/network.js");
            const { cropOf, rawImageOf } = await import("./page/strokes.js");
            const toPoint = ([x, y]) => ({ x: 4 * x, y: 4 * y });
            const drawn = strokes.map((points) => ({ width: 20, points: points.map(toPoint) }));
            const found = [];
            for (const name of ["reader", "blog"]) {
                const network = await openNetwork(name);
                const asked = { isInside: name === "blog" };
                const answers = [
                    ...await network.answer([cropOf(drawn)], asked),
                    ...await network.answer([rawImageOf(drawn, 400, 400)], { ...asked, isRaw: true }),
                ];
                for (const one of answers) {
                    found.push({ ...one, image: [...one.image], layers: one.layers.map((layer) => [...layer]) });
                }
            }
            return found;
        }""",
        [list(map(list, stroke)) for stroke in DIGITS[label]],
    )


@needs_browser
def test_a_digit_that_is_drawn_is_read_without_a_server(browser: Browser, address: str) -> None:
    with opened(browser, address, is_alone=False, size=PHONE) as page:
        expect(page.locator("body")).to_have_attribute("data-answer", "7")
        for label in "25":
            draw(page, DIGITS[label])
            expect(page.locator("body")).to_have_attribute("data-answer", label)
            expect(page.locator("#shown-answer")).to_contain_text(label)
            expect(page.locator("#near figure:first-child li").first).to_have_text(label)
            expect(page.locator("#checkpoints .answers li").last).to_have_text(f"{label}10k")
            page.click("#clear")
        expect(page.locator("#no-pictures")).to_contain_text("digitnet serve")
        expect(page.locator("#drop")).to_be_hidden()
        expect(page.locator("#lesson")).to_be_hidden()


@needs_browser
@pytest.mark.parametrize("label", ["0", "4", "8"])
def test_its_answers_are_those_of_the_server(browser: Browser, address: str, label: str) -> None:
    with opened(browser, address, is_alone=False) as page:
        own = answers_to(page, label)
    with serving() as server, opened(browser, server.address, is_alone=False) as page:
        served = answers_to(page, label)
    for one, other in zip(own, served, strict=True):
        assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)
        assert one["decision"] == other["decision"]
        assert one["image"] == other["image"]
        for mine, theirs in zip(one["layers"], other["layers"], strict=True):
            assert mine == pytest.approx(theirs, abs=1e-4)


@needs_browser
def test_a_saved_page_shows_the_drawing_and_the_answer_without_any_script(
    browser: Browser, address: str, tmp_path: Path
) -> None:
    with opened(browser, address, is_alone=False) as page:
        expect(page.locator("body")).to_have_attribute("data-answer", "7")  # its own, when all is loaded
        draw(page, DIGITS["3"])
        expect(page.locator("body")).to_have_attribute("data-answer", "3")
        expect(page.locator("#shown-answer")).to_contain_text("3")
        with page.expect_download() as download:
            page.click("#save")
        saved = tmp_path / "saved.html"
        download.value.save_as(saved)
    assert "<script" not in saved.read_text()
    with opened(browser, saved.as_uri(), java_script_enabled=False) as page:
        expect(page.locator("body")).to_contain_text("It reads 3")
        expect(page.locator("img").first).to_be_visible()
        assert page.locator("img").count() > 10
        assert page.locator("canvas, button:not([aria-pressed]), input, select").count() == 0


def test_the_folder_is_not_written_over_another(folder: Path) -> None:
    with pytest.raises(StorageError, match="expected a new path"):
        write_static(list_models(), folder)


def test_without_onnxruntime_web_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / "cache"))
    nowhere = Download(name=ONNX_RUNTIME.name, files=ONNX_RUNTIME.files, sources=(), by_hand=ONNX_RUNTIME.by_hand)
    monkeypatch.setattr(static, "ONNX_RUNTIME", nowhere)
    with pytest.raises(DataError, match="put them into the folder"):
        write_static(list_models(), tmp_path / "site")
    assert not (tmp_path / "site").exists()


def test_the_descriptions_in_the_folder_are_those_of_its_models(folder: Path) -> None:
    names = json.loads((folder / "models.json").read_text())
    assert names == ["blog", "reader"]
    for name in names:
        described = json.loads((folder / "models" / f"{name}.json").read_text())
        assert described["name"] == name
        assert len(described["labels"]) == 10
