"""The sentences of the page that explains one image."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from digitnet.config import TrainConfig
from digitnet.evaluation.explanation import Explanation
from digitnet.evaluation.occlusion import Occlusion, largest_side
from digitnet.reporting.words import counted, percent

WEAK = -math.log(0.9)
"""Fall of the log-probability that has the full colour where no pixel has a larger one: to nine tenths."""


def answer_sentence(found: Explanation) -> str:
    """Say the answer in one line, such as "Read as 7, 98.1%; the rival is 1, 1.2%."."""
    names = found.label_names
    read = f"Read as {names[found.answer]}, {percent(found.probabilities[found.answer], 1)}"
    if found.true is not None and found.true != found.answer:
        read += f", but labelled {names[found.true]}"
    if found.rival is None:
        return f"{read}."
    return f"{read}; the rival is {names[found.rival]}, {percent(found.probabilities[found.rival], 1)}."


def noun(label_names: Sequence[str]) -> str:
    """Call the classes digits if all of them are."""
    return "digit" if all(name.isdecimal() and len(name) == 1 for name in label_names) else "class"


def describe_label(found: Explanation, subject: str) -> str:
    """Compare the answer with the label of a test image; empty for another picture."""
    if found.true is None:
        return ""
    label = found.label_names[found.true]
    verdict = "correct" if found.true == found.answer else "wrong"
    sentence = f"The data set labels {subject} as {label}: the answer is {verdict}."
    if found.true in (found.answer, found.rival):
        return sentence
    return f"{sentence} It gives {label} a probability of {spoken(found.probabilities[found.true])}."


def describe_change(found: Explanation) -> str:
    """Say what the smallest square is without which the answer is another one."""
    if found.change is None:
        side = pixels(largest_side(found.image))
        return f"None of the squares tried, of up to {side}, changes the answer."
    other = found.label_names[found.change.answer]
    return f"Without the {pixels(found.change.side)} marked below, it would read {other}."


def describe_changes(occlusion: Occlusion, label_names: Sequence[str]) -> str:
    """Count the squares of the usual side that change the answer."""
    changed, tried = sum(occlusion.changes().values()), len(occlusion.corners)
    if not changed:
        return f"No square of {pixels(occlusion.side)} changes the answer by itself."
    verb = "turns" if changed == 1 else "turn"
    return f"{changed:,} of the {tried:,} squares {verb} the {label_names[occlusion.answer]} into another answer."


def describe_drop(found: Explanation) -> str:
    """Say how far the probability falls at most, and rises, without one square."""
    occlusion = found.occlusion
    if not len(occlusion.corners):
        return "There is no ink to take away."
    answer, before = found.label_names[found.answer], found.probabilities[found.answer]
    without = occlusion.probabilities[:, found.answer]
    least, most = float(without.min()), float(without.max())
    if least > 0.9 * before:
        return (
            f"Whichever square is missing, {answer} keeps a probability of at least {spoken(least)}, of "
            f"{spoken(before)} with all its ink."
        )
    gain = f"; without another, it rises to {spoken(most)}" if most > 1.02 * before else ""
    return (
        f"With all its ink, {answer} has a probability of {spoken(before)}. Without the square that matters "
        f"most, it falls to {spoken(least)}{gain}."
    )


def full_colour(drop: npt.NDArray[np.float64]) -> float:
    """Fall of the log-probability that has the full colour: the largest of a pixel, and at least WEAK."""
    return max(WEAK, float(np.abs(drop).max(initial=0)))


def describe_neighbours(found: Explanation) -> str:
    """Count the labels of the nearest training images, and compare the distances of answer and rival."""
    names = found.label_names
    labels = [neighbour.label for neighbour in found.neighbours]
    counts = sorted(((labels.count(k), k) for k in set(labels)), key=lambda pair: (-pair[0], pair[1]))
    if len(counts) == 1:
        sentence = f"All {len(labels)} are labelled {names[labels[0]]}."
    else:
        sentence = "Their labels: " + ", ".join(f"{names[k]} ({counted(n, 'image')})" for n, k in counts) + "."
    of_answer = found.of_class.get(found.answer)
    of_rival = None if found.rival is None else found.of_class.get(found.rival)
    if of_answer and of_rival and of_answer[0].distance:
        ratio = of_rival[0].distance / of_answer[0].distance
        answer, rival = names[of_answer[0].label], names[of_rival[0].label]
        sentence += f" The nearest {rival} is {ratio:.2f} times as far away as the nearest {answer}."
    return sentence


def describe_smoothing(config: TrainConfig, classes: int) -> str:
    """Say why no probability comes near 100%; empty without label smoothing."""
    smoothing = config.optimisation.label_smoothing
    if not smoothing:
        return ""
    aim = percent(1 - smoothing + smoothing / classes, 1)
    return f"This run was trained with label smoothing, so it aims at {aim} for a clear image, not at 100%."


def describe_making(config: TrainConfig) -> str:
    """Say what the network does with the image, and how often; empty for one that takes it as it is."""
    model, parts = config.model, []
    if model.preprocessing == "deskew":
        parts.append(
            "The network first deskews the image: it moves the centre of mass to the middle and shears the ink "
            "until it is upright."
        )
    if model.tta > 1:
        parts.append(
            f"The answer is the mean over {model.tta} copies of the image, shifted by a pixel each way (test-time "
            "augmentation)."
        )
    if model.members > 1:
        parts.append(
            f"The run is an ensemble of {model.members} networks. The answer is their mean probability, and what "
            "decided is found with all of them together."
        )
    return " ".join(parts)


def spoken(probability: float) -> str:
    """Write a probability as a sentence says it: ``98.1%``, ``over 99.9%``."""
    return percent(probability, 1).replace(">", "over ").replace("<", "under ")


def pixels(side: int) -> str:
    """Write the size of a square: ``5 x 5 pixels``, and ``1 pixel``."""
    return "1 pixel" if side == 1 else f"{side} x {side} pixels"
