"""What the digit finder cuts out of photographs: digits, and whatever else it takes for one."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import chain

import cv2
import numpy as np
import numpy.typing as npt
import torch

from digitnet.data.dataset import Split
from digitnet.engines.make import make_engine
from digitnet.errors import DigitnetError
from digitnet.finding.components import Component, crop_ink, find_components
from digitnet.finding.ink import Ink, find_ink, find_inks
from digitnet.finding.oversegment import oversegment
from digitnet.finding.single import list_groups
from digitnet.finding.text_lines import group_into_lines
from digitnet.networks.lift_ink import lift_ink
from digitnet.networks.normalise import centre_ink
from digitnet.photographs.kinds import KINDS
from digitnet.photographs.photograph import Photograph, make_photograph
from digitnet.photographs.scribe import Scribe

UInt8 = npt.NDArray[np.uint8]

SHARES: dict[str, float] = {
    "careful": 0.05,
    "desk": 0.1,
    "neighbours": 0.1,
    "thin pen": 0.1,
    "pencil": 0.1,
    "uneven light": 0.08,
    "other hands": 0.12,
    "ruled paper": 0.06,
    "felt pen": 0.04,
    "close crop": 0.05,
    "table cell": 0.05,
    "old ink": 0.06,
    "small": 0.04,
    "something else": 0.15,
    "nothing": 0.08,
    "several": 0.03,
    "strip": 0.03,
    "table row": 0.02,
    "touching": 0.06,
    "form field": 0.1,
    "letters": 0.04,
    "enlarged": 0.06,
}
"""Kinds of photographs, each with its part of all; their sum need not be 1."""

_WHOLE = 0.93  # of a digit's ink: a mark that has less is a part of it
_NEARLY = 0.72  # of a digit's ink: a part that has less, cut out of a line, is none; more is often readable
_NARROW = 0.35  # of its height: a part that is no wider is a stroke, and may be a 1
_PART = 0.3  # of a digit's ink: a digit with so much of another is none
_BIT = 0.15  # of a digit's ink: what a cut may leave on the neighbour
_ALONE = 0.25  # of a mark's ink: where more is somebody else's, the mark is no digit
_SEED = (3, 0)  # those of the benchmark's halves begin with 1 and 2
_SCALE = 0.35  # photographs a third as large are read alike, and take a fourth of the time
_SCALE_OF_LINES = 0.7  # likewise, where digits are a tenth of the picture
_FEWEST = 2  # marks of a line that are no digit, where it has as many
CHUNK = 50
"""Photographs of a task."""


@dataclass(frozen=True)
class Crops:
    """What the finder cut out of photographs, in their order."""

    images: UInt8  # (n, 28, 28) as the network sees them
    labels: npt.NDArray[np.int64]  # (n,) the digit, NONE, or UNKNOWN
    photographs: npt.NDArray[np.int64]  # (n,) number of the photograph that each is of
    answers: npt.NDArray[np.int64]  # (n,) the only digit written on that, or NONE
    costs: npt.NDArray[np.float32]  # (n,) what speaks against each, beside the network's doubt

    @classmethod
    def joined(cls, parts: "Sequence[Crops]") -> "Crops":
        """Concatenate crops; at least one part."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


NONE = 10
"""Label of what is no digit."""

UNKNOWN = -1
"""Label of narrow parts of digits and of what is nearly a digit, of which nobody can tell."""


@dataclass(frozen=True)
class _Task:
    first: int  # number of its first photograph
    kinds: tuple[str, ...]
    images: UInt8  # that are written, with their labels
    labels: UInt8
    characters: UInt8 | None


def make_crops(split: Split, numbers: range, characters: UInt8 | None = None) -> Crops:
    """Make the photographs of these numbers, and cut out what the finder finds; on all cores.

    The digits are those of `split`; `characters` ``(m, rows, columns)`` are written too, as something else. The
    crops of a number are the same in one call and in several. Raises DigitnetError if a worker fails.
    """
    found: dict[int, list[_Crop]] = {}
    tasks = (task for task in _list_tasks(split, numbers.stop, characters) if task.first in numbers)
    with make_engine(threads=1) as engine, closing(engine.run(_cut_out, tasks)) as outcomes:
        for outcome in outcomes:
            if outcome.result is None:
                raise DigitnetError(f"The photographs could not be taken. {outcome.error}")
            found[outcome.task.first] = outcome.result
    crops = list(chain.from_iterable(found[first] for first in sorted(found)))
    images, labels, photographs, answers, costs = zip(*crops, strict=True)
    return Crops(
        np.stack(images),
        np.array(labels),
        np.array(photographs),
        np.array(answers),
        np.array(costs, np.float32),
    )


def _list_tasks(split: Split, count: int, characters: UInt8 | None) -> Iterator[_Task]:
    """Divide the photographs among tasks; each takes the images that it writes with it."""
    rng = np.random.default_rng(0)
    share = np.array(list(SHARES.values()))
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        kinds = tuple(rng.choice(list(SHARES), size, p=share / share.sum()))
        chosen = rng.integers(len(split), size=3 * size)
        others = None if characters is None else characters[rng.integers(len(characters), size=2 * size)]
        yield _Task(first, kinds, split.images[chosen], split.labels[chosen], others)


_Cut = tuple[UInt8, int, float]  # an image, its label and its cost
_Crop = tuple[UInt8, int, int, int, float]  # what a row of Crops holds


def _cut_out(task: _Task) -> list[_Crop]:
    """Take the photographs of a task, in a worker."""
    cv2.setNumThreads(1)
    scribe = Scribe(task.images, task.labels, task.characters)
    found = []
    for number, kind in enumerate(task.kinds, task.first):
        is_line = KINDS[kind].is_line
        made = make_photograph(kind, scribe, (*_SEED, number), _SCALE_OF_LINES if is_line else _SCALE)
        answer = int(made.answer) if made.answer and not is_line else NONE
        cuts = cut_out(made, np.random.default_rng((*_SEED, number)))
        found += [(image, label, number, answer, cost) for image, label, cost in cuts]
    return found


def cut_out(made: Photograph, rng: np.random.Generator) -> Iterator[_Cut]:
    """Yield marks that the finder takes for a digit of a photograph: the image, what it is, and its cost.

    Of a picture of one digit those are all; of lines, as many digits as are written, and as many other marks.
    """
    if KINDS[made.kind].is_line:
        yield from _cut_out_of_lines(made, rng)
        return
    for ink in find_inks(made.picture):
        owners = _Owners(made, ink)
        for group in list_groups(ink):
            yield normalise(crop_ink(group.component, ink)), owners.label(group.component), group.cost


def _cut_out_of_lines(made: Photograph, rng: np.random.Generator) -> Iterator[_Cut]:
    ink = find_ink(made.picture)
    owners = _Owners(made, ink)
    marks: dict[int, list[Component]] = {}  # by the digit of the answer, 0 for others
    for line in group_into_lines(find_components(ink)):
        for _, _, component in oversegment(line, ink.stroke_width).list_candidates():
            owner = owners.find(component)
            if owner != UNKNOWN:
                marks.setdefault(owner, []).append(component)
    others = marks.pop(0, [])
    chosen = [(some[rng.integers(len(some))], int(made.answer[owner - 1])) for owner, some in marks.items()]
    count = min(len(others), max(_FEWEST, len(chosen)))
    chosen += [(others[index], NONE) for index in rng.choice(len(others), count, replace=False)]
    for component, label in chosen:
        yield normalise(crop_ink(component, ink)), label, 0.0


class _Owners:
    """Tells whose ink a mark is. Digits that touch share ink, which is each one's."""

    def __init__(self, made: Photograph, ink: Ink) -> None:
        size = ink.faint.shape[::-1]
        owners = np.asarray(cv2.resize(made.owners, size, interpolation=cv2.INTER_NEAREST), np.uint16)
        self._reach = np.ones((2 * round(ink.stroke_width / 2) + 3,) * 2, np.uint8)
        self._own = [(owners >> number & 1).astype(np.uint8) for number in range(len(made.answer))]
        self._around = [np.asarray(cv2.dilate(own, self._reach), np.uint8) for own in self._own]
        self._area = [max(1, int(own.sum())) for own in self._own]
        self._is_line = KINDS[made.kind].is_line
        self._answer = made.answer

    def label(self, component: Component) -> int:
        """Tell which digit a mark is, NONE for none, or UNKNOWN for a part of one."""
        number = self.find(component)
        return number if number == UNKNOWN else int(self._answer[number - 1]) if number else NONE

    def find(self, component: Component) -> int:
        """Tell which of the answer's digits a mark is, from 1, 0 for none, or UNKNOWN for a part of one."""
        if not self._own:
            return 0
        place = (slice(component.top, component.bottom), slice(component.left, component.right))
        near = np.asarray(cv2.dilate(component.mask, self._reach), np.uint8)
        covered = self._measure(near, place)
        best = int(np.argmax(covered))
        own, around = self._own[best][place], self._around[best][place]
        others = self._measure(near & ~own, place)  # of their ink, without what they share with the best
        others[best] = 0
        strange = np.count_nonzero(component.mask & ~around) / component.area
        if covered[best] >= _WHOLE:
            if strange > _ALONE or others.max() > _PART:
                return 0
            return best + 1 if others.max() <= _BIT else UNKNOWN
        is_of_two = covered[best] > _BIT and others.max() > _BIT
        is_wide_part = self._is_line and covered[best] < _NEARLY and component.width > _NARROW * component.height
        return 0 if is_of_two or is_wide_part or strange > 0.5 else UNKNOWN

    def _measure(self, near: UInt8, place: tuple[slice, slice]) -> npt.NDArray[np.float64]:
        """Measure the fraction of each digit's ink that is near."""
        return np.array(
            [np.count_nonzero(near & own[place]) / area for own, area in zip(self._own, self._area, strict=True)]
        )


def normalise(crop: UInt8) -> UInt8:
    """Make the network's image ``(28, 28)`` of a crop ``(rows, columns)`` uint8, as the model file does."""
    with torch.no_grad():
        image = centre_ink(lift_ink(torch.from_numpy(crop)[None, :, :, None]))
    return np.asarray(image[0, 0].round().to(torch.uint8).numpy())
