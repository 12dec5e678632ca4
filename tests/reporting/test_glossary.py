"""Each term has one sentence, is introduced once, and needs no term that the glossary lacks."""

import re

import pytest

from digitnet.reporting.glossary import OF_LAYERS, TERMS, Glossary, Term, prose

NAMES = [term.name for term in TERMS]


def names(terms: list[Term]) -> list[str]:
    return [term.name for term in terms]


@pytest.mark.parametrize("term", TERMS, ids=NAMES)
def test_a_term_is_explained_in_one_sentence_without_itself(term: Term) -> None:
    assert re.fullmatch(r"[A-Z][^.?!]*\.", term.meaning)
    assert len(term.meaning.split()) <= 35
    assert term.occurs_in(f"The {term.name}.")
    assert term.name not in term.meaning


def test_names_are_unique_and_those_of_layers_exist() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert set(NAMES) >= OF_LAYERS


def test_a_term_is_introduced_where_it_first_occurs_and_only_there() -> None:
    glossary = Glossary()

    assert names(glossary.introduce("<p>Its <b>loss</b> falls.</p>")) == ["loss"]
    assert names(glossary.introduce("<p>The loss of each batch.</p>")) == ["batch"]


def test_terms_are_words_of_their_own() -> None:
    assert names(Glossary().introduce("a footstep, a mapping, losses, test-time augmentation")) == [
        "loss",
        "test-time augmentation",
    ]


def test_the_glossary_has_every_term_that_its_sentences_need_in_alphabetical_order() -> None:
    glossary = Glossary()
    glossary.introduce("step")
    found = names(glossary.terms())

    assert {"step", "weight", "loss", "batch", "label", "training images"} <= set(found)
    assert "softmax" not in found
    assert found == sorted(found, key=str.lower)
    assert all(term.name in found for known in glossary.terms() for term in TERMS if term.occurs_in(known.meaning))


def test_only_sentences_count() -> None:
    page = (
        "<style>.map {}</style><img alt='a filter'><p>A&nbsp;step <code>batch</code>&amp; more</p>"
        "<script>let pool</script><pre><code><span>digitnet report runs/softmax</span></code></pre>"
    )

    assert prose(page) == "A step & more"
    assert names(Glossary().introduce(page)) == ["step"]
