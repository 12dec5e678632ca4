"""The page of a comparison gives its verdict first, leaves nothing out, and is true of what little there is."""

import tomllib
from dataclasses import replace
from typing import get_args

import pytest
from made_up import PLAN, VARIANTS, findings, results

from digitnet.comparing.figures.choose import choose_graphs
from digitnet.comparing.page import (
    Findings,
    costs,
    describe_doubt,
    describe_missing,
    differences,
    late_differences,
)
from digitnet.comparing.report import render
from digitnet.reporting.style import DARK, Width
from html_page import Page


@pytest.fixture(scope="module")
def page() -> Page:
    """The page of three variants, of which one is better."""
    return Page(render(findings()))


def one_variant(seeds: int) -> Findings:
    """Findings of a plan of a single variant."""
    plan = f'preset = "blog"\nseeds = {seeds}\n[[variant]]\nname = "start"'
    return findings(replace(results("start", 0.97, 5, seeds), fields={}), plan=plan)


def names(found: Findings) -> list[str]:
    """Names of the graphs."""
    return [graph.name for graph in found.graphs]


# --- what it says ------------------------------------------------------------------------------------------------


def test_the_verdict_comes_first_then_the_table_then_the_rest(page: Page) -> None:
    text = page.text
    places = [text.index(part) for part in ("larger beat start by", "larger chosen 6", "Every seed", "McNemar")]
    assert places == sorted(places)


def test_every_sentence_is_said_and_what_is_real_before_what_is_not_seen(page: Page) -> None:
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    sentences = findings().comparison.sentences
    assert all(sentence in text for sentence in sentences)
    backwards = PLAN.replace("preset", 'compare = [["alike", "start"], ["larger", "start"]]\npreset', 1)
    text = Page(render(findings(plan=backwards))).text
    assert text.index("larger beat start") < text.index("No difference seen between alike and start")


def test_every_cell_of_every_table_is_on_the_page(page: Page) -> None:
    comparison = findings().comparison
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    tables = (comparison.accuracies("test"), comparison.accuracies("validation"), costs(comparison))
    for table in (*tables, differences(comparison), late_differences(comparison)):
        assert all(cell in text for row in (table.columns, *table.rows) for cell in row)


def test_the_plan_can_be_copied_from_the_page_and_run_again(page: Page) -> None:
    plan = next(piece for piece in page.pieces if piece.startswith("title = "))
    assert tomllib.loads(plan) == tomllib.loads(PLAN)


def test_machines_that_differ_are_both_named(page: Page) -> None:
    assert "processor A; B torch 2 threads 1" in page.text


def test_it_needs_nothing_else_and_every_figure_has_words_for_who_cannot_see_it(page: Page) -> None:
    assert all(value.startswith("data:") for value in page.loaded)
    assert all(image["alt"] for image in page.all("img"))
    assert len(list(page.all("img"))) == len(findings().graphs)


def test_the_same_findings_make_the_same_bytes() -> None:
    assert render(findings()) == render(findings())


# --- what little there is ----------------------------------------------------------------------------------------


def test_failed_and_unfinished_trials_are_counted_and_their_reasons_given() -> None:
    short = results("larger", 0.98, 7, seeds=3)
    found = findings(VARIANTS[0], short, VARIANTS[2], failures={"larger/seed-3": "The loss became nan."})
    text = Page(render(found)).text
    assert "Of 18 trials, 1 failed and 2 did not finish: left out." in text
    assert "the means are not over the same seeds" in text
    assert "larger/seed-3 The loss became nan." in text


def test_when_all_have_finished_nothing_is_said_to_be_missing() -> None:
    assert describe_missing(findings()) == ""


def test_a_variant_without_a_seed_stays_in_the_tables_and_out_of_the_figures() -> None:
    found = findings(VARIANTS[0], VARIANTS[1], results("alike", 0.97, 3, seeds=0))
    text = Page(render(found)).text
    assert "alike and start have no finished seed in common: nothing can be compared." in text
    assert found.comparison.accuracies("test").rows[2] == ("alike", "0", "-", "-")


def test_one_variant_has_no_differences_and_no_front() -> None:
    found = one_variant(3)
    text = Page(render(found)).text
    assert names(found) == ["variants"]
    assert "Differences" not in text
    assert "1 variant, 3 seeds each" in text


def test_one_seed_concludes_nothing() -> None:
    found = findings(*(results(name, 0.97, 5, seeds=1) for name in ("start", "larger", "alike")))
    text = Page(render(found)).text
    assert text.count("nothing can be concluded from one seed.") == 2
    assert "one seed: no interval" in text


def test_names_and_titles_are_text_and_nothing_else() -> None:
    evil = '<script>alert("1")</script> $\\frac{$ & 数字 =1+1'
    plan = PLAN.replace('"start"', f"'{evil}'").replace('"Do larger filters help?"', f"'{evil}'")
    found = findings(results(evil, 0.97, 5), *VARIANTS[1:], plan=plan, failures={evil: evil})
    html = render(found)
    assert "<script>alert" not in html
    assert Page(html).text.count(evil) > 8


def test_where_the_last_validations_disagree_it_is_said() -> None:
    assert describe_doubt(findings().comparison) == ""
    moved = tuple(value + 0.02 for value in VARIANTS[2].late_validation)
    found = findings(*VARIANTS[:2], replace(VARIANTS[2], late_validation=moved))
    assert "1 of 2 comparisons would end otherwise" in describe_doubt(found.comparison)


# --- which figures -----------------------------------------------------------------------------------------------


def test_a_field_is_drawn_alone_where_it_has_a_scale_or_is_one_of_several() -> None:
    assert names(findings()) == ["variants", "differences", "by-kernel_size", "front"]
    plan = PLAN[: PLAN.index('[[variant]]\nname = "alike"')]

    def with_fields(*fields: dict[str, object]) -> list[str]:
        made = [replace(v, fields=of_one) for v, of_one in zip(VARIANTS[:2], fields, strict=True)]
        return [name for name in names(findings(*made, plan=plan)) if name.startswith("by-")]

    assert with_fields({"augment": "none"}, {"augment": "gentle"}) == []
    assert with_fields({"filters": (8,)}, {"filters": (8, 16)}) == []
    several = with_fields({"augment": "none", "steps": 10}, {"augment": "gentle", "steps": 20})
    assert several == ["by-augment", "by-steps"]


def test_every_graph_is_drawn_at_both_widths() -> None:
    for graph in choose_graphs(findings().comparison):
        wide, narrow = (graph.draw(width, DARK).get_figwidth() for width in get_args(Width))
        assert narrow < wide
