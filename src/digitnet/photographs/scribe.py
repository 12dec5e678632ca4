"""Whoever writes on the pages: MNIST's writers, with additions of other hands, and things that are no digit."""

from dataclasses import replace

import numpy as np

from digitnet.photographs.strokes import Generator, Strokes, UInt8, add_line, bend, fit, trace


class Scribe:
    """Writes digits and other characters as strokes, each traced from an image once.

    `images` are ``(n, 28, 28)`` uint8 with `labels` ``(n,)``, laid out as MNIST's; `characters` ``(m, rows,
    columns)`` are no digits.
    """

    def __init__(self, images: UInt8, labels: UInt8, characters: UInt8 | None = None) -> None:
        self._images, self._labels, self._characters = images, labels, characters
        self._traced: dict[tuple[bool, int], Strokes] = {}

    def write_digit(self, rng: Generator, *, variants: float = 0.15) -> tuple[Strokes, int]:
        """Write a digit, with the probability `variants` as other hands do; return it and its label."""
        index = int(rng.integers(len(self._images)))
        strokes, label = self._trace(index, self._images, False), int(self._labels[index])
        if rng.random() < variants:
            strokes = VARIANTS.get(label, _leave)(strokes, rng)
        return bend(strokes, rng), label

    def write_other(self, rng: Generator) -> Strokes:
        """Write something that is no digit: a character, a scribble or a shape."""
        if self._characters is not None and len(self._characters) and rng.random() < 0.7:
            return bend(self._trace(int(rng.integers(len(self._characters))), self._characters, True), rng)
        return (_scribble if rng.random() < 0.6 else _draw_shape)(rng)

    def _trace(self, index: int, images: UInt8, is_other: bool) -> Strokes:
        key = is_other, index
        if key not in self._traced:
            self._traced[key] = trace(images[index])
        return self._traced[key]


def _leave(strokes: Strokes, rng: Generator) -> Strokes:
    return strokes


def _vary_one(strokes: Strokes, rng: Generator) -> Strokes:
    """Give a one a flag, short or as long as the stem, and often a foot; MNIST's ones seldom have either."""
    height = strokes.size[1]
    order = np.argsort(strokes.points[:, 1])
    head, base = strokes.points[order[0]], strokes.points[order[-1]]
    reach = height * rng.uniform(0.08, 0.5)
    drop = max(0.0, reach - 0.15 * height) * 0.6 + height * rng.uniform(0.03, 0.35)  # a long flat one makes a 7
    flagged = rng.random() < 0.8
    if flagged:
        strokes = add_line(strokes, (head[0], head[1]), (head[0] - reach, head[1] + drop))
    if rng.random() < 0.5 or not flagged:
        left, right = height * rng.uniform(0.1, 0.35, 2)
        tilt = height * rng.normal(0, 0.02)
        strokes = add_line(strokes, (base[0] - left, base[1] + tilt), (base[0] + right, base[1] - tilt))
    return fit(strokes)


def _vary_seven(strokes: Strokes, rng: Generator) -> Strokes:
    """Cross a seven, and often hang a serif on its beginning."""
    width, height = strokes.size
    points = strokes.points
    level = rng.uniform(0.4, 0.65)
    near = points[np.abs(points[:, 1] - level * height) < 0.08 * height]
    middle = float(near[:, 0].mean()) if len(near) else width / 2
    if rng.random() < 0.8:
        left, right = height * rng.uniform(0.12, 0.35, 2)
        tilt = height * rng.normal(0, 0.04)
        strokes = add_line(
            strokes, (middle - left, level * height + tilt), (middle + right, level * height - tilt)
        )
    if rng.random() < 0.5:
        x, y = points[points[:, 0].argmin()]
        side, drop = height * rng.normal(-0.03, 0.05), height * rng.uniform(0.1, 0.3)
        strokes = add_line(strokes, (x, y), (x + side / 2, y + 0.6 * drop), (x + side, y + drop))
    return fit(strokes)


def _vary_two(strokes: Strokes, rng: Generator) -> Strokes:
    """Cross a two, or curl its head."""
    height = strokes.size[1]
    points = strokes.points
    if rng.random() < 0.4:
        level, reach = height * rng.uniform(0.4, 0.6), height * rng.uniform(0.12, 0.25)
        near = points[np.abs(points[:, 1] - level) < 0.08 * height]
        middle = float(near[:, 0].mean()) if len(near) else strokes.size[0] / 2
        return fit(add_line(strokes, (middle - reach, level), (middle + reach, level)))
    head = points[points[:, 1] < 0.45 * height]
    x, y = head[head[:, 0].argmin()]
    turn = height * rng.uniform(0.05, 0.15)
    return fit(add_line(strokes, (x, y), (x + 0.2 * turn, y + turn), (x + 1.2 * turn, y + 0.8 * turn)))


def _vary_nine(strokes: Strokes, rng: Generator) -> Strokes:
    """Hook the tail of a nine to the left, as far as its loop or less."""
    height = strokes.size[1]
    x, y = strokes.points[strokes.points[:, 1].argmax()]
    reach, rise = height * rng.uniform(0.1, 0.4), height * rng.uniform(0.0, 0.15)
    turn = x - 0.6 * reach, y + height * rng.uniform(0.0, 0.06)
    return fit(add_line(strokes, (x, y), turn, (x - reach, y - rise)))


def _vary_zero(strokes: Strokes, rng: Generator) -> Strokes:
    """Open a zero at its top, or go round it once more."""
    if rng.random() < 0.5:
        again = bend(strokes, rng, 0.4)
        points = np.concatenate([strokes.points, again.points * rng.uniform(0.9, 1.05)])
        lines = np.concatenate([strokes.lines, again.lines + len(strokes.points)])
        return fit(replace(strokes, points=points, lines=lines))
    return _open(strokes, rng)


def _open(strokes: Strokes, rng: Generator) -> Strokes:
    """Leave a gap near the top, where a closed loop was begun."""
    width = strokes.size[0]
    centre = np.array([width * rng.uniform(0.3, 0.8), 0.03])
    middle = strokes.points[strokes.lines].mean(axis=1)
    keep = np.hypot(*(middle - centre).T) > rng.uniform(0.04, 0.12)
    return replace(strokes, lines=strokes.lines[keep]) if keep.sum() > 20 else strokes


def _scribble(rng: Generator) -> Strokes:
    """Scribble: a walk whose direction changes slowly, or in corners."""
    steps = int(rng.integers(20, 120))
    turns = rng.normal(0, rng.uniform(0.1, 0.9), steps) + rng.uniform(-0.25, 0.25)
    angle = rng.uniform(0, 2 * np.pi) + np.cumsum(turns)
    points = np.cumsum(np.stack([np.cos(angle), np.sin(angle)], axis=1), axis=0).astype(np.float32)
    return _join(points)


def _draw_shape(rng: Generator) -> Strokes:
    """Draw a star, a polygon with three to eight corners, a spiral or a wave."""
    turn = np.linspace(0, 2 * np.pi, 200)
    kind = rng.integers(4)
    if kind == 0:
        corners = int(rng.integers(3, 9))
        radius = np.where(np.arange(2 * corners) % 2, rng.uniform(0.3, 1), 1)
        at = np.linspace(0, 2 * np.pi, 2 * corners, endpoint=False) + rng.uniform(0, 6)
        points = np.stack([radius * np.cos(at), radius * np.sin(at)], axis=1)
        return _join(np.concatenate([points, points[:1]]).astype(np.float32))
    if kind == 1:
        points = np.stack([turn / 6 * np.cos(3 * turn), turn / 6 * np.sin(3 * turn)], axis=1)
    elif kind == 2:
        points = np.stack([turn / 2, np.sin(rng.uniform(2, 6) * turn) * rng.uniform(0.2, 1)], axis=1)
    else:  # hatching
        rows = int(rng.integers(3, 8))
        points = np.array([[(i % 2) ^ (i // 2 % 2), (i // 2 + i % 2) / rows] for i in range(2 * rows)], float)
    return bend(_join(points.astype(np.float32)), rng)


def _join(points: "np.ndarray[tuple[int, int], np.dtype[np.float32]]") -> Strokes:
    first = np.arange(len(points) - 1, dtype=np.int32)
    return fit(Strokes(points, np.stack([first, first + 1], axis=1), 0.1))


VARIANTS = {0: _vary_zero, 1: _vary_one, 2: _vary_two, 7: _vary_seven, 9: _vary_nine}
"""What other hands add to a digit; MNIST's writers seldom did."""
