"""From the pieces of a line to its digits: the cheapest way to join and to cut them."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitnet.reading.ink import Ink, UInt8
from digitnet.reading.pieces import Piece, cut, draw, merge

Judge = Callable[[Sequence[UInt8]], NDArray[np.floating]]
"""From crops to how sure it is, 0 to 1, that each is one digit."""

_MOST_PIECES = 14  # of one digit
_WIDEST = 1.6  # of a digit's height
_GAP = 0.25  # of a digit's height: the widest gap inside a digit
_LEAST_SURE = 1e-3  # a judge that says 0 may be wrong

# What makes a way dear; a judge's doubt is counted as minus the logarithm of how sure it is.
_CUT = 0.3  # a cut, and
_CROSSED = 0.7  # each pen of ink that it crosses
_OVERLAP = 2.0  # two digits, if the narrower stands fully over or under the other
_GAP_INSIDE = 5.0  # a gap as wide as a digit is high
_LOW = 5.0  # a digit as much lower than 0.7 of the others
_LEFT_OUT = 6.0  # leaving out a fragment with as much ink as a digit
_SMALL = 0.6  # of a digit's height: what is larger is not left out


def segment(line: Sequence[Piece], ink: Ink, judge: Judge | None = None, count: int | None = None) -> list[Piece]:
    """Return the digits of a line, from left to right; exactly `count`, or as near as the pieces allow.

    The pieces are cut wherever digits may touch, and the cheapest way from left to right through all groups of
    neighbours is taken (Fujisawa et al., 1992): a group is dear if it has not the form of a digit, or if the judge
    doubts it.
    """
    high = float(np.median([piece.height for piece in line]))
    pieces: list[Piece] = []
    borders: list[float] = []  # what it costs that a digit begins with the piece
    for whole in line:
        parts, crossed = cut(whole, ink.pen, high)
        borders += [_OVERLAP * _measure_overlap(pieces[-1], parts[0]) if pieces else 0.0]
        borders += [_CUT + _CROSSED * pens for pens in crossed]
        pieces += parts
    groups = _list_groups(pieces, high)
    digits = {span: merge(pieces[slice(*span)]) for span in groups}
    cost = {span: _judge_form(digits[span], pieces[slice(*span)], high) for span in groups}
    if judge is not None and len(groups) > 1:
        sure = judge([draw(digits[span], ink) for span in groups])
        for span, value in zip(groups, sure, strict=True):
            cost[span] -= float(np.log(max(float(value), _LEAST_SURE)))
    typical = float(np.median([piece.area for piece in line])) if len(line) > 2 else 3 * high * ink.pen
    left_out = [
        _CUT + _LEFT_OUT * piece.area / typical if max(piece.height, piece.width) < _SMALL * high else np.inf
        for piece in pieces
    ]
    return [digits[span] for span in _find_cheapest(len(pieces), cost, borders, left_out, count)]


def _list_groups(pieces: Sequence[Piece], high: float) -> list[tuple[int, int]]:
    """List the groups of neighbours, as (first, behind the last), that may be one digit."""
    groups = []
    for first in range(len(pieces)):
        left, right = pieces[first].left, pieces[first].right
        groups.append((first, first + 1))
        for last in range(first + 1, min(first + _MOST_PIECES, len(pieces))):
            gap = pieces[last].left - right
            left, right = min(left, pieces[last].left), max(right, pieces[last].right)
            if gap >= _GAP * high or right - left >= _WIDEST * high:
                break
            groups.append((first, last + 1))
    return groups


def _measure_overlap(one: Piece, other: Piece) -> float:
    """Measure how much of the narrower piece is over or under the other, 0 to 1."""
    overlap = min(one.right, other.right) - max(one.left, other.left)
    return max(0.0, overlap / min(one.width, other.width))


def _judge_form(digit: Piece, parts: Sequence[Piece], high: float) -> float:
    """Tell how little a group has the form of a digit: as high as the others, as wide as a 1 or the rest."""
    wide, tall = digit.width / high, digit.height / high
    form = min(((wide - 0.65) / 0.15) ** 2, (max(0.0, wide - 0.2) / 0.1) ** 2) / 8
    gaps = sum(max(0, right.left - left.right) for left, right in pairwise(parts)) / high
    return form + _LOW * max(0.0, 0.7 - tall) + _GAP_INSIDE * gaps


def _find_cheapest(
    pieces: int,
    cost: dict[tuple[int, int], float],
    borders: Sequence[float],
    left_out: Sequence[float],
    count: int | None,
) -> list[tuple[int, int]]:
    """Find the cheapest way from the first piece to behind the last, as the spans of its digits."""
    # at each place, for each number of digits so far: the cost, and where the last step began and with how many
    ways: list[dict[int, tuple[float, tuple[int, int] | None]]] = [{} for _ in range(pieces + 1)]
    ways[0][0] = (0.0, None)

    def step(first: int, last: int, price: float, digits: int) -> None:
        for before, (sum_before, _) in ways[first].items():
            total = sum_before + price
            if total < ways[last].get(before + digits, (np.inf, None))[0]:
                ways[last][before + digits] = (total, (first, before))

    for last in range(1, pieces + 1):
        for first in range(max(0, last - _MOST_PIECES), last):
            if (first, last) in cost:
                step(first, last, cost[first, last] + borders[first], 1)
        step(last - 1, last, left_out[last - 1], 0)
    final = ways[pieces]
    digits = min(final, key=lambda number: (abs(number - count) if count is not None else 0, final[number][0]))
    spans = []
    place = pieces
    while (came := ways[place][digits][1]) is not None:
        first, before = came
        if before < digits:
            spans.append((first, place))
        place, digits = first, before
    return spans[::-1]
