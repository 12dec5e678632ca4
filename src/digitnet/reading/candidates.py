"""The candidates of a line: groups of neighbours that may be one digit, each with the network's answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from digitnet.finding.components import Component, crop_ink
from digitnet.finding.ink import Ink, UInt8
from digitnet.finding.oversegment import oversegment
from digitnet.finding.single import Group
from digitnet.reading.result import Box, Digit

Recognise = Callable[[UInt8, Box], Digit]
"""Asks the network about the ink of a candidate ``(rows, columns)``, which is at that place of the picture."""


@dataclass(frozen=True)
class Candidate:
    """Neighbouring parts of a line that may be one digit, and the network's answer about them."""

    first: int  # index of the first part
    end: int  # index after the last part
    component: Component  # the parts, joined
    digit: Digit


@dataclass(frozen=True)
class Candidates:
    """All that may be digits in a line of writing."""

    components: list[Component]  # from left to right
    parts: list[Component]  # the components, cut wherever digits may touch
    groups: list[Candidate]
    height: float  # of a digit, in working pixels: the components' median
    stroke_width: float  # in working pixels


def find_candidates(line: Sequence[Component], ink: Ink, recognise: Recognise) -> Candidates:
    """List the candidates of a line, and ask the network about each."""
    cut = oversegment(line, ink.stroke_width)
    groups = [
        Candidate(first, end, joined, recognise(crop_ink(joined, ink), _locate(joined, ink)))
        for first, end, joined in cut.list_candidates()
    ]
    return Candidates(cut.components, cut.parts, groups, cut.height, ink.stroke_width)


def judge_groups(groups: Sequence[Group], recognise: Recognise) -> Candidates:
    """Ask the network about each of the groups that may be the only digit of a picture."""
    parts = [group.component for group in groups]
    candidates = []
    for index, group in enumerate(groups):
        crop, box = crop_ink(group.component, group.ink), _locate(group.component, group.ink)
        candidates.append(Candidate(index, index + 1, group.component, recognise(crop, box)))
    height = float(max((part.height for part in parts), default=1))
    return Candidates(parts, parts, candidates, height, groups[0].ink.stroke_width if groups else 1.0)


def _locate(component: Component, ink: Ink) -> Box:
    """Map a component's rectangle from working pixels to pixels of the picture."""
    rows, columns = ink.picture_shape
    down, across = ink.faint.shape[0] / rows, ink.faint.shape[1] / columns
    left, top = min(int(component.left / across), columns - 1), min(int(component.top / down), rows - 1)
    right, bottom = min(ceil(component.right / across), columns), min(ceil(component.bottom / down), rows)
    return Box(left, top, max(1, right - left), max(1, bottom - top))
