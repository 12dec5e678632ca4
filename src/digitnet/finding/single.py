"""What may be the digit of a picture that shows only one: groups of its components, with and without the rest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from digitnet.finding.components import Component, erase_lines, find_components, join
from digitnet.finding.ink import DIRT, Ink

_NEAR = 0.2  # of the size of what is there: a component so near to it belongs to it
_GAP = 4  # stroke widths: so large are the gaps in a line that a hard pencil draws on rough paper
_GRAIN = 2.0  # times the ink: where more is found in all, most of it is the paper's grain
_BROKEN = 1.1  # times the ink: so much more is found where gaps are closed, if strokes are broken into specks
_LARGEST = 3  # components, each of which may be the digit or its largest part


# What a group costs, beside the network's doubt.
_REST = 4.0  # ink left out that is as large as the digit
_REST_AT_BORDER = 0.5  # the same at the border, where other things reach into the picture
_AS_LARGE = 0.5  # of a group's size: a mark left out that is so large may be another digit
_LEAST = 1e-3  # the network may be wrong where it is sure that something is not a digit


@dataclass(frozen=True)
class Group:
    """Components that together may be the digit."""

    ink: Ink  # that they are of
    component: Component  # joined
    left_out: float  # size of the largest component that is not among them, as a fraction of theirs
    left_out_at_border: float  # the same of those at the border

    @property
    def cost(self) -> float:
        """What speaks against it: ink that is left out."""
        return _REST * self.left_out + _REST_AT_BORDER * min(self.left_out_at_border, 1)

    @property
    def is_alone(self) -> bool:
        """Whether nothing else off the border is nearly as large: otherwise the picture shows several marks."""
        return self.left_out < _AS_LARGE


def measure_doubt(confidence: float) -> float:
    """Measure the network's doubt, -log p, at most 7: p is the probability that a mark is the digit it seems."""
    return -log(max(confidence, _LEAST))


def choose(costs: Sequence[float], confidences: Sequence[float]) -> int:
    """Return the index of the digit among groups of these costs that the network is so confident of."""
    totals = [cost + measure_doubt(confidence) for cost, confidence in zip(costs, confidences, strict=True)]
    return totals.index(min(totals))


def list_groups(ink: Ink) -> list[Group]:
    """List what may be the digit: all ink, all that is not at the border, each large component with those near it.

    Ruled lines are left out, and where there are any, the same is listed with them: a stroke from border to border
    may be one. Where much ink is lost as specks, the same is listed with broken strokes mended.
    """
    mask = erase_lines(ink)
    bare = find_components(ink, mask, without_shadows=False)
    groups = _group(bare, ink)
    if np.count_nonzero(mask) < np.count_nonzero(ink.mask):
        groups += _group(find_components(ink, ink.mask, without_shadows=False), ink)
    found = sum(one.area for one in bare)
    is_broken = _BROKEN * found < np.count_nonzero(mask) <= _GRAIN * found
    if is_broken and ink.sheet is None:  # beside a sheet there is a desk's grain
        mended = find_components(ink, mask, without_shadows=False, gap=_GAP * ink.stroke_width)
        if sum(one.area for one in mended) > _BROKEN * found:
            groups += _group(mended, ink)
    return _leave_out_repeated(groups)


def _leave_out_repeated(groups: Iterable[Group]) -> list[Group]:
    """Leave out groups of the same ink; of those, the one that costs least remains."""
    distinct: dict[tuple[int, int, int, bytes], Group] = {}
    for group in groups:
        one = group.component
        key = one.left, one.top, one.width, one.mask.tobytes()
        if key not in distinct or group.cost < distinct[key].cost:
            distinct[key] = group
    return list(distinct.values())


def _group(components: Sequence[Component], ink: Ink) -> list[Group]:
    components = [one for one in components if not one.is_margin]
    largest = max((_size(one) for one in components), default=0)
    clean = [one for one in components if _size(one) >= DIRT * largest]
    inner = [one for one in clean if not one.at_border]
    chosen = [clean, inner]
    for pool in (clean, inner):
        chosen += [_grow(start, pool) for start in sorted(pool, key=_size, reverse=True)[:_LARGEST]]
    seen: set[frozenset[int]] = set()
    groups = []
    for parts in chosen:
        key = frozenset(map(id, parts))
        if not parts or key in seen:
            continue
        seen.add(key)
        component = join(parts)
        rest = [one for one in clean if id(one) not in key]
        groups.append(
            Group(
                ink,
                component,
                _largest_of(one for one in rest if not one.at_border) / _size(component),
                _largest_of(one for one in rest if one.at_border) / _size(component),
            )
        )
    return groups


def _grow(start: Component, components: Iterable[Component]) -> list[Component]:
    """List the components near to `start`, and near to those."""
    group, rest = [start], [one for one in components if one is not start]
    while True:
        reach = _NEAR * max(_size(one) for one in group)
        near = [one for one in rest if any(_distance(one, other) <= reach for other in group)]
        if not near:
            return group
        group += near
        rest = [one for one in rest if not any(one is other for other in near)]


def _distance(one: Component, other: Component) -> float:
    """Measure the distance of two rectangles, in working pixels."""
    across = max(one.left, other.left) - min(one.right, other.right)
    along = max(one.top, other.top) - min(one.bottom, other.bottom)
    return float(max(across, along, 0))


def _size(component: Component) -> int:
    return max(component.width, component.height)


def _largest_of(components: Iterable[Component]) -> int:
    return max(map(_size, components), default=0)
