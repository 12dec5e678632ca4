"""The reader reads what was written, says when it is not sure, and refuses what is no image."""

import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from digitnet import Reader, load_dataset
from digitnet.errors import PictureError, UsageError
from digitnet.modelfile import Decision
from digitnet.reading.drawing import draw_reading, draw_stages, percent
from digitnet.reading.expectation import check_count, expect_match
from digitnet.reading.result import Box, Digit, Line, Reading
from reading.paper import agree, lay, write

UInt8 = npt.NDArray[np.uint8]
LABELS = tuple("0123456789")


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def page() -> tuple[UInt8, str]:
    """Two lines of five of MNIST's digits, dark on light, three times their size, and what stands there."""
    test = load_dataset("mnist").test
    page = np.full((320, 620), 240, np.uint8)
    for place, image in enumerate(test.images[10:20]):
        large = np.asarray(Image.fromarray(image).resize((84, 84), Image.Resampling.BICUBIC))
        top, left = 40 + place // 5 * 140, 40 + place % 5 * 115
        page[top : top + 84, left : left + 84] -= (large * 0.8).astype(np.uint8)
    text = "".join(map(str, test.labels[10:20]))
    return page, f"{text[:5]}\n{text[5:]}"


def test_a_page_is_read_line_by_line(reader: Reader, page: tuple[UInt8, str]) -> None:
    picture, text = page
    reading = reader.read(picture)
    assert "\n".join("".join(d.label for d in line.digits) for line in reading.lines) == text
    assert all(answer in (true, "?") for answer, true in zip(reading.text, text, strict=True))
    assert reading.text.count("?") <= 2


def test_a_picture_is_the_same_from_wherever_it_comes(
    reader: Reader, page: tuple[UInt8, str], tmp_path: Path
) -> None:
    picture, _ = page
    path = tmp_path / "page.png"
    Image.fromarray(picture).save(path)
    expected = reader.read(picture)
    assert expected == reader.read(path) == reader.read(path.read_bytes()) == reader.read(Image.open(path))


def test_strokes_on_nothing_are_read_whether_dark_or_light(
    reader: Reader, page: tuple[UInt8, str], tmp_path: Path
) -> None:
    cover = 240 - page[0]
    for light, paper in ((0, 255), (255, 0)):
        drawn = np.dstack([np.full((*cover.shape, 3), light, np.uint8), cover])
        expected = reader.read((paper + (light - paper) * (cover / 255.0)).round().astype(np.uint8))
        Image.fromarray(drawn).save(tmp_path / "drawn.png")
        assert len(expected.text) == len(page[1])
        assert reader.read(drawn).text == reader.read(tmp_path / "drawn.png").text == expected.text


def test_one_digit_is_read_however_large(reader: Reader) -> None:
    test = load_dataset("mnist").test
    for side in (40, 90, 300):
        images = [np.pad(255 - image, 6, constant_values=255) for image in test.images[:10]]
        pictures = [np.asarray(Image.fromarray(image).resize((side, side))) for image in images]
        labels = "".join(reader.read(picture, single=True).digits[0].label for picture in pictures)
        assert labels == "".join(map(str, test.labels[:10]))


def test_a_blank_page_has_no_answer(reader: Reader) -> None:
    noise = np.random.default_rng(0).integers(225, 240, (200, 300), dtype=np.uint8)
    for picture in (np.full((200, 300), 255, np.uint8), np.zeros((28, 28), np.uint8), noise):
        assert reader.read(picture).text == ""
        assert reader.read(picture, single=True).text == ""
        assert not reader.read(picture).is_sure


def test_predict_answers_in_scikit_learns_style(reader: Reader) -> None:
    test = load_dataset("mnist").test
    images, labels = test.images[:600], test.labels[:600]
    predicted = reader.predict(images)
    assert predicted.shape == (600,)
    assert (predicted == labels).mean() > 0.98
    for same in (images.reshape(600, 784), images / 255, images.astype(np.int32), images[:, :, :, None]):
        np.testing.assert_array_equal(reader.predict(same), predicted)
    probabilities = reader.predict_proba(images)
    assert probabilities.shape == (600, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert reader.predict(images[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (np.zeros((28, 28)), "expected shape (n, 28, 28) or (n, 784), found (28, 28)"),
        (np.zeros((3, 27, 28)), "found (3, 27, 28)"),
        (np.zeros((2, 784), dtype=complex), "expected numbers, found complex128"),
        (np.full((2, 784), np.nan), "expected floats of 0 (paper) to 1 (ink), found nan to nan"),
        (np.full((2, 784), 255.0), "expected floats of 0 (paper) to 1 (ink), found 255 to 255"),
        (np.full((2, 784), -1), "expected integers of 0 (paper) to 255 (ink), found -1 to -1"),
        (np.array([["a"] * 784]), "expected numbers"),
    ],
)
def test_what_is_no_image_is_refused(reader: Reader, images: npt.NDArray[np.generic], sentence: str) -> None:
    with pytest.raises(PictureError, match=re.escape(sentence)):
        reader.predict(images)


@pytest.mark.parametrize(
    ("said", "sentence"), [({"single": True, "digits": 2}, "^single says"), ({"digits": 0}, "^digits: expected")]
)
def test_what_cannot_be_so_is_refused(reader: Reader, said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        reader.read(np.full((50, 50), 255, np.uint8), **said)


def test_the_old_name_of_digits_still_works_with_a_warning(reader: Reader, page: tuple[UInt8, str]) -> None:
    with pytest.warns(DeprecationWarning, match="digits="):
        reading = reader.read(page[0], fields=10)
    assert reading == reader.read(page[0], digits=10)


def test_an_expectation_must_be_a_regular_expression(reader: Reader) -> None:
    with pytest.raises(UsageError, match=re.escape("expect [0: expected a regular expression, found")):
        reader.read(np.full((50, 50), 255, np.uint8), expect="[0")


POSSIBLE = [
    ("[0-9]{4}", 4),
    ("[01][0-9]{3}|[0-9]{6}", 6),
    ("(20)?[0-9]{2}", 2),
    ("(20)?[0-9]{2}", 4),
    ("[0-9]*[13579]", 60),
    ("(?=.*7)[0-9]+", 5),
    (r"([0-9])\1+", 3),
    ("[^a-z]{9}", 9),
]
IMPOSSIBLE = [
    ("[0-9]{3}", 4),
    ("[0-9]{3}", 2),
    ("[0-9]{8}", 9),
    ("", 1),
    ("(20)?[0-9]{2}", 3),  # within the bounds of its length
    ("[a-z]{4}", 4),
    ("(?=.*7)[0-6]+", 4),
    (r"([0-9])\1", 3),
    (r"([0-9]{2})\1+", 5),
    ("[0-9]+ [0-9]+", 4),
    ("(?!.)", 1),
]


@pytest.mark.parametrize(("pattern", "count"), POSSIBLE)
def test_an_expectation_that_so_many_digits_can_match_is_taken(reader: Reader, pattern: str, count: int) -> None:
    assert reader.read(np.full((50, 50), 255, np.uint8), digits=count, expect=pattern).text == ""


@pytest.mark.parametrize(("pattern", "count"), IMPOSSIBLE)
def test_an_expectation_that_no_so_many_digits_can_match_is_refused(
    reader: Reader, pattern: str, count: int
) -> None:
    sentence = f"expect {pattern}: expected a regular expression for {count} digits, as digits says, found one"
    with pytest.raises(UsageError, match="^" + re.escape(sentence)):
        reader.read(Path("nowhere.png"), digits=count, expect=re.compile(pattern))


def test_a_single_digit_can_match_an_expectation_of_one_and_of_no_more(reader: Reader) -> None:
    blank = np.full((50, 50), 255, np.uint8)
    assert reader.read(blank, single=True, expect="[0-4]").text == ""
    with pytest.raises(UsageError, match="for 1 digit, as single says, found one that no digit can match"):
        reader.read(blank, single=True, expect="[0-4]{2}")


@given(st.from_regex(r"\A([0-9]|\[[0-4]-[5-9]\]|\.)([?*+]|\{[0-4]\})?(\|?[0-9][?+]?){0,3}\Z"), st.integers(1, 3))
def test_it_is_refused_exactly_when_no_text_of_that_length_matches(pattern: str, count: int) -> None:
    texts = (f"{number:0{count}d}" for number in range(10**count))
    possible = any(re.fullmatch(pattern, text) for text in texts)
    try:
        check_count(re.compile(pattern), LABELS, single=False, digits=count)
    except UsageError:
        assert not possible
    else:
        assert possible


def test_without_the_parser_of_re_the_texts_are_still_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(re, "_parser")
    with pytest.raises(UsageError):
        check_count(re.compile("[0-9]{3}|5{5}"), LABELS, single=False, digits=4)
    check_count(re.compile("[0-9]{3}|6{6}"), LABELS, single=False, digits=9)


def digit(probabilities: list[float], decision: Decision = "accepted", height: int = 20) -> Digit:
    nothing = np.zeros((28, 28), np.uint8)
    label = LABELS[int(np.argmax(probabilities))]
    return Digit(label, tuple(probabilities), decision, 50.0, Box(0, 0, 10, height), nothing, nothing)


def sure_of(label: int, decision: Decision = "accepted", height: int = 20) -> Digit:
    return digit([1.0 if k == label else 0.0 for k in range(10)], decision, height)


def test_a_mark_among_digits_is_a_question_and_a_dot_is_not() -> None:
    letter, dot = sure_of(8, "not a digit"), sure_of(1, "not a digit", height=4)
    assert Line((sure_of(1), letter, sure_of(2))).text == "1?2"
    assert Line((sure_of(1), dot, sure_of(2, "not sure"))).text == "1?"
    assert Line((letter, dot)).text == ""
    assert Reading((Line((letter,)), Line((sure_of(3),)))).text == "3"


def test_json_and_python_call_everything_about_a_digit_by_the_same_name() -> None:
    one = digit([0.75, *[0.25 / 9] * 9], "not sure")
    written = one.to_json()
    assert written.keys() == {"text", "label", "probability", "probabilities", "decision", "score", "box"}
    for name in ("text", "label", "probability", "decision", "score"):
        assert written[name] == getattr(one, name)


weights = st.lists(st.floats(0.001, 1), min_size=10, max_size=10).map(lambda w: [x / sum(w) for x in w])


@given(
    st.lists(weights, min_size=1, max_size=3),
    st.sampled_from(["[0-4]+", "1.*", ".*[13579]", "12|34|56", "(.)\\1*"]),
)
def test_an_expectation_is_bayes_rule(rows: list[list[float]], pattern: str) -> None:
    line = expect_match(Line(tuple(digit(row) for row in rows)), re.compile(pattern), LABELS, sure=0.9)
    posterior = np.zeros((len(rows), 10))  # every text, tried
    for number in range(10 ** len(rows)):
        text = f"{number:0{len(rows)}d}"
        if re.fullmatch(pattern, text):
            places = [int(character) for character in text]
            posterior[np.arange(len(rows)), places] += np.prod(
                [row[k] for row, k in zip(rows, places, strict=True)]
            )
    if not posterior.any():
        assert line.text == "?" * len(rows)
        return
    posterior /= posterior.sum(axis=1, keepdims=True)
    for found, expected in zip(line.digits, posterior, strict=True):
        np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
        assert found.label == LABELS[int(np.argmax(found.probabilities))]
        assert (found.decision == "accepted") == (found.confidence >= 0.9)


def test_an_expectation_is_put_to_use(reader: Reader, page: tuple[UInt8, str]) -> None:
    picture, text = page
    first, second = text.splitlines()
    assert reader.read(picture, expect=f"{first}|{second}").text == text
    other = reader.read(picture, expect="[a-z]+")
    assert set(other.text) <= {"?", "\n"}


def test_the_drawing_shows_every_mark(reader: Reader, page: tuple[UInt8, str]) -> None:
    picture, _ = page
    reading = reader.read(picture)
    drawing = np.asarray(draw_reading(picture, reading))
    plain = np.asarray(draw_reading(picture, Reading(())))
    assert drawing.shape[1] == plain.shape[1] == 1_200
    assert drawing.shape[0] > plain.shape[0]  # by the strip
    scale = 1_152 / picture.shape[1]
    for mark in reading.digits:  # a coloured box, where the mark is
        row = round(64 + (mark.box.top + mark.box.height / 2) * scale)
        left = round(24 + mark.box.left * scale) - 4
        assert np.ptp(drawing[row, left - 2 : left + 4], axis=1).max() > 40


@given(st.floats(0, 1))
def test_a_probability_is_written_in_percent_and_only_what_is_certain_as_100(probability: float) -> None:
    written = percent(probability)
    assert abs(float(written.removesuffix("%")) - 100 * probability) <= 0.1
    assert (written == "100.0%") == (probability == 1)
    assert len(written.partition(".")[2]) == len("4%")


@pytest.mark.parametrize(
    ("probability", "written"), [(0.994, "99.4%"), (0.9996, "99.9%"), (1 - 1e-12, "99.9%"), (1, "100.0%")]
)
def test_a_probability_has_one_decimal(probability: float, written: str) -> None:
    assert percent(probability) == written


def drawn_texts(boxes: list[Box], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """Draw a reading of ones in boxes of a picture; return what is written, with the size of each text."""
    written = []
    text = ImageDraw.ImageDraw.text

    def note(self: Any, place: Any, words: str, *arguments: Any, font_size: float, **options: Any) -> None:
        written.append((words, font_size))
        text(self, place, words, *arguments, font_size=font_size, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", note)
    one = digit([0.002, 0.994, *[0.0005] * 8])
    marks = tuple(replace(one, box=box) for box in boxes)
    draw_reading(np.full((300, 1_152), 255, np.uint8), Reading((Line(marks),)))
    return written


def test_an_answer_is_written_large_and_its_probability_apart_and_small(monkeypatch: pytest.MonkeyPatch) -> None:
    written = drawn_texts([Box(100, 100, 60, 100), Box(400, 100, 60, 100)], monkeypatch)
    answers = [size for words, size in written if words == "1"]
    probabilities = [size for words, size in written if words == "99.4%"]
    assert len(answers) == len(probabilities) == 4  # on the picture and below it
    assert min(answers) > 1.5 * max(probabilities)
    assert not any("1" in words and "%" in words for words, _ in written)


@pytest.mark.parametrize("box", [Box(130, 100, 20, 40), Box(120, 60, 60, 40)])
def test_beside_a_close_mark_a_probability_is_left_to_the_strip(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [words for words, _ in drawn_texts([Box(100, 100, 20, 40), box], monkeypatch)]
    assert words.count("1") == 4
    assert words.count("99.4%") == 3


def test_the_stages_before_a_reading_are_drawn_too(reader: Reader, page: tuple[UInt8, str]) -> None:
    stages = reader.find(page[0])
    drawn = draw_stages(stages)
    colours = np.unique(np.asarray(drawn["components"]).reshape(-1, 3), axis=0)
    assert len(colours) == len(stages.components) + 1  # and the paper
    np.testing.assert_array_equal(np.asarray(drawn["ink"]) == 0, stages.ink.mask == 1)
    chosen = np.asarray(draw_reading(page[0], reader.read(page[0])))
    assert len(np.asarray(drawn["candidates"])) >= len(chosen)  # a strip for every candidate


def test_boxes_are_in_pixels_of_the_file_though_a_large_jpeg_is_decoded_smaller(reader: Reader) -> None:
    cover, boxes = write(["7"], high=1_600, pen=150)
    content = io.BytesIO()
    Image.fromarray(lay(cover)).save(content, "JPEG", quality=92)
    assert max(cover.shape) >= 3_200
    (digit,) = reader.read(content.getvalue(), single=True).digits
    assert agree(digit.box, boxes[0], pixels=16)
