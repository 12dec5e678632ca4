"""A line of writing cut wherever digits may touch, and the groups of its parts that may be one digit each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from digitnet.finding.components import Component, join
from digitnet.finding.cuts import cut_apart

_MOST_PARTS = 14  # of one digit
_WIDEST = 1.6  # of a digit's height
_GAP = 0.25  # of a digit's height: the widest gap inside a digit


@dataclass(frozen=True)
class Oversegmented:
    """A line of writing in more parts than it has digits."""

    components: list[Component]  # from left to right
    parts: list[Component]  # the components, cut wherever digits may touch
    height: float  # of a digit, in working pixels: the components' median

    def list_candidates(self) -> Iterator[tuple[int, int, Component]]:
        """Yield the neighbouring parts that may be one digit: index of the first, index after the last, joined."""
        for first in range(len(self.parts)):
            left, right = self.parts[first].left, self.parts[first].right
            yield first, first + 1, self.parts[first]
            for last in range(first + 1, min(first + _MOST_PARTS, len(self.parts))):
                gap = self.parts[last].left - right
                left, right = min(left, self.parts[last].left), max(right, self.parts[last].right)
                if gap >= _GAP * self.height or right - left >= _WIDEST * self.height:
                    break
                yield first, last + 1, join(self.parts[first : last + 1])


def oversegment(line: Sequence[Component], stroke_width: float) -> Oversegmented:
    """Cut the components of a line wherever digits may touch; `stroke_width` is in working pixels."""
    height = float(median(component.height for component in line))
    parts = [part for component in line for part in cut_apart(component, stroke_width, height)]
    return Oversegmented(list(line), parts, height)
