"""Make photographs of handwriting of a kind, with what is written on them."""

from dataclasses import dataclass

import numpy as np

from digitnet.photographs.camera import light, take
from digitnet.photographs.kinds import KINDS
from digitnet.photographs.paper import OTHER, Page, cover, draw_form, draw_table, make_page, put_on_desk, rule
from digitnet.photographs.scribe import Scribe
from digitnet.photographs.strokes import Float32, Generator, UInt8, draw

_COLOURS = {  # what remains of red, green and blue under ink of full strength
    "black": (0.1, 0.1, 0.12),
    "blue": (0.1, 0.15, 0.55),
    "violet": (0.45, 0.1, 0.55),
    "red": (0.75, 0.12, 0.12),
    "green": (0.1, 0.5, 0.2),
    "cyan": (0.15, 0.6, 0.75),
    "brown": (0.35, 0.22, 0.1),
}

_SMALL = 300  # pixels of the longer side of a picture that is never made smaller


@dataclass(frozen=True)
class Photograph:
    """A picture of handwriting, and what is written on it."""

    picture: UInt8  # (rows, columns, 3)
    answer: str  # the digits, from left to right
    kind: str
    owner: UInt8  # (rows, columns) whose ink a pixel is: 0 nobody's, 1 ... the answer's digits, or OTHER


def make_photograph(kind: str, scribe: Scribe, seed: tuple[int, ...], scale: float = 1.0) -> Photograph:
    """Make the photograph of a kind that belongs to a seed; `scale` makes large ones smaller, which saves time."""
    rng = np.random.default_rng((*seed, list(KINDS).index(kind)))
    ranges = KINDS[kind]
    count = int(rng.integers(ranges.digits[0], ranges.digits[1] + 1))
    written = [
        scribe.write_digit(rng, variants=ranges.variants)
        if ranges.is_written
        else (scribe.write_other(rng), OTHER)
        for _ in range(count)
    ]
    longest = _between(ranges.side, rng)
    longest = max(scale * longest, min(longest, _SMALL))
    long, short = longest, longest * rng.uniform(0.6, 1)
    rows, columns = (int(short), int(long)) if rng.random() < 0.3 + 0.6 * (count > 1) else (int(long), int(short))
    height = rng.uniform(*ranges.height) * min(rows, columns)
    spaces = rng.uniform(*ranges.spacing, size=max(count, 1))
    width = sum(strokes.size[0] for strokes, _ in written) + spaces.sum()  # of digits one pixel high
    height = min(height, 0.85 * columns / max(width, 0.1))
    pen = height * _between(ranges.pen, rng)
    inks = [draw(strokes, height * rng.uniform(0.9, 1.1), pen, rng) for strokes, _ in written]
    page = make_page((rows, columns), rng, ranges.tint)
    if ranges.rules:
        spacing = height * rng.uniform(0.3, 1.3)
        rule(page, spacing, max(0.7, pen * rng.uniform(0.2, 0.6)), rng.uniform(*ranges.rules), rng,
             squared=rng.random() < 0.4)  # fmt: skip
    gaps = height * spaces
    width = sum(ink.shape[1] for ink in inks) + gaps[: max(0, count - 1)].sum()
    highest = max((ink.shape[0] for ink in inks), default=0)
    left = rng.uniform(0.02 * columns, max(0.02 * columns + 1, 0.98 * columns - width))
    top = rng.uniform(0.02 * rows, max(0.02 * rows + 1, 0.98 * rows - highest))
    inner = (top, left, min(rows, top + highest), min(columns, left + width))
    spiral = rng.random() < 0.4
    if rng.random() < ranges.desk:
        put_on_desk(page, inner, rng, spiral=spiral)
    colour = _COLOURS[ranges.colours[int(rng.integers(len(ranges.colours)))]]
    strength = rng.uniform(*ranges.strength)
    remains = 1 - np.float32(strength) * (1 - np.array(colour, np.float32))
    grain = ranges.grain * rng.random()
    if ranges.cells and count:
        pad = 0.5 * gaps[0] + pen
        ends = left + np.cumsum([ink.shape[1] + gap for ink, gap in zip(inks, gaps, strict=True)]) - gaps / 2
        columns_of_lines = [left - pad, *ends[:-1], ends[-1] + pad]
        draw_table(page, (top - pad, top + highest + pad), columns_of_lines, 0.4 * pen, rng)
    if ranges.form and rng.random() < ranges.form:
        draw_form(page, inner, pen * rng.uniform(0.15, 0.6), rng)
    place = left
    for number, (ink, gap) in enumerate(zip(inks, gaps, strict=False), 1):
        down = top + (highest - ink.shape[0]) * rng.random()
        owner = number if ranges.is_written else OTHER
        cover(page, ink, (down, place), remains, owner, grain=grain, rng=rng)
        place += ink.shape[1] + gap
    if rng.random() < ranges.neighbours:
        _write_neighbours(page, inner, height, pen, remains, scribe, rng)
    if rng.random() < ranges.dots:
        _drop_dots(page, inner, pen, remains, rng)
    picture = light(page.colour, rng, rng.uniform(*ranges.falloff))
    owner_map = page.owner
    if ranges.margin is not None and count:
        picture, owner_map = _crop(picture, owner_map, int(rng.integers(ranges.margin[0], ranges.margin[1] + 1)))
    blur = rng.uniform(*ranges.blur) * max(0.3, min(1.5, pen / 6))  # a telephone focuses at least on the strokes
    taken = take(picture, rng, blur=blur, noise=rng.uniform(*ranges.noise))
    answer = "".join(str(label) for _, label in written) if ranges.is_written else ""
    return Photograph(taken, answer, kind, np.ascontiguousarray(owner_map))


def _between(limits: tuple[float, float], rng: Generator) -> float:
    """Draw a number between the limits, uniformly on a logarithmic scale."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def _write_neighbours(
    page: Page,
    inner: tuple[float, ...],
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


def _drop_dots(page: Page, inner: tuple[float, ...], pen: float, remains: Float32, rng: Generator) -> None:
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


def _crop(picture: Float32, owner: UInt8, margin: int) -> tuple[Float32, UInt8]:
    """Cut the picture off `margin` pixels around the ink of the answer; a negative margin cuts into the ink."""
    rows, columns = np.nonzero(owner > 0)
    top, bottom = max(0, int(rows.min()) - margin), int(rows.max()) + 1 + margin
    left, right = max(0, int(columns.min()) - margin), int(columns.max()) + 1 + margin
    if bottom - top < 8 or right - left < 3:
        return picture, owner
    return picture[top:bottom, left:right], owner[top:bottom, left:right]
