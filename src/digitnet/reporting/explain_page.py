"""The page that explains one image: everything that its template shows, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset, UInt8
from digitnet.evaluation.explanation import Explanation, Neighbour
from digitnet.evaluation.occlusion import Change, Floats, take_away
from digitnet.reporting import explain_words as words
from digitnet.reporting.how_it_reads import Example
from digitnet.reporting.overlays import Frame, frame, photograph, scale_bar, tinted_ink
from digitnet.reporting.pictures import Picture, thumbnail
from digitnet.reporting.template import fill
from digitnet.reporting.words import counted, percent
from digitnet.wording import command

GAIN = 0.05
"""Part of the full colour from which a pixel is blue, and the scale shows what blue means."""


@dataclass(frozen=True)
class OwnPicture:
    """A picture that is not of the data set, and the digit that was found on it."""

    name: str
    pixels: UInt8  # (rows, columns) grey or (rows, columns, 3) RGB
    box: tuple[int, int, int, int]  # left, top, width and height of the digit, in pixels
    is_doubted: bool  # whether digitnet's own reader, which found it, does not take it for a digit


@dataclass(frozen=True)
class Subject:
    """What is explained, of which run."""

    run: Path
    config: TrainConfig
    dataset: Dataset
    image: int | OwnPicture  # position of a test image, or a picture of one's own
    explanation: Explanation
    reads: dict[str, Any] | None  # of the section "How this network reads a digit"
    disputed: str | None  # what annotators said, if they dispute the label
    mistakes: Sequence[int]  # positions of other test images that are read wrongly, to go on with
    takes_pictures: bool  # whether the run reads pictures of one's own, too
    report: str | None  # address of the run's report, if there is one beside the page

    @property
    def title(self) -> str:
        """Name the image as a sentence does."""
        return self.image.name if isinstance(self.image, OwnPicture) else f"test image {self.image}"


def examples_of(found: Explanation) -> list[Example]:
    """List what the section "How this network reads a digit" shows: the image, also without the square."""
    names, probabilities = found.label_names, found.probabilities
    examples = [Example(found.image, names[found.answer], "this image", probabilities=probabilities)]
    if change := found.change:
        without = Example(
            image=_without(found.image, change),
            title=names[change.answer],
            note="without the square",
            probabilities=tuple(float(p) for p in change.probabilities),
        )
        examples.append(without)
    return examples


def render_explanation(subject: Subject) -> str:
    """Make the HTML of the page: the same for the same subject."""
    return fill("explain.html.jinja", compose_explanation(subject))


def compose_explanation(subject: Subject) -> dict[str, Any]:
    """Make the values of the template, by their names in it."""
    found, names = subject.explanation, subject.explanation.label_names
    size = " x ".join(map(str, found.image.shape))
    is_own = isinstance(subject.image, OwnPicture)
    is_changed = not np.array_equal(found.preprocessed, found.image)
    return {
        "name": subject.run.resolve().name,
        "config": subject.config,
        "noun": words.noun(names),
        "title": subject.title,
        "answer": names[found.answer],
        "probability": percent(found.probabilities[found.answer], 1),
        "spoken": words.spoken(found.probabilities[found.answer]),
        "rival": None if found.rival is None else names[found.rival],
        "rival_probability": None if found.rival is None else words.spoken(found.probabilities[found.rival]),
        "label": words.describe_label(found, subject.title),
        "disputed": subject.disputed,
        "own": own_picture(subject.image) if isinstance(subject.image, OwnPicture) else None,
        "image": thumbnail(found.image, f"{'the ink of ' if is_own else ''}{subject.title}, {size} pixels"),
        "size": size,
        "preprocessed": thumbnail(found.preprocessed, "the same image, deskewed") if is_changed else None,
        "making": words.describe_making(subject.config),
        "smoothing": words.describe_smoothing(subject.config, len(names)),
        "outlier": None if found.outlier is None else words.spoken(found.outlier),
        "answers": answer_rows(found),
        "reads": subject.reads,
        "occlusion": occlusion_pictures(found),
        "verdict": words.describe_change(found),
        "change": found.change and change_pictures(found, found.change),
        "neighbours": neighbour_rows(found, subject.dataset),
        "nearness": words.describe_neighbours(found),
        "report": subject.report,
        "commands": commands(subject),
        "last_index": f"{len(subject.dataset.test) - 1:,}",
    }


def own_picture(own: OwnPicture) -> tuple[Picture, Frame, bool]:
    """Show a picture of one's own, the frame of its digit, and whether it is doubted."""
    return photograph(own.pixels, f"the picture {own.name}"), frame(*own.box, own.pixels.shape), own.is_doubted


def answer_rows(found: Explanation) -> list[tuple[str, float, str, str]]:
    """List name, percentage for the bar, the same in words, and the roles of each class."""
    return [
        (name, round(100 * probability, 1), percent(probability, 1), roles(found, k))
        for k, (name, probability) in enumerate(zip(found.label_names, found.probabilities, strict=True))
    ]


def roles(found: Explanation, label: int) -> str:
    """Say what a class is to the image: answer, rival, label, or two of them; empty for any other."""
    known = {"answer": found.answer, "rival": found.rival, "label": found.true}
    return " and ".join(role for role, k in known.items() if k == label)


def occlusion_pictures(found: Explanation) -> dict[str, Any]:
    """Show the image with the colours of the drop, their scale, and where the answer changes."""
    occlusion, names = found.occlusion, found.label_names
    answer, full = names[found.answer], words.full_colour(occlusion.drop)
    values = occlusion.drop / full
    has_blue = bool((values[found.image > 0] < -GAIN).any())
    return {
        "side": words.pixels(occlusion.side),
        "squares": counted(len(occlusion.corners), "square"),
        "drop": tinted_ink(found.image, values, f"the ink, orange where its loss makes {answer} less probable"),
        "scale": scale_bar(-1 if has_blue else 0, "from blue to orange" if has_blue else "from pale to orange"),
        "has_blue": has_blue,
        "full": percent(found.probabilities[found.answer] * float(np.exp(-full)), 1),
        "summary": words.describe_drop(found),
        "changes": words.describe_changes(occlusion, names),
        "into": [
            (
                names[k],
                counted(count, "square"),
                tinted_ink(
                    found.image,
                    strongest(occlusion.share(k)),
                    f"the ink, orange where its loss turns {answer} into {names[k]}",
                ),
            )
            for k, count in occlusion.changes().items()
        ],
    }


def strongest(shares: Floats) -> Floats:
    """Scale shares so that the largest is 1, as a few squares among many would hardly be seen."""
    return np.asarray(shares / shares.max())


def change_pictures(found: Explanation, change: Change) -> dict[str, Any]:
    """Show the smallest square that changes the answer: where it lies, and what is left without it."""
    other = found.label_names[change.answer]
    return {
        "frame": frame(change.left, change.top, change.side, change.side, found.image.shape),
        "image": thumbnail(_without(found.image, change), f"the image without the square, read as {other}"),
        "side": words.pixels(change.side),
        "answer": other,
        "probability": percent(float(change.probabilities[change.answer]), 1),
        "is_rival": change.answer == found.rival,
    }


def _without(image: UInt8, change: Change) -> UInt8:
    """Take the square away."""
    return np.asarray(take_away(image, np.array([[change.top, change.left]]), change.side)[0])


def neighbour_rows(found: Explanation, dataset: Dataset) -> list[tuple[str, list[tuple[Picture, str]]]]:
    """Show the nearest training images, and those of answer, rival and label where these are others."""
    rows = [("Nearest of all", found.neighbours)]
    for k, near in found.of_class.items():
        if near and near != found.neighbours:
            rows.append((f"Nearest labelled {found.label_names[k]}, the {roles(found, k)}", near))
    return [(heading, neighbour_pictures(near, dataset)) for heading, near in rows]


def neighbour_pictures(neighbours: Sequence[Neighbour], dataset: Dataset) -> list[tuple[Picture, str]]:
    """Show training images with their labels."""
    return [
        (thumbnail(dataset.train.images[near.index], f"training image labelled {label}"), label)
        for near in neighbours
        for label in [dataset.label_names[near.label]]
    ]


def commands(subject: Subject) -> dict[str, Any]:
    """Write the commands with which to go on."""
    return {
        "mistakes": [command("explain", subject.run, index) for index in subject.mistakes],
        "picture": command("explain", subject.run, "photo.jpg") if subject.takes_pictures else None,
        "report": command("report", subject.run),
    }
