"""Make photographs of handwriting of a kind, with what is written on them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from digitnet.photographs.camera import coarsen, light, take
from digitnet.photographs.kinds import KINDS, Kind, Range
from digitnet.photographs.paper import (
    OTHER,
    Page,
    UInt16,
    cover,
    draw_form,
    draw_table,
    make_page,
    put_on_desk,
    rule,
)
from digitnet.photographs.scribe import Scribe
from digitnet.photographs.strokes import Float32, Generator, Strokes, UInt8, draw

_COLOURS = {  # what remains of red, green and blue under ink of full strength
    "black": (0.1, 0.1, 0.12),
    "blue": (0.1, 0.15, 0.55),
    "violet": (0.45, 0.1, 0.55),
    "red": (0.75, 0.12, 0.12),
    "green": (0.1, 0.5, 0.2),
    "cyan": (0.15, 0.6, 0.75),
    "brown": (0.35, 0.22, 0.1),
}

Place = tuple[float, float, float, float]
"""Top, left, bottom and right of the writing, in pixels."""

_SMALL = 300  # pixels of the longer side of a picture that is never made smaller


@dataclass(frozen=True)
class Photograph:
    """A picture of handwriting, and what is written on it."""

    picture: UInt8  # (rows, columns, 3)
    answer: str  # the digits, from left to right
    kind: str
    owners: UInt16  # (rows, columns) whose ink a pixel is: bit 0 of the answer's first digit, 1 ..., or OTHER


@dataclass(frozen=True)
class _Writing:
    """Marks side by side, drawn but not yet on a page; lengths are in pixels."""

    inks: list[Float32]  # of each mark: (rows, columns), 0 to 1
    gaps: npt.NDArray[np.float64]  # after each
    height: float  # of a usual mark
    pen: float  # width of the strokes

    @property
    def shape(self) -> tuple[int, float]:
        """Rows and columns of all of them."""
        between = float(self.gaps[: max(0, len(self.inks) - 1)].sum())
        return max((ink.shape[0] for ink in self.inks), default=0), sum(
            ink.shape[1] for ink in self.inks
        ) + between


def make_photograph(kind: str, scribe: Scribe, seed: tuple[int, ...], scale: float = 1.0) -> Photograph:
    """Make the photograph of a kind that belongs to a seed; `scale` makes large ones smaller, which saves time."""
    rng = np.random.default_rng((*seed, list(KINDS).index(kind)))
    ranges = KINDS[kind]
    written = _write(ranges, scribe, rng)
    shape = _choose_shape(ranges, len(written) > 1, scale, rng)
    writing = _draw([strokes for strokes, _ in written], ranges, shape, rng)
    page = make_page(shape, rng, ranges.tint)
    if ranges.rules:
        _rule(page, writing, ranges.rules, rng)
    inner = _choose_place(writing, shape, rng)
    spiral = rng.random() < 0.4
    if rng.random() < ranges.desk:
        put_on_desk(page, inner, rng, spiral=spiral)
    remains, grain = _choose_ink(ranges, rng)
    if ranges.cells and written:
        _draw_cells(page, writing, inner, rng)
    if ranges.form and rng.random() < ranges.form:
        draw_form(page, inner, writing.pen * rng.uniform(0.15, 0.6), rng)
    _lay(page, writing, inner, remains, grain, rng, is_answer=ranges.is_written)
    if rng.random() < ranges.neighbours:
        _write_neighbours(page, inner, writing.height, writing.pen, remains, scribe, rng)
    if rng.random() < ranges.dots:
        _drop_dots(page, inner, writing.pen, remains, rng)
    picture, owners = light(page.colour, rng, rng.uniform(*ranges.falloff)), page.owners
    if ranges.margin is not None and written:
        picture, owners = _crop(picture, owners, int(rng.integers(ranges.margin[0], ranges.margin[1] + 1)))
    in_focus = max(0.3, min(1.5, writing.pen / 6))  # a telephone focuses at least on the strokes
    taken = take(picture, rng, blur=rng.uniform(*ranges.blur) * in_focus, noise=rng.uniform(*ranges.noise))
    if ranges.rows is not None:
        taken = coarsen(taken, rng.uniform(*ranges.rows) / writing.height, rng)
    answer = "".join(str(label) for _, label in written) if ranges.is_written else ""
    return Photograph(taken, answer, kind, np.ascontiguousarray(owners))


def _write(ranges: Kind, scribe: Scribe, rng: Generator) -> list[tuple[Strokes, int]]:
    """Write the digits of the answer, or something else, each with its label."""
    count = int(rng.integers(ranges.digits[0], ranges.digits[1] + 1))
    if ranges.is_written:
        return [scribe.write_digit(rng, variants=ranges.variants) for _ in range(count)]
    return [(scribe.write_other(rng), OTHER) for _ in range(count)]


def _choose_shape(ranges: Kind, is_line: bool, scale: float, rng: Generator) -> tuple[int, int]:
    """Choose the rows and columns of the picture."""
    longest = _between(ranges.side, rng)
    longest = max(scale * longest, min(longest, _SMALL))
    long, short = int(longest), int(longest * rng.uniform(0.6, 1))
    return (short, long) if rng.random() < 0.3 + 0.6 * is_line else (long, short)


def _draw(written: list[Strokes], ranges: Kind, shape: tuple[int, int], rng: Generator) -> _Writing:
    """Draw the strokes of each mark, so large that all fit into the picture."""
    height = rng.uniform(*ranges.height) * min(shape)
    spaces = rng.uniform(*ranges.spacing, size=max(len(written), 1))
    pen = _between(ranges.pen, rng)
    width = sum(strokes.size[0] + 1.2 * pen for strokes in written) + spaces.sum()  # of marks one pixel high
    height = min(height, 0.85 * shape[1] / max(width, 0.1))
    pen *= height
    inks = [draw(strokes, height * rng.uniform(0.9, 1.1), pen, rng) for strokes in written]
    return _Writing(inks, height * spaces, height, pen)


def _rule(page: Page, writing: _Writing, strength: Range, rng: Generator) -> None:
    """Print ruled lines as far apart as the writing is high, more or less."""
    spacing = writing.height * rng.uniform(0.3, 1.3)
    width = max(0.7, writing.pen * rng.uniform(0.2, 0.6))
    rule(page, spacing, width, rng.uniform(*strength), rng, squared=rng.random() < 0.4)


def _choose_place(writing: _Writing, shape: tuple[int, int], rng: Generator) -> Place:
    """Choose where on the page the writing is."""
    (rows, columns), (high, wide) = shape, writing.shape
    left = rng.uniform(0.02 * columns, max(0.02 * columns + 1, 0.98 * columns - wide))
    top = rng.uniform(0.02 * rows, max(0.02 * rows + 1, 0.98 * rows - high))
    return top, left, min(rows, top + high), min(columns, left + wide)


def _choose_ink(ranges: Kind, rng: Generator) -> tuple[Float32, float]:
    """Choose what remains of red, green and blue under the ink, and how much it breaks up on the paper's tooth."""
    colour = _COLOURS[ranges.colours[int(rng.integers(len(ranges.colours)))]]
    remains = 1 - np.float32(rng.uniform(*ranges.strength)) * (1 - np.array(colour, np.float32))
    return remains, ranges.grain * rng.random()


def _draw_cells(page: Page, writing: _Writing, inner: Place, rng: Generator) -> None:
    """Draw a table with a cell for each mark."""
    top, left = inner[:2]
    pad = 0.5 * writing.gaps[0] + writing.pen
    widths = [ink.shape[1] + gap for ink, gap in zip(writing.inks, writing.gaps, strict=True)]
    ends = left + np.cumsum(widths) - writing.gaps / 2
    columns = [left - pad, *ends[:-1], ends[-1] + pad]
    draw_table(page, (top - pad, top + writing.shape[0] + pad), columns, 0.4 * writing.pen, rng)


def _lay(
    page: Page, writing: _Writing, inner: Place, remains: Float32, grain: float, rng: Generator, *, is_answer: bool
) -> None:
    """Lay the marks on the page, from left to right."""
    top, place = inner[:2]
    for number, (ink, gap) in enumerate(zip(writing.inks, writing.gaps, strict=False)):
        down = top + (writing.shape[0] - ink.shape[0]) * rng.random()
        cover(page, ink, (down, place), remains, 1 << number if is_answer else OTHER, grain=grain, rng=rng)
        place += ink.shape[1] + gap


def _between(limits: tuple[float, float], rng: Generator) -> float:
    """Draw a number between the limits, uniformly on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _write_neighbours(
    page: Page,
    inner: Place,
    height: float,
    pen: float,
    remains: Float32,
    scribe: Scribe,
    rng: Generator,
) -> None:
    """Write one to three characters that the border cuts, beside the answer and never on it."""
    rows, columns = page.shape
    top, left, bottom, right = inner
    for side in rng.permutation(4)[: rng.integers(1, 4)]:
        strokes = scribe.write_digit(rng)[0] if rng.random() < 0.6 else scribe.write_other(rng)
        ink = draw(strokes, height * rng.uniform(0.8, 1.2), pen, rng)
        high, wide = ink.shape
        seen = rng.uniform(0.08, 0.6)  # of the neighbour
        gap = 0.06 * height
        if side % 2:  # left or right
            room = (columns - right if side == 1 else left) - gap
            seen = min(seen * wide, room)
            corner = (top + rng.uniform(-0.3, 0.3) * height, columns - seen if side == 1 else seen - wide)
        else:
            room = (top if side == 0 else rows - bottom) - gap
            seen = min(seen * high, room)
            corner = (seen - high if side == 0 else rows - seen, left + rng.uniform(-0.5, 0.5) * height)
        if seen >= 2:
            cover(page, ink, corner, remains, OTHER)


def _drop_dots(page: Page, inner: Place, pen: float, remains: Float32, rng: Generator) -> None:
    """Drop one to three dots the size of the pen."""
    rows, columns = page.shape
    for _ in range(rng.integers(1, 4)):
        side = max(1.0, pen * rng.uniform(0.5, 1.3))
        y, x = np.mgrid[-side : side + 1, -side : side + 1]
        dot = np.clip(side / 2 + 0.5 - np.hypot(y, x), 0, 1).astype(np.float32)
        corner = rng.uniform(0, rows - 2 * side), rng.uniform(0, columns - 2 * side)
        top, left, bottom, right = inner
        if not (top - 2 * side < corner[0] < bottom and left - 2 * side < corner[1] < right):
            cover(page, dot, corner, remains, OTHER)


def _crop(picture: Float32, owners: UInt16, margin: int) -> tuple[Float32, UInt16]:
    """Cut the picture off `margin` pixels around the ink of the answer; a negative margin cuts into the ink."""
    rows, columns = np.nonzero(owners)
    top, bottom = max(0, int(rows.min()) - margin), int(rows.max()) + 1 + margin
    left, right = max(0, int(columns.min()) - margin), int(columns.max()) + 1 + margin
    if bottom - top < 8 or right - left < 3:
        return picture, owners
    return picture[top:bottom, left:right], owners[top:bottom, left:right]
