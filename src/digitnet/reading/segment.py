"""From the candidates of a line to its digits: the path of least cost through the line."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from statistics import median

from digitnet.finding.components import Component
from digitnet.finding.single import measure_doubt
from digitnet.reading.candidates import Candidate, Candidates

# The costs of a path. The network's doubt about each digit adds -log p.
_CUT = 0.3  # a cut, and
_CROSSED = 0.7  # each stroke width of ink that it crosses
_OVERLAP = 2.0  # two digits, when the narrower lies fully over or under the other
_GAP_INSIDE = 5.0  # a gap inside a digit as wide as the digit is high
_LOW = 5.0  # a digit lower than 0.7 of the others, times the difference
_LEFT_OUT = 6.0  # a fragment left out, with as much ink as a digit
_SHARED = 1.0  # a stroke that two digits share

_SMALL = 0.6  # of a digit's height: what is larger is not left out
_NARROW = 0.4  # of a digit's height: what is between two cuts and no wider may be a stroke of both digits

_Path = tuple[Candidate, "_Path"] | None


def segment(line: Candidates, count: int | None = None) -> list[Candidate]:
    """Choose a line's digits, exactly `count` or as near to it as its candidates allow, from left to right.

    The path of least cost from left to right through the candidates is found by dynamic programming (Fujisawa et
    al., 1992). A candidate costs more the less it has the form of a digit, and the more the network doubts it.
    """
    borders = [0.0, *(_measure_border(left, right) for left, right in pairwise(line.parts))]  # before each part
    if len(line.components) > 2:
        usual_area = float(median(component.area for component in line.components))
    else:
        usual_area = 3 * line.height * line.stroke_width
    small = _SMALL * line.height
    left_out = [
        inf if max(part.height, part.width) >= small or is_piece else _CUT + _LEFT_OUT * part.area / usual_area
        for part, is_piece in zip(line.parts, _list_pieces(line.parts), strict=True)
    ]
    costs = [borders[group.first] + _measure_cost(group, line) for group in line.groups]
    return _find_path(line.groups, costs, left_out, _list_shared(line), count)


def _list_pieces(parts: Sequence[Component]) -> list[bool]:
    """Tell which parts were cut from others: none is dirt that may be left out."""
    cut = [part.crossed is not None for part in parts]
    return [before or after for before, after in zip(cut, [*cut[1:], False], strict=True)]


def _list_shared(line: Candidates) -> list[list[int]]:
    """List for each part the ends of strokes that begin with it and that two digits may share, as two zeros do."""
    shared: list[list[int]] = []
    for first, part in enumerate(line.parts):
        shared.append([])
        if part.crossed is None:
            continue
        for end in range(first + 1, len(line.parts)):
            if line.parts[end].crossed is None or line.parts[end - 1].right - part.left > _NARROW * line.height:
                break
            shared[-1].append(end)
    return shared


def _measure_border(left: Component, right: Component) -> float:
    """Measure the cost of beginning a digit with `right`: of the cut there, or of an overlap of two components."""
    if right.crossed is not None:
        return _CUT + _CROSSED * right.crossed
    overlap = min(left.right, right.right) - max(left.left, right.left)
    return _OVERLAP * max(0.0, overlap / min(left.width, right.width))


def _measure_cost(group: Candidate, line: Candidates) -> float:
    """Measure how little a candidate looks like a digit: as high as the others, as wide as a 1 or the rest."""
    wide, high = group.component.width / line.height, group.component.height / line.height
    form = min(((wide - 0.65) / 0.15) ** 2, (max(0.0, wide - 0.2) / 0.1) ** 2) / 8
    parts = line.parts[group.first : group.end]
    gaps = sum(max(0, right.left - left.right) for left, right in pairwise(parts)) / line.height
    return form + _LOW * max(0.0, 0.7 - high) + _GAP_INSIDE * gaps + measure_doubt(group.digit.confidence)


def _find_path(
    groups: Sequence[Candidate],
    costs: Sequence[float],
    left_out: Sequence[float],
    shared: Sequence[Sequence[int]],
    count: int | None,
) -> list[Candidate]:
    """Find the path of least cost from the first part to the end, and return the candidates on it.

    `costs` are the groups', `left_out` those of each part; `shared` are the ends of what may be shared from it on.
    """
    ending: list[list[int]] = [[] for _ in range(len(left_out) + 1)]
    for index, group in enumerate(groups):
        ending[group.end].append(index)
    # before each part, for each number of digits so far: the least cost, and the path, its last digit first
    paths: list[dict[int, tuple[float, _Path]]] = [{0: (0.0, None)}]

    for end in range(1, len(ending)):
        found: dict[int, tuple[float, _Path]] = {}
        for index in ending[end]:
            for digits, cost, path in _list_starts(groups[index], paths, shared):
                if (total := cost + costs[index]) < found.get(digits + 1, (inf, None))[0]:
                    found[digits + 1] = (total, (groups[index], path))
        for digits, (cost, path) in paths[end - 1].items():
            if (total := cost + left_out[end - 1]) < found.get(digits, (inf, None))[0]:
                found[digits] = (total, path)
        paths.append(found)
    final = paths[-1]
    best = min(final, key=lambda digits: (abs(digits - count) if count is not None else 0, final[digits][0]))
    chosen, path = [], final[best][1]
    while path:
        candidate, path = path
        chosen.append(candidate)
    return chosen[::-1]


def _list_starts(
    group: Candidate, paths: Sequence[dict[int, tuple[float, _Path]]], shared: Sequence[Sequence[int]]
) -> Iterator[tuple[int, float, _Path]]:
    """Yield the paths that end where a group begins or with a stroke that it shares: digits, cost, path."""
    for digits, (cost, path) in paths[group.first].items():
        yield digits, cost, path
    for end in shared[group.first]:
        for digits, (cost, path) in paths[end].items() if end < group.end else ():
            if path is not None and path[0].end == end and path[0].first < group.first:
                yield digits, cost + _SHARED, path
