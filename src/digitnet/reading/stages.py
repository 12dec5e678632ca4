"""From a picture to the digits on it: ink, connected components, candidates with their answers, digits."""

from dataclasses import dataclass, replace

from digitnet.finding.components import Component, find_components
from digitnet.finding.ink import Ink, UInt8, find_ink, find_inks
from digitnet.finding.single import choose, list_groups
from digitnet.finding.text_lines import group_into_lines
from digitnet.reading.candidates import Candidates, Recognise, find_candidates, judge_groups
from digitnet.reading.context import judge_together
from digitnet.reading.result import Digit
from digitnet.reading.segment import segment


@dataclass(frozen=True)
class Stages:
    """A picture on its way to its digits; `drawing.draw_stages` shows every stage."""

    picture: UInt8  # (rows, columns) or (rows, columns, 3), as it was opened
    ink: Ink
    components: list[Component]  # largest first
    candidates: list[Candidates]  # of each line, from top to bottom
    digits: list[list[Digit]]  # the chosen ones of each line, from left to right


def find_digits(
    picture: UInt8,
    recognise: Recognise,
    *,
    shape: tuple[int, int] | None = None,
    sure: float,
    single: bool = False,
    count: int | None = None,
) -> Stages:
    """Find the digits of a picture, uint8 ``(rows, columns)`` or ``(rows, columns, 3)``.

    `shape` is its number of rows and columns before it was made smaller, of which boxes are in pixels.

    `recognise` asks the network about each candidate, once; `sure` is the least confidence of a digit that is
    accepted in a line. With `single` all ink is one digit; with `count` the picture is one line of exactly so many
    digits, or as near to it as the ink allows.
    """
    if single:
        inks = find_inks(picture, shape)
        groups = [group for ink in inks for group in list_groups(ink)]
        judged = judge_groups(groups, recognise)
        if not groups:
            return Stages(picture, inks[0], [], [], [])
        found = [candidate.digit for candidate in judged.groups]
        best = choose([group.cost for group in groups], [digit.confidence for digit in found])
        digit = found[best]
        if digit.decision == "accepted" and not groups[best].is_alone:
            digit = replace(digit, decision="not sure")
        return Stages(picture, inks[0], judged.components, [judged], [[digit]])
    ink = find_ink(picture, shape)
    components = find_components(ink)
    lines = group_into_lines(components, one_line=count is not None)
    candidates = [find_candidates(line, ink, recognise) for line in lines]
    chosen = [(line, some) for line in candidates if (some := segment(line, count))]
    digits = [judge_together(some, line.parts, sure) for line, some in chosen]
    return Stages(picture, ink, components, candidates, digits)
