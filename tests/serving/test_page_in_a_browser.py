"""The page in a real browser: what a person draws is read, explained and never leaves this computer."""

import base64
import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pen import DIGITS, draw
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, Response, expect
from servers import Server, serving, without_layers

from browser import PHONE, needs_browser, opened
from digitnet.data.cache import is_cached
from digitnet.data.catalog import MNIST
from digitnet.data.load import load_dataset
from digitnet.modelfile import checkpoints_of
from digitnet.reading.network import Network
from digitnet.reading.reader import Reader
from digitnet.serving.shelf import BLOG
from processes import PATIENCE

pytestmark = needs_browser


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running_server:
        yield running_server


@contextmanager
def at_the_page(browser: Browser, server: Server, **options: object) -> Iterator[Page]:
    """Open the page, and wait until its own 7 is read."""
    with opened(browser, server.address, is_alone=False, **options) as page:  # type: ignore[arg-type]
        expect_answer(page, "7")
        yield page


def expect_answer(page: Page, text: str) -> None:
    """Wait until the drawing is read so; digits of a number are apart."""
    expect(page.locator("body")).to_have_attribute("data-answer", text)


def test_every_digit_that_is_drawn_is_read(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        for label, strokes in DIGITS.items():
            draw(page, strokes)
            expect_answer(page, label)
            expect(page.locator("#answer")).to_contain_text(f"It reads {label}")
            page.click("#clear")
            expect_answer(page, "")


@pytest.mark.parametrize("width", ["8", "40"])
def test_a_thin_and_a_thick_pen_are_read(browser: Browser, server: Server, width: str) -> None:
    with at_the_page(browser, server) as page:
        page.fill("#width", width)
        for label in "2389":
            draw(page, DIGITS[label], left=0.3, top=0.3, size=0.4)
            expect_answer(page, label)
            page.click("#clear")


def test_a_number_is_read_digit_by_digit_and_each_can_be_looked_at(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        for place, label in enumerate("2048"):
            draw(page, DIGITS[label], left=0.02 + 0.24 * place, top=0.3, size=0.27)
        expect_answer(page, "2 0 4 8")
        page.click("#answer button:nth-of-type(3)")
        expect(page.locator(".verdict")).to_contain_text("It reads 4")
        expect(page.locator("#shown-answer")).to_contain_text("4")


def test_a_letter_is_refused(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        draw(page, [[(20, 90), (50, 10), (80, 90)], [(32, 60), (68, 60)]])
        expect_answer(page, "not a digit")


def test_undo_and_eraser_take_strokes_back(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        draw(page, DIGITS["1"])
        draw(page, [[(20, 50), (90, 50)]])
        page.click("#undo")
        expect_answer(page, "1")
        page.click("#eraser")
        draw(page, [[(30, 60), (80, 60)]])
        expect_answer(page, "")
        page.click("#undo")
        expect_answer(page, "1")


def test_a_digit_is_drawn_with_the_keyboard_alone(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        while page.locator(":focus").get_attribute("id") != "pad" if page.locator(":focus").count() else True:
            page.keyboard.press("Tab")
        for _ in range(14):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Space")
        for _ in range(28):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        expect_answer(page, "1")
        page.keyboard.press("Escape")
        expect_answer(page, "")


def test_raw_pixels_are_shrunk_as_they_are_and_mostly_not_read(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        draw(page, DIGITS["4"], left=0.05, top=0.05, size=0.3)
        expect_answer(page, "4")
        page.check("#raw")
        expect(page.locator("#raw-note")).to_be_visible()
        expect(page.locator("body")).not_to_have_attribute("data-answer", "4")


def test_the_sum_that_the_hover_shows_is_torchs(browser: Browser, server: Server) -> None:
    network = Network(BLOG)
    weights, bias = network.read_weights()[1], network.layers[1]["bias"]
    assert weights is not None
    with at_the_page(browser, server) as page:
        replies: list[Response] = []
        page.on("response", lambda reply: replies.append(reply) if "blog/answers" in reply.url else None)
        draw(page, DIGITS["3"])
        expect_answer(page, "3")
        page.wait_for_load_state("networkidle")
        (seen,) = replies[-1].json()
        image = np.frombuffer(base64.b64decode(seen["layers"][0]), "<f4").reshape(1, 1, 28, 28).copy()
        sums = F.conv2d(torch.from_numpy(image), torch.from_numpy(weights), torch.tensor(bias), padding=2)[0]
        page.locator(".story").scroll_into_view_if_needed()
        for row, column in ((9, 14), (20, 11), (0, 27)):
            area = page.locator(".story .framed").nth(1).locator("canvas").bounding_box()
            assert area is not None
            x, y = (column + 0.5) / 28 * area["width"], (row + 0.5) / 28 * area["height"]
            page.mouse.move(area["x"] + x, area["y"] + y)
            expect(page.locator(".worked h3").first).to_contain_text(f"row {row + 1}, column {column + 1},")
            number = int(re.findall(r"\d+", page.locator(".story b", has_text="Map").inner_text())[0]) - 1
            shown = float(page.locator(".worked").first.get_attribute("data-result") or "nan")
            assert shown == pytest.approx(float(sums[number, row, column]), abs=1e-5)


def test_a_picture_is_read_with_a_box_around_each_digit(browser: Browser, server: Server) -> None:
    picture = Image.new("L", (520, 200), 255)
    ImageDraw.Draw(picture).text((40, 20), "2 4 7", fill=0, font_size=130)
    content = io.BytesIO()
    picture.save(content, "PNG")
    with at_the_page(browser, server) as page:
        page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content.getvalue()})
        expect(page.locator("#reading .text")).to_have_text("247")
        expect(page.locator("#reading .box")).to_have_count(3)
        page.fill("#expect", "[0-9]{2}")
        paste(page, content.getvalue())
        expect(page.locator("#reading .text")).not_to_have_text("247")


def test_of_a_document_the_first_page_is_read_and_all_are_counted(browser: Browser, server: Server) -> None:
    pages = [Image.new("L", (520, 200), 255) for _ in range(3)]
    ImageDraw.Draw(pages[0]).text((40, 20), "2 4 7", fill=0, font_size=130)
    content = io.BytesIO()
    pages[0].save(content, "PDF", save_all=True, append_images=pages[1:])
    with at_the_page(browser, server) as page:
        file = {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": content.getvalue()}
        page.set_input_files("#file", file)
        expect(page.locator("#reading .text")).to_have_text("247")
        expect(page.locator("#reading .note").first).to_contain_text("This is the first of 3 pages.")


def paste(page: Page, content: bytes) -> None:
    """Paste a picture into the page."""
    page.locator("body").evaluate(
        """(body, text) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
            body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        base64.b64encode(content).decode(),
    )


@pytest.mark.parametrize("content", [b"", b"not a picture"])
def test_what_is_no_picture_is_said_in_a_sentence(browser: Browser, server: Server, content: bytes) -> None:
    with opened(browser, server.address, is_alone=False, complains_of="400") as page:
        expect_answer(page, "7")
        page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": content})
        expect(page.locator("#reading .failure")).to_contain_text("expected a PNG")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_telephone(browser: Browser, server: Server, scheme: str) -> None:
    with at_the_page(browser, server, size=PHONE, color_scheme=scheme, has_touch=True) as page:
        draw(page, DIGITS["6"])
        expect_answer(page, "6")
        expect(page.locator(".why")).to_be_visible()
        assert page.locator("html").evaluate("page => page.scrollWidth") <= PHONE[0]
        pad = page.locator("#pad").bounding_box()
        answer = page.locator("#answer").bounding_box()
        assert pad is not None and answer is not None
        assert answer["y"] + 40 < PHONE[1], "the answer is on the first screen"


def test_a_server_that_has_stopped_is_said_in_a_sentence(browser: Browser) -> None:
    with serving() as stopped, opened(browser, stopped.address, is_alone=False, complains_of="ERR_") as page:
        expect_answer(page, "7")
        stopped.process.terminate()
        stopped.process.wait()
        draw(page, DIGITS["1"])
        expect(page.locator("#failure")).to_contain_text("digitnet serve")


def test_everything_that_can_be_pressed_has_a_name(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        for control in page.locator("button, input, select, [role=application]").all():
            name = control.evaluate("one => one.ariaLabel || one.innerText || one.labels?.[0]?.innerText || ''")
            assert name.strip(), control.evaluate("one => one.outerHTML")


def test_what_a_person_says_it_was_is_kept_and_can_be_taken_back(browser: Browser, tmp_path: Path) -> None:
    with serving("--own", tmp_path / "mine") as own_server, at_the_page(browser, own_server) as page:
        draw(page, DIGITS["7"])
        expect_answer(page, "7")
        page.click("#labels >> text=1")
        expect(page.locator("#kept")).to_contain_text("Kept as a 1.")
        page.click("#kept >> text=Take back")
        expect(page.locator("#kept")).to_contain_text("Taken back.")
        page.click("#labels >> text=7")
        expect(page.locator("#kept")).to_contain_text("1 of your digits is in")
        with page.expect_download() as download:
            page.click("#kept >> text=csv")
        assert download.value.path().read_text().splitlines()[1].startswith("7,")
    assert [file.parent.name for file in (tmp_path / "mine").rglob("*.png")] == ["7"]


def test_many_digits_are_drawn_and_named_one_after_the_other(browser: Browser, tmp_path: Path) -> None:
    with serving("--own", tmp_path / "mine") as own_server, at_the_page(browser, own_server) as page:
        for count, label in enumerate("7413", start=1):
            draw(page, DIGITS[label])
            expect_answer(page, label)
            page.keyboard.press(label)
            expect(page.locator("#kept")).to_contain_text(f"{count} of your digits")
    assert sorted(file.parent.name for file in (tmp_path / "mine").rglob("*.png")) == ["1", "3", "4", "7"]


def test_a_named_drawing_is_not_lost_to_the_eraser_nor_named_by_a_shortcut(
    browser: Browser, tmp_path: Path
) -> None:
    with serving("--own", tmp_path / "mine") as own_server, at_the_page(browser, own_server) as page:
        draw(page, DIGITS["4"])
        expect_answer(page, "4")
        page.keyboard.press("Control+0")
        page.keyboard.press("4")
        expect(page.locator("#kept")).to_contain_text("1 of your digits")
        page.click("#eraser")
        draw(page, [[(2, 2), (3, 3)]], left=0.02, top=0.02, size=0.1)
        expect_answer(page, "4")
        page.click("#eraser")
        page.click("#kept >> text=Take back")
        expect(page.locator("#kept")).to_contain_text("Taken back")
        draw(page, [[(10, 95), (12, 96)]])  # corrects the drawing, and begins no new one
        page.click("#undo")
        expect_answer(page, "4")


def test_a_browser_without_a_canvas_is_told_so(browser: Browser, server: Server) -> None:
    def take_it_away(page: Page) -> None:
        page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")

    with opened(browser, server.address, is_alone=False, complains_of="no canvas", prepare=take_it_away) as page:
        expect(page.locator("#failure")).to_contain_text("digitnet read photo.jpg")


def test_a_drawing_outlives_a_reload(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        draw(page, DIGITS["4"])
        expect_answer(page, "4")
        page.reload()
        expect_answer(page, "4")
        page.click("#clear")
        expect_answer(page, "")


def test_two_pages_that_teach_at_once_lose_nothing(browser: Browser, tmp_path: Path) -> None:
    with (
        serving("--own", tmp_path / "mine") as own_server,
        at_the_page(browser, own_server) as one,
        at_the_page(browser, own_server) as other,
    ):
        for count in range(3):
            for page in (one, other):
                page.click("#clear", force=True)
                draw(page, DIGITS["7"])
                expect_answer(page, "7")
                page.click("#labels >> text=7")
                expect(page.locator("#kept")).to_contain_text(f"{2 * count + 1 + (page is other)} of your digits")
        expect(other.locator("#kept")).to_contain_text("6 of your digits")
    assert len(list((tmp_path / "mine" / "7").glob("*.png"))) == 6


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file where the folder should be")
    with (
        serving("--own", tmp_path / "mine") as own_server,
        opened(browser, own_server.address, is_alone=False, complains_of="507") as page,
    ):
        expect_answer(page, "7")
        draw(page, DIGITS["7"])
        expect_answer(page, "7")
        page.click("#labels >> text=7")
        expect(page.locator("#failure")).to_contain_text("could not be written")


def test_a_challenge_says_what_it_shows_once_it_is_met(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        for _ in range(3):
            page.click("#challenge >> text=Another")
        expect(page.locator("#challenge")).to_contain_text("raw pixels")
        page.check("#raw")
        draw(page, DIGITS["3"], left=0.05, top=0.05, size=0.25)
        expect(page.locator("#challenge")).to_contain_text("Done")
        expect(page.locator("#challenge")).to_contain_text("another distribution")


def test_what_the_answer_rests_on_is_said(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        draw(page, DIGITS["6"])
        expect_answer(page, "6")
        expect(page.locator(".why")).to_contain_text("without the orange part: 0")


def test_the_nearest_training_images_and_the_second_guess_are_shown(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        expect(page.locator("#near figure")).to_have_count(2)
        expect(page.locator("#near figure:first-child li")).to_have_count(5)
        expect(page.locator("#near figure:first-child li").first).to_have_text("7")
        second = page.locator("#near figure:last-child")
        label = re.search(r"Nearest ([0-9]), the second guess", second.inner_text())
        assert label is not None and label[1] != "7"
        assert second.locator("li").all_inner_texts() == [label[1]] * 3


def test_the_slider_shows_the_network_as_it_was_while_it_learned(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        answers = page.locator("#checkpoints .answers li")
        expect(answers).to_have_count(14)
        expect(answers.last.locator("b")).to_have_text("7")
        expect(answers.last.locator("small")).to_have_text("10k")
        for place, step, told in (
            (0, 0, "before training"),
            (6, 50, "after 50 steps"),
            (13, 10_000, "after 10,000"),
        ):
            page.locator("#checkpoints input").fill(str(place))
            expect(page.locator("#checkpoints .where")).to_contain_text(told)
            expect(page.locator("#shown-answer")).to_contain_text(f"blog, {told}")
            filters = Network(checkpoints_of(BLOG) / f"{step}.onnx").read_weights()[1]
            assert filters is not None
            number = int(re.findall(r"\d+", page.locator(".story b", has_text="Filter").inner_text())[0]) - 1
            texts = page.locator(".worked table").nth(1).locator("td").all_inner_texts()
            shown = [float(text.replace("\N{MINUS SIGN}", "-")) for text in texts]
            assert shown == pytest.approx(filters[number].ravel().tolist(), abs=0.0051)
        page.select_option("#shown", "reader")
        expect(page.locator("#checkpoints")).to_be_hidden()


def test_the_mistakes_of_the_shown_network_can_be_opened(browser: Browser, server: Server) -> None:
    if not is_cached(MNIST):
        pytest.skip("MNIST is not in the cache")
    test = load_dataset("mnist").test
    predicted = Reader(BLOG).predict(test.images)
    wrong = int((predicted != test.labels).sum())
    fours = int(((test.labels == 4) & (predicted == 9)).sum())
    with at_the_page(browser, server) as page:
        page.locator("#fails").scroll_into_view_if_needed()
        expect(page.locator("#fails-note")).to_contain_text(f"reads {wrong} of", timeout=1_000 * PATIENCE)
        page.click("[aria-label^='4 read as 9']")
        expect(page.locator(".mistakes h3")).to_have_text("4 read as 9")
        expect(page.locator(".mistakes canvas")).to_have_count(min(fours, 24))
        page.click(".mistakes li:first-child button")
        expect(page.locator("#shown-answer")).to_contain_text("blog")


def test_a_layer_that_is_chosen_is_explained_with_its_numbers(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        for place, told in ((2, "Max pool"), (5, "The score of"), (6, "e to the power s"), (0, "Numbers")):
            page.click(f".strip li:nth-child({place + 1}) button")
            expect(page.locator(".panel-of-layer")).to_contain_text(told)


def test_a_model_without_a_look_inside_says_how_to_get_one(browser: Browser, tmp_path: Path) -> None:
    old = tmp_path / "runs" / "old"
    old.mkdir(parents=True)
    (old / "model.onnx").write_bytes(without_layers(BLOG.read_bytes()))
    with serving(cwd=tmp_path) as own_server, at_the_page(browser, own_server) as page:
        page.select_option("#shown", "old")
        expect(page.locator("#no-inside")).to_contain_text("digitnet export")
        page.select_option("#shown", "blog")
        expect(page.locator("#no-inside")).to_be_hidden()
        expect(page.locator(".strip li")).to_have_count(7)


def test_the_reader_too_can_be_looked_into(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        page.select_option("#shown", "reader")
        expect(page.locator(".strip li")).to_have_count(9)
        expect(page.locator("#shown-answer")).to_contain_text("reader reads: 7")


def test_a_drawing_is_not_lost_to_a_key_that_draws_nothing(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server) as page:
        draw(page, DIGITS["3"])
        expect_answer(page, "3")
        for key in ("Tab", "Shift", "a"):
            page.keyboard.press(key)
        page.wait_for_timeout(200)
        expect_answer(page, "3")


def test_another_label_for_the_same_drawing_takes_the_place_of_the_first(browser: Browser, tmp_path: Path) -> None:
    with serving("--own", tmp_path / "mine") as own_server, at_the_page(browser, own_server) as page:
        expect(page.locator("#lesson")).to_be_hidden()  # the 7 is not the person's
        draw(page, DIGITS["7"])
        expect_answer(page, "7")
        page.click("#labels >> text=1")
        expect(page.locator("#kept")).to_contain_text("Kept as a 1.")
        page.click("#labels >> text=7")
        expect(page.locator("#kept")).to_contain_text("Kept as a 7. ")
        expect(page.locator("#kept")).to_contain_text("1 of your digits")
    assert [file.parent.name for file in (tmp_path / "mine").rglob("*.png")] == ["7"]


def test_a_drawing_that_was_begun_before_the_page_was_ready_is_read(browser: Browser, server: Server) -> None:
    def slow_down(page: Page) -> None:
        page.route("**/api/models/blog", lambda route: (time.sleep(1.5), route.continue_()))

    with opened(browser, server.address, is_alone=False, prepare=slow_down) as page:
        draw(page, DIGITS["3"])
        expect_answer(page, "3")
        expect(page.locator("#failure")).to_be_hidden()


def test_one_failed_question_does_not_lose_the_next(browser: Browser, server: Server) -> None:
    with opened(browser, server.address, is_alone=False, complains_of="ERR_FAILED") as page:
        expect_answer(page, "7")
        failed = []
        page.route(
            "**/api/models/reader/answers",
            lambda route: route.continue_() if failed else (failed.append(True), route.abort()),
        )
        draw(page, DIGITS["3"])
        expect_answer(page, "3")


def test_a_second_finger_draws_nothing(browser: Browser, server: Server) -> None:
    with at_the_page(browser, server, size=PHONE, has_touch=True) as page:
        area = page.locator("#pad").bounding_box()
        assert area is not None
        touch = page.context.new_cdp_session(page)
        for step in range(21):
            y = area["y"] + 40 + 10 * step
            fingers = [
                {"x": area["x"] + 180, "y": y, "id": 0},
                {"x": area["x"] + 320, "y": area["y"] + 200, "id": 1},
            ]
            kind = "touchStart" if step < 2 else "touchMove"
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers[: 1 + min(step, 1)]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect_answer(page, "1")


@pytest.mark.acceptance
def test_a_person_teaches_it_their_hand_and_sees_whether_that_helped(browser: Browser, tmp_path: Path) -> None:
    mnist = load_dataset("mnist").train
    for index in range(30):
        home = tmp_path / "mine" / str(mnist.labels[index])
        home.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mnist.images[index]).save(home / f"{index}.png")
    with serving("--own", tmp_path / "mine") as own_server, at_the_page(browser, own_server) as page:
        draw(page, DIGITS["4"])
        expect_answer(page, "4")
        page.click("text=Learn my hand")
        expect(page.locator("#teach table")).to_contain_text("of 30", timeout=1_000 * PATIENCE)
        expect(page.locator("#teach")).not_to_contain_text("Better")  # MNIST's digits were read already
        assert page.locator("#reader").input_value() == "reader"
        page.select_option("#reader", "adapted")
        page.click("#clear")
        draw(page, DIGITS["3"])
        expect_answer(page, "3")
    assert Network(tmp_path / "mine" / "adapted.onnx").layers


def test_the_routes_for_programs_can_be_read_and_tried(browser: Browser, server: Server) -> None:
    with opened(browser, server.address, is_alone=False) as page:
        page.goto(f"{server.address}docs")
        page.get_by_text("/v1/predict").first.click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".live-responses-table .response")).to_contain_text('"label": "1"')
