"""The page: complete, honest, self-contained, and for everybody."""

import itertools
import re
import shlex
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from conftest import BLOG, SHORT
from digitnet.data.dataset import Dataset
from digitnet.errors import RunError
from digitnet.evaluation.evaluate import Evaluation
from digitnet.evaluation.mistakes import find_mistakes
from digitnet.reporting.glossary import OF_LAYERS, TERMS, prose, words_of_reading
from digitnet.reporting.page import Findings, compose
from digitnet.reporting.report import collect_findings, make_report, render, trace_first_correct
from digitnet.run_folder import Run, create
from html_page import Page

pytest_plugins = ["judged_run"]


@pytest.fixture(scope="module")
def page(report: Path) -> Page:
    return Page(report.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def found(judged: Run, drawn: Dataset) -> Findings:
    return collect_findings(judged, drawn)


def test_the_page_lies_in_the_run_folder_and_is_small(report: Path, judged: Run) -> None:
    assert report == judged.path / "report.html"
    assert report.stat().st_size < 1_000_000


def test_nothing_is_loaded_from_anywhere(page: Page, report: Path) -> None:
    assert page.loaded
    assert all(value.startswith("data:") for value in page.loaded)
    assert not re.search(r"@import|url\(|<script [^>]*src", report.read_text(encoding="utf-8"))
    assert all(a["href"].startswith(("#", "https://")) for a in page.all("a"))


def test_every_picture_has_words_that_stand_in_for_it(page: Page) -> None:
    assert all(image["alt"].strip() for image in page.all("img"))


def test_every_fragment_has_its_target_and_no_name_is_given_twice(page: Page) -> None:
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]

    assert len(names) == len(set(names))
    assert {a["href"][1:] for a in page.all("a") if a["href"].startswith("#")} <= set(names)


def test_the_page_is_built_for_readers_of_every_kind(page: Page) -> None:
    headings = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]

    assert next(page.all("html"))["lang"] == "en"
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(headings))
    assert any("width=device-width" in meta.get("content", "") for meta in page.all("meta"))


def test_the_numbers_are_those_of_the_evaluation(page: Page, evaluation: Evaluation) -> None:
    assert f"{100 * evaluation.accuracy:.2f}%" in page.text
    assert f"{100 * evaluation.interval.low:.2f}% to {100 * evaluation.interval.high:.2f}%" in page.text
    assert "gets 5 wrong" in page.text


def test_mistakes_come_most_confident_first_and_each_has_its_neighbours(page: Page) -> None:
    cards = [a["id"] for a in page.all("article")]

    assert cards == [f"mistake-{index}" for index in (57, 45, 20, 13, 3)]
    assert sum("training image labelled" in image["alt"] for image in page.all("img")) == 5 * 5


def test_the_table_of_confusions_links_to_each_kind_of_mistake(page: Page) -> None:
    links = {a["href"]: a["aria-label"] for a in page.all("a") if a["href"].startswith("#cell")}

    assert links["#cell-3-8"] == "3 read as 8: 2"
    assert len(links) == 4


def test_the_coverage_curve_says_that_it_is_in_sample(found: Findings) -> None:
    section = render(found).partition('<section id="confidence">')[2]
    coverage = Page(section[section.index("may say") :]).text

    assert "in-sample: the thresholds are chosen on the same test images" in coverage
    assert "In-sample" in compose(found)["coverage"].fallback.alt


def test_names_are_escaped(page: Page, report: Path) -> None:
    assert "run <1> & more" in page.text
    assert "<1>" not in report.read_text(encoding="utf-8")


def test_settings_environment_and_command_are_there(page: Page, judged: Run, report: Path) -> None:
    assert judged.summary["command"] in page.text
    assert "steps 40 preset blog: 10,000" in page.text
    assert "validate every 15 preset blog: 500" in page.text
    assert '<th scope="row">members</th>' not in section(report, "repeat")  # they are off
    assert "deep 1, not known" in page.text  # whatever the environment holds is listed
    assert "torch" in page.text


def section(report: Path, name: str) -> str:
    """The HTML of one section of the page, or of its header."""
    html = report.read_text(encoding="utf-8")
    start = "<header>" if name == "header" else f'<section id="{name}">'
    return re.split('\n<section id="|</header>|</main>', html.partition(start)[2], maxsplit=1)[0]


def test_each_term_is_explained_once_in_the_section_where_it_first_occurs(report: Path) -> None:
    names = ["header", "samples", "training", "mistakes", "confusion", "classes", "confidence", "repeat", "next"]
    known = set(OF_LAYERS)  # "How this network reads a digit" explains them, before all of these
    for name in names:
        names_and_links = '<nav.*?</nav>|<article.*?</article>|<p class="kicker">.*?</p>'
        html = re.sub(names_and_links, "", section(report, name), flags=re.DOTALL)
        explained = re.findall("<dfn>(.*?)</dfn>", html)
        text = prose(re.sub('<dl class="terms">.*?</dl>', "", html, flags=re.DOTALL))
        occurring = {term.name for term in TERMS if term.occurs_in(text)}

        assert set(explained) == occurring - known, name
        known |= occurring


def test_the_glossary_holds_the_terms_of_this_page_and_no_other(report: Path, found: Findings) -> None:
    listed = re.findall("<dfn>(.*?)</dfn>", section(report, "glossary"))
    before = report.read_text(encoding="utf-8").partition('id="glossary"')[0]
    said = re.sub('<dl class="terms">.*?</dl>', "", before, flags=re.DOTALL)
    text = f"{prose(said)} {words_of_reading(found.reads or {})}"

    assert {term.name for term in TERMS if term.occurs_in(text)} <= set(listed)
    assert {"convolution", "filter", "map", "ReLU", "pool", "dense layer", "softmax", "bias"} <= set(listed)
    assert not {"BatchNorm", "ensemble", "outlier", "standard deviation", "label smoothing"} & set(listed)


def test_a_term_means_the_same_wherever_it_is_explained(report: Path) -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    html = report.read_text(encoding="utf-8")
    for name, meaning in re.findall(r"<dfn>(.*?)</dfn></dt><dd>(.*?)</dd>", html):
        meanings[name].add(meaning)

    assert len(meanings) > 20
    assert all(len(found) == 1 for found in meanings.values())


def test_the_page_ends_with_what_to_do_next(page: Page, judged: Run) -> None:
    folder = shlex.quote(str(judged.path))

    assert f"digitnet explain {folder} 57" in page.text
    assert f"digitnet read photo.jpg --model {shlex.quote(str(judged.path / 'model.onnx'))}" in page.text
    assert "digitnet compare trials/plan" in page.text


def test_a_disputed_label_is_marked_with_what_people_said(found: Findings) -> None:
    first = replace(found.mistakes[0], disputed="nobody of five saw the label's 7, all saw a 1")
    page = Page(render(replace(found, mistakes=[first, *found.mistakes[1:]])))

    assert "Disputed Nobody of five saw the label's 7, all saw a 1." in page.text
    assert any(a["href"].startswith("https://github.com/cleanlab") for a in page.all("a"))


def test_of_very_many_mistakes_the_most_confident_are_shown(drawn: Dataset, found: Findings) -> None:
    nothing = np.zeros((len(drawn.test), drawn.classes), np.float32)
    nothing[:, 4] = np.linspace(1, 2, len(nothing))
    bad = replace(found.evaluation, logits=nothing)
    many = [replace(m, index=m.index + 1_000 * k) for k in range(4) for m in find_mistakes(nothing, drawn)]
    page = Page(render(replace(found, evaluation=bad, mistakes=many)))

    assert len(list(page.all("article"))) == 200
    assert f"The 200 most confident of {len(many)} mistakes" in page.text
    assert "12 most confident are shown" in page.text


def test_no_mistakes_and_no_convolutions_leave_no_holes(found: Findings) -> None:
    logits = np.eye(10, dtype=np.float32)[found.evaluation.labels]
    perfect = replace(found.evaluation, logits=logits)
    page = Page(render(replace(found, evaluation=perfect, mistakes=[], reads=None)))

    assert "every test image was read correctly" in page.text
    assert "How this network reads" not in page.text
    assert "100.00%" in page.text


def test_the_blogs_figure_stands_beside_the_blogs_experiment_only(found: Findings) -> None:
    blog = replace(found, config=SHORT.replace(**_blog_fields()))

    assert compose(found)["blog"] is None
    sentence, _ = compose(blog)["blog"]
    assert "99.22%" in sentence


def test_a_summary_may_lack_what_a_system_does_not_tell(found: Findings) -> None:
    summary = {**found.summary, "peak_memory_bytes": None}

    assert "not known" in Page(render(replace(found, summary=summary))).text


def test_a_network_that_is_never_correct_still_has_an_image_to_show(
    drawn: Dataset, evaluation: Evaluation
) -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(784, 10)

        def forward(self, images: Any) -> Any:
            return self.layer(images.flatten(1).float())

    wrong = replace(evaluation, labels=((evaluation.logits.argmax(axis=1) + 1) % 10).astype(np.uint8))

    traced = trace_first_correct(Dense(), drawn, wrong)
    assert (traced.image == drawn.test.images[0]).all()
    assert traced.layers == []


def test_an_unfinished_run_has_no_report_yet(tmp_path: Path, drawn: Dataset) -> None:
    run = create(tmp_path / "run", SHORT, {"data_fingerprint": drawn.fingerprint})

    with pytest.raises(RunError, match="has not finished"):
        make_report(run, drawn)


def test_the_same_findings_make_the_same_page(found: Findings) -> None:
    assert render(found) == render(found)


def _blog_fields() -> dict[str, Any]:
    names = BLOG.differences(SHORT)
    return {name: BLOG.value(name) for name in names}
