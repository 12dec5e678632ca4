"""The page about one image: it says what was found, self-contained, and in words for everybody."""

import base64
import io
import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from conftest import BLOG, SHORT
from digitnet.data.dataset import Dataset
from digitnet.evaluation.explanation import Explanation, Neighbour, explain_image
from digitnet.evaluation.occlusion import Change, Occlusion
from digitnet.reporting import explain_words as words
from digitnet.reporting.explain_page import (
    OwnPicture,
    Subject,
    compose_explanation,
    examples_of,
    render_explanation,
)
from digitnet.reporting.how_it_reads import describe_reading
from digitnet.reporting.overlays import frame, tinted_ink
from digitnet.reporting.pictures import Picture
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network
from html_page import Page

UInt8 = npt.NDArray[np.uint8]
BAR = np.zeros((28, 28), np.uint8)
BAR[4:24, 12:16] = 255


@pytest.fixture(scope="module")
def subject(trained: Path, drawn: Dataset) -> Subject:
    """The explanation of a test image of which everything is known: a bar, read as 7, labelled 4, near to 1."""
    run = Run(trained)
    found = explain_image(load_network(run), BAR, drawn, true=4)
    probabilities = np.array([0.02, 0.3, 0, 0, 0.08, 0, 0, 0.6, 0, 0])
    without = np.tile(probabilities, (3, 1))  # the first square changes nothing, the others make it a 1
    without[1, [1, 7]] = 0.9, 0
    without[2, [1, 7]] = 0.7, 0.2
    corners = np.array([[4, 12], [10, 12], [19, 11]])
    drop = np.zeros((28, 28))
    drop[10:15, 12:16], drop[4, 12] = 1.2, -0.4
    return Subject(
        run=trained,
        config=SHORT,
        dataset=drawn,
        image=57,
        explanation=replace(
            found,
            probabilities=tuple(probabilities),
            occlusion=Occlusion(7, 5, corners, without, drop),
            change=Change(10, 12, 3, without[1]),
        ),
        reads=None,
        disputed=None,
        mistakes=(3, 13),
        takes_pictures=True,
        report="report.html",
    )


@pytest.fixture(scope="module")
def page(subject: Subject) -> Page:
    return Page(render_explanation(subject))


def changed(subject: Subject, **values: Any) -> Subject:
    """The same with another explanation."""
    return replace(subject, explanation=replace(subject.explanation, **values))


def own(pixels: UInt8, *, is_doubted: bool = False) -> OwnPicture:
    return OwnPicture("my <7>.jpg", pixels, (30, 10, 40, 60), is_doubted)


def pixels_of(picture: Picture) -> UInt8:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2]))).convert("RGBA"))


def test_nothing_is_loaded_from_anywhere(page: Page, subject: Subject) -> None:
    assert page.loaded
    assert all(value.startswith("data:") for value in page.loaded)
    assert not re.search(r"@import|url\(|<script [^>]*src", render_explanation(subject))
    assert all(a["href"].startswith(("#", "https://", "report.html")) for a in page.all("a"))


def test_the_page_is_built_for_readers_of_every_kind(page: Page) -> None:
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert next(page.all("html"))["lang"] == "en"
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert all(image["alt"].strip() for image in page.all("img"))
    assert len(names) == len(set(names))
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= set(names)


def test_answer_rival_and_label_are_said_and_marked(page: Page) -> None:
    assert "7 is what the network reads, with a probability of 60.0%" in page.text
    assert "The data set labels test image 57 as 4: the answer is wrong." in page.text
    assert "It gives 4 a probability of 8.0%." in page.text
    assert "rival , the second most probable digit, is 1 with 30.0%" in page.text
    for row in ("4 8.0% label", "1 30.0% rival", "7 60.0% answer"):
        assert row in page.text


def test_terms_are_explained_where_they_first_occur(page: Page) -> None:
    text = page.text.lower().partition("is what the network reads")[2]  # without the style sheet
    for term, meaning in {
        "rival": "second most probable",
        "logit": "one number",
        "softmax": "add up to 100%",
        "occlusion": "taken away",
        "deskews": "centre of mass",
        "test-time augmentation": "shifted by a pixel",
    }.items():
        where = text.index(term)
        assert meaning in text[max(0, where - 400) : where + 250], term


def test_what_decided_is_a_sentence_with_the_square_marked(page: Page, subject: Subject) -> None:
    assert "Without the 3 x 3 pixels marked below, it would read 1." in page.text
    assert "2 of the 3 squares turn the 7 into another answer." in page.text
    assert "Without the square that matters most, it falls to 0.0%." in page.text
    (mark,) = {span["style"] for span in page.all("span") if span.get("class") == "mark"}
    assert mark == "left: 42.857%; top: 35.714%; width: 10.714%; height: 10.714%"
    left_over = pixels_of(compose_explanation(subject)["change"]["image"])[..., 3]
    assert not left_over[10:13, 12:15].any()
    assert left_over.sum() == BAR.sum() - 9 * 255


def test_where_nothing_changes_the_answer_the_page_says_so(subject: Subject) -> None:
    calm = Occlusion(7, 5, np.array([[4, 12]]), np.array([subject.explanation.probabilities]), np.zeros((28, 28)))
    page = Page(render_explanation(changed(subject, occlusion=calm, change=None)))
    assert page.text.count("None of the squares tried, of up to 11 x 11 pixels, changes the answer.") == 2
    assert "No square of 5 x 5 pixels changes the answer by itself." in page.text
    assert "Whichever square is missing, 7 keeps a probability of at least 60.0%" in page.text
    assert "The smallest change" not in page.text
    assert not [span for span in page.all("span") if span.get("class") == "mark"]


def test_the_scale_says_what_its_ends_mean(page: Page, subject: Subject) -> None:
    assert "7 more probable without it no effect 7 falls to 18.1% without it" in page.text  # 0.6 exp(-1.2)
    only_for = changed(subject, occlusion=replace(subject.explanation.occlusion, drop=np.full((28, 28), 0.01)))
    text = Page(render_explanation(only_for)).text
    assert "more probable without it" not in text
    assert "7 falls to 54.0% without it" in text  # nine tenths at least, so that hardly any effect is hardly seen


def test_ink_is_orange_where_the_answer_rests_on_it_and_blue_where_it_is_against(subject: Subject) -> None:
    image = np.full((1, 3), 255, np.uint8)
    image[0, 1] = 60
    drawing = tinted_ink(image, np.array([[1.0, 0, -1]]), "ink")
    (_, dark), light = drawing.sources[0], drawing.fallback
    for form in (dark, light):
        (for_it, neutral, against) = pixels_of(form)[0]
        assert int(for_it[0]) - for_it[2] > 80
        assert int(against[2]) - against[0] > 80
        assert np.ptp(neutral[:3].astype(int)) < 20
        assert [for_it[3], neutral[3], against[3]] == [255, 60, 255]


def test_the_section_on_reading_shows_the_image_with_and_without_the_square(
    page: Page, subject: Subject, trained: Path
) -> None:
    found = subject.explanation
    this, without = examples_of(found)
    assert (this.title, without.title) == ("7", "1")
    assert (this.probabilities, without.probabilities) == (
        found.probabilities,
        (0.02, 0.9, 0, 0, 0.08, 0, 0, 0, 0, 0),
    )
    assert int(this.image.sum()) - int(without.image.sum()) == 9 * 255
    assert len(examples_of(replace(found, change=None))) == 1
    assert "How this network reads" not in page.text
    reads = describe_reading(load_network(Run(trained)), SHORT, examples_of(found), found.label_names)
    shown = Page(render_explanation(replace(subject, reads=reads)))
    assert "How this network reads a digit" in shown.text
    assert any(a["href"] == "#how-it-reads" for a in shown.all("a"))


def test_strength_can_be_told_without_colours() -> None:
    """As lightness alone, as on paper: the more an effect, the further from the paper."""
    values = np.linspace(-1, 1, 21)[None]
    drawing = tinted_ink(np.full(values.shape, 255, np.uint8), values, "ink")
    for form, sign in ((drawing.fallback, -1), (drawing.sources[0][1], 1)):
        lightness = pixels_of(form)[0, :, :3] @ np.array([0.2126, 0.7152, 0.0722])
        assert (np.diff(sign * lightness[10:]) > 0).all()
        assert (np.diff(sign * lightness[:11]) < 0).all()


def test_a_frame_is_given_in_percent_of_its_picture() -> None:
    assert vars(frame(10, 20, 30, 40, (200, 100, 3))) == {"left": 10, "top": 10, "width": 30, "height": 20}


@pytest.mark.parametrize("shape", [(90, 120), (90, 120, 3), (2_000, 900, 3)])
def test_a_picture_of_ones_own_is_shown_with_a_frame_and_without_a_label(
    shape: tuple[int, ...], subject: Subject
) -> None:
    mine = replace(changed(subject, true=None), image=own(np.full(shape, 200, np.uint8)))
    html = render_explanation(mine)
    page = Page(html)
    assert "my <7>.jpg" in page.text
    assert "<7>" not in html
    assert "The data set labels" not in page.text
    assert "framed here" in page.text
    assert "would not accept" not in page.text
    assert len(html) < 200_000
    doubted = render_explanation(replace(mine, image=own(np.full(shape, 200, np.uint8), is_doubted=True)))
    assert "would not accept this as a digit" in doubted


def test_neighbours_come_once_where_the_nearest_are_the_rivals(subject: Subject) -> None:
    rivals, others = (Neighbour(0, 1, 900.0), Neighbour(10, 1, 950.0)), (Neighbour(7, 7, 990.0),)
    found = changed(subject, neighbours=rivals, of_class={7: others, 1: rivals})
    headings = [heading for heading, _ in compose_explanation(found)["neighbours"]]
    assert headings == ["Nearest of all", "Nearest labelled 7, the answer"]
    nearness = words.describe_neighbours(found.explanation)
    assert nearness == "All 2 are labelled 1. The nearest 1 is 0.91 times as far away as the nearest 7."


def test_each_run_says_what_it_does_with_an_image(subject: Subject) -> None:
    assert words.describe_making(BLOG) == ""
    several = words.describe_making(BLOG.replace(members=3))
    assert "ensemble of 3 networks" in several and "all of them together" in several
    assert "deskews" in words.describe_making(SHORT)
    assert words.describe_smoothing(BLOG, 10) == ""
    assert "aims at 91.0%" in words.describe_smoothing(BLOG.replace(label_smoothing=0.1), 10)
    assert "ensemble of 3" in Page(render_explanation(replace(subject, config=SHORT.replace(members=3)))).text


def test_a_network_that_may_refuse_says_so(subject: Subject) -> None:
    text = Page(render_explanation(changed(subject, outlier=0.00002))).text
    assert "may also answer “not a digit”" in text
    assert "probability of under 0.1% here" in text


def test_a_disputed_label_is_marked(subject: Subject) -> None:
    text = Page(render_explanation(replace(subject, disputed="two of five saw the label's 4, three a 7"))).text
    assert "Disputed People doubt the label itself: two of five" in text


def test_the_page_says_how_to_go_on(page: Page, subject: Subject) -> None:
    assert [f"digitnet explain {subject.run} {index}" in page.text for index in (3, 13)] == [True, True]
    assert f"digitnet explain {subject.run} photo.jpg" in page.text
    assert any(a["href"] == "report.html" for a in page.all("a"))
    bare = Page(render_explanation(replace(subject, mistakes=(), takes_pictures=False, report=None))).text
    assert "an index of 0 to 102" in bare
    assert f"digitnet report {subject.run}" in bare
    assert "photo.jpg" not in bare


def test_classes_that_are_no_digits_are_not_called_digits(subject: Subject) -> None:
    names = ("<b>", *"abcdefghi")
    text = Page(render_explanation(changed(subject, label_names=names))).text
    assert "second most probable class, is a" in text
    assert "digit," not in text
    assert words.noun(("0", "1")) == "digit"
    assert words.noun(("10", "1")) == words.noun(("a", "1")) == "class"


def sentence(found: Explanation, **values: Any) -> str:
    return words.answer_sentence(replace(found, **values))


def test_the_answer_is_one_line(subject: Subject) -> None:
    found = subject.explanation
    assert sentence(found, true=None) == sentence(found, true=7) == "Read as 7, 60.0%; the rival is 1, 30.0%."
    assert sentence(found) == "Read as 7, 60.0%, but labelled 4; the rival is 1, 30.0%."
    assert sentence(found, probabilities=(1.0,), label_names=("a",), true=None) == "Read as a, 100.0%."


def test_the_same_subject_makes_the_same_page(subject: Subject) -> None:
    assert render_explanation(subject) == render_explanation(subject)
