"""The confusion matrix of the page: a table whose numbers of mistakes open their images."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitnet.evaluation.evaluate import Evaluation
from digitnet.evaluation.mistakes import Mistake
from digitnet.reporting.pictures import Picture, thumbnail
from digitnet.reporting.words import counted, percent

MOST_IN_A_CELL = 12  # images; enough to see a pattern, and the page stays small however bad the network is


@dataclass(frozen=True)
class Cell:
    """Images of one class that were read as one class."""

    count: int
    shade: int  # 0 to 100, by the number of mistakes; 0 where they were right
    is_right: bool
    anchor: str | None  # of the images, where there are mistakes


@dataclass(frozen=True)
class Panel:
    """The images behind one number."""

    anchor: str
    title: str
    remark: str | None
    is_largest: bool  # shown until another is chosen
    images: tuple[tuple[Picture, str, str | None], ...]  # picture, confidence, anchor of its card


def rows_of(evaluation: Evaluation) -> list[tuple[str, tuple[Cell, ...]]]:
    """Make the table, a row for each true class: its label and its cells."""
    counts, names = evaluation.confusion, evaluation.label_names
    largest = int((counts - np.diag(np.diag(counts))).max(initial=1))
    return [
        (name, tuple(_cell(true, read, int(n), largest) for read, n in enumerate(counts[true])))
        for true, name in enumerate(names)
    ]


def panels_of(mistakes: Sequence[Mistake], label_names: Sequence[str], carded: int) -> list[Panel]:
    """Make a panel for each kind of mistake; the first `carded` mistakes have cards to link to."""
    kinds: dict[tuple[int, int], list[tuple[int, Mistake]]] = defaultdict(list)
    for position, mistake in enumerate(mistakes):
        kinds[mistake.true, mistake.predicted].append((position, mistake))
    largest = max(kinds, key=lambda kind: len(kinds[kind]), default=None)
    return [
        Panel(
            anchor=cell_anchor(true, read),
            title=f"{label_names[true]} read as {label_names[read]}: {counted(len(members), 'image')}",
            remark=f"The {MOST_IN_A_CELL} surest are shown." if len(members) > MOST_IN_A_CELL else None,
            is_largest=(true, read) == largest,
            images=tuple(
                (
                    thumbnail(mistake.image, f"test image {mistake.index}: {label_names[true]}"),
                    percent(mistake.confidence, 1),
                    mistake_anchor(mistake) if position < carded else None,
                )
                for position, mistake in members[:MOST_IN_A_CELL]
            ),
        )
        for (true, read), members in sorted(kinds.items())
    ]


def cell_anchor(true: int, read: int) -> str:
    """Name the panel of one kind of mistake."""
    return f"cell-{true}-{read}"


def mistake_anchor(mistake: Mistake) -> str:
    """Name the card of one mistake."""
    return f"mistake-{mistake.index}"


def _cell(true: int, read: int, count: int, largest: int) -> Cell:
    is_mistake = true != read and count > 0
    shade = round(100 * (count / largest) ** 0.5) if is_mistake else 0
    return Cell(count, shade, true == read, cell_anchor(true, read) if is_mistake else None)
