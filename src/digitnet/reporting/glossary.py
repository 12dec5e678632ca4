"""The terms of the page, each with a sentence that a school pupil understands: the one place that defines them."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Term:
    """A term of the field."""

    name: str
    meaning: str
    pattern: str = ""
    """A regular expression of its forms, without the s of the plural; by default the name."""

    def occurs_in(self, text: str) -> bool:
        """Tell whether the term occurs in a text, as words of their own."""
        pattern = self.pattern or re.escape(self.name)
        return re.search(rf"(?<![\w-])(?:{pattern})s?(?![\w-])", text, re.IGNORECASE) is not None


TERMS = (
    Term("network", "A function with many learned numbers that turns an image into a probability for each class."),
    Term("class", "One of the possible answers: for digits, 0 to 9.", "class|classe"),
    Term("label", "The correct answer for an image, which people have given.", "label|labelled"),
    Term(
        "training images", "The images that the network learns from, together with their labels.", "training image"
    ),
    Term(
        "validation images",
        "Images that are kept back, to see during the training how well the network reads new ones.",
        "validation (?:image|accuracy|losse?)",
    ),
    Term(
        "test images",
        "Images that are kept for the end, to judge the network by what it has never learned from.",
        "test image",
    ),
    Term("accuracy", "The fraction of images that are read correctly."),
    Term(
        "95% interval",
        "With other test images the accuracy would differ a little; in 95 of 100 cases, an interval found like "
        "this holds the accuracy over very many images.",
    ),
    Term("parameter", "A number in the network that is learned: a weight or a bias."),
    Term("weight", "A learned number by which another number is multiplied."),
    Term("bias", "A learned number that is added to a sum.", "bias|biase"),
    Term("epoch", "As many steps as it takes to show the network every training image once."),
    Term("step", "One small change of all weights, made to lower the loss of one batch."),
    Term("batch", "The few training images that one step learns from.", "batch|batche"),
    Term(
        "loss",
        "How wrong the answers are: 0 if every label gets a probability of 100%, and more the less it gets.",
        "losse?",
    ),
    Term(
        "gradient",
        "The direction in which weights would have to move to raise the loss; a step goes the other way.",
    ),
    Term(
        "learning rate",
        "How far one step moves the weights.",
        "learning rate|rate is too (?:high|low)|higher rate",
    ),
    Term("schedule", "How the learning rate changes from the first step to the last."),
    Term("warm-up", "The first steps, in which the learning rate rises from 0.", "warm-?up"),
    Term(
        "Adam",
        "The rule that makes steps of gradients; beta1 and beta2 say how long it remembers earlier ones.",
        "Adam|beta[12]",
    ),
    Term(
        "overfitting",
        "Learning the training images by heart: the network gets better at them and worse at new ones.",
        "overfit(?:ting)?",
    ),
    Term("confidence", "The probability that the network gives to its own answer.", "confidence|confident"),
    Term(
        "calibration",
        "How far confidence can be trusted: of the answers with a confidence of 90%, 90% should be correct.",
        "calibrat(?:ion|ed)|overconfident|underconfident",
    ),
    Term(
        "expected calibration error",
        "The mean difference of confidence and accuracy, over groups of images of similar confidence.",
    ),
    Term("recall", "Of the images of a class, the fraction that was read as that class."),
    Term("precision", "Of the images that were read as a class, the fraction that belongs to it."),
    Term("confusion matrix", "A table that counts, for each class, what its images were read as."),
    Term("in-sample", "Measured on the same images by which something was chosen, and so a little too good."),
    Term(
        "label smoothing",
        "Training for a little less than 100% for the label, and a little more than 0% for every other class.",
    ),
    Term("frozen", "No longer changed by further steps.", "frozen|freeze after"),
    Term(
        "test-time augmentation",
        "Reading several copies of an image, shifted by a pixel each, and answering with the mean probabilities.",
        "test-time augmentation|tta",
    ),
    Term(
        "augmentation",
        "Changing each training image a little at random, turning it for example, so that the network sees more.",
        "(?<!test-time )augmentation|augment",
    ),
    Term("ensemble", "Several networks that answer together, with their mean probabilities.", "ensemble|member"),
    Term("outlier", "An image that shows none of the classes; the network learns to say so."),
    Term(
        "seed",
        "The number that decides everything random in a run; with the same one, a run can be repeated.",
    ),
    Term("standard deviation", "How far single values typically lie from their mean."),
    Term("preprocessing", "What is done to every image before the network sees it."),
    Term(
        "deskewing",
        "Moving a digit to the middle of its image and setting its slant upright.",
        "deskew(?:ed|ing)?",
    ),
    Term(
        "convolution",
        "A layer that slides filters over its input: at each place it multiplies the numbers there by the weights "
        "of a filter, and adds them up.",
    ),
    Term("filter", "A small grid of weights that finds one pattern wherever it is in the image."),
    Term("map", "What a filter finds: one number for each place in the image."),
    Term("ReLU", "A rule that turns every negative number into 0."),
    Term(
        "pool",
        "A layer that keeps only the largest number of each small square, so that maps become smaller.",
        "pool(?:ing)?",
    ),
    Term(
        "BatchNorm",
        "A rule that brings the numbers of each map to a similar size, so that the network learns faster.",
    ),
    Term(
        "dense layer", "A layer that makes each output of all its inputs, each multiplied by a weight of its own."
    ),
    Term("logit", "The score that the last layer gives to a class; softmax turns it into a probability."),
    Term("softmax", "A rule that turns scores into probabilities, which are never negative and add up to 100%."),
)


OF_LAYERS = frozenset(
    {
        "BatchNorm",
        "bias",
        "convolution",
        "dense layer",
        "deskewing",
        "filter",
        "logit",
        "map",
        "pool",
        "ReLU",
        "softmax",
        "test-time augmentation",
        "weight",
    }
)
"""Terms that the section "How this network reads a digit" explains itself, with this network's numbers."""


class Glossary:
    """The terms of one page, in the order in which they occur."""

    def __init__(self) -> None:
        self._introduced: dict[str, Term] = {}

    def introduce(self, markup: str) -> list[Term]:
        """Return the terms that occur in a piece of HTML, and in no piece before it."""
        text = prose(markup)
        new = [term for term in TERMS if term.name not in self._introduced and term.occurs_in(text)]
        self._introduced |= {term.name: term for term in new}
        return new

    def introduce_layers(self, reads: Mapping[str, Any]) -> None:
        """Note the terms that "How this network reads a digit" explains itself."""
        text = words_of_reading(reads)
        known = {term.name: term for term in TERMS if term.name in OF_LAYERS and term.occurs_in(text)}
        self._introduced |= known

    def terms(self) -> list[Term]:
        """Return every term that has occurred, and those that their meanings need, in alphabetical order."""
        found = dict(self._introduced)
        waiting = list(found.values())
        while waiting:
            meaning = waiting.pop().meaning
            needed = [term for term in TERMS if term.name not in found and term.occurs_in(meaning)]
            found |= {term.name: term for term in needed}
            waiting += needed
        return sorted(found.values(), key=lambda term: term.name.lower())


def prose(markup: str) -> str:
    """Return the sentences and headings of a piece of HTML: no tags, attributes, commands, scripts or styles."""
    without_code = re.sub(r"<(script|style|pre|code)\b.*?</\1>", " ", markup, flags=re.DOTALL | re.IGNORECASE)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", without_code)).split())


def words_of_reading(reads: Mapping[str, Any]) -> str:
    """Return the words that the script of "How this network reads a digit" shows, as one text."""
    return " ".join([*_words(reads["layers"]), reads["note"], "softmax"])


def _words(layers: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for layer in layers:
        yield layer["name"] if layer["kind"] != "dense" else "dense layer"
        yield layer["text"]
        yield from (step["kind"] for step in layer["after"])
        yield "bias" if layer["bias"] else ""
