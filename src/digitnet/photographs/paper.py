"""What the ink lies on and beside: paper, desks, spirals, cables, ruled lines, and how ink covers them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from digitnet.photographs.strokes import Float32, Generator, UInt8, smooth_noise

OTHER = 1 << 15
"""The bit in `Page.owners` of ink that is no part of the answer."""

UInt16 = npt.NDArray[np.uint16]


@dataclass
class Page:
    """A page that is being written on; its arrays are changed in place."""

    colour: Float32  # (rows, columns, 3) red, green and blue reflectance, 0 to 1
    owners: UInt16  # (rows, columns) a bit for each of whose ink a pixel is: the answer's digits, or OTHER

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.owners.shape
        return rows, columns


def make_page(shape: tuple[int, int], rng: Generator, tint: Iterable[float] = (1, 1, 1)) -> Page:
    """Make an empty sheet, nearly white times `tint`, a little uneven."""
    base = rng.uniform(0.82, 0.98) * np.array(tuple(tint), np.float32)
    uneven = 1 + rng.uniform(0, 0.015) * smooth_noise(shape, rng, 6)
    return Page((base * uneven[..., None]).astype(np.float32), np.zeros(shape, np.uint16))


def cover(
    page: Page,
    ink: Float32,
    corner: tuple[float, float],
    colour: npt.ArrayLike,
    owner: int,
    *,
    grain: float = 0.0,
    rng: Generator | None = None,
) -> None:
    """Lay ink ``(rows, columns)``, 0 to 1, on the page; `corner` is its top and left, in pixels, perhaps outside.

    `colour` is what remains of the paper's red, green and blue under full ink; `owner` is the bit of whoever's ink
    it is, or 0. With `grain` the ink breaks up on the paper's tooth, as pencil does.
    """
    top, left = (round(value) for value in corner)
    rows, columns = page.shape
    first_row, first_column = max(0, -top), max(0, -left)
    ink = ink[first_row : max(0, rows - top), first_column : max(0, columns - left)]
    if ink.size == 0:
        return
    place = (slice(max(0, top), max(0, top) + ink.shape[0]), slice(max(0, left), max(0, left) + ink.shape[1]))
    if grain and rng is not None:
        tooth = cv2.GaussianBlur(rng.standard_normal(ink.shape).astype(np.float32), (0, 0), 0.8) * 1.8
        ink = ink * np.clip(1 - grain * np.abs(tooth), 0.1, 1)
    remains = 1 - ink[..., None] * (1 - np.asarray(colour, np.float32))
    page.colour[place] *= remains
    page.owners[place][ink > 0.4] |= np.uint16(owner)


def rule(page: Page, spacing: float, width: float, strength: float, rng: Generator, *, squared: bool) -> None:
    """Print ruled lines every `spacing` pixels, or squares; `strength` is how much light they absorb, 0 to 1."""
    rows, columns = page.shape
    tilt = rng.normal(0, 0.012)
    colour = 1 - strength * rng.uniform(0.3, 1, 3).astype(np.float32)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    start = rng.uniform(0, spacing)
    lines = np.zeros(page.shape, np.float32)
    for across in (y + tilt * x, x - tilt * y) if squared else (y + tilt * x,):
        distance = np.abs((across + start) % spacing - spacing / 2)
        lines = np.maximum(lines, np.clip(width / 2 + 0.5 - distance, 0, 1))
    page.colour *= 1 - (lines * min(1.0, width))[..., None] * (1 - colour)


def draw_table(page: Page, rows: Sequence[float], columns: Sequence[float], width: float, rng: Generator) -> None:
    """Draw the lines of a table at these rows and columns, in pixels; outwards they go on, or end at the last."""
    high, wide = page.shape
    tilt = rng.normal(0, 0.006)
    reach = rng.choice([0.0, 2.0 * max(page.shape)], 2)  # beyond the outermost lines
    ink = np.zeros(page.shape, np.uint8)
    middle = wide / 2, high / 2

    def line(first: tuple[float, float], last: tuple[float, float]) -> None:
        ends = [(x - tilt * (y - middle[1]), y + tilt * (x - middle[0])) for x, y in (first, last)]
        (x, y), (last_x, last_y) = np.rint(np.array(ends)).astype(int).tolist()
        cv2.line(ink, (x, y), (last_x, last_y), 255, max(1, round(width)), cv2.LINE_AA)

    for row in rows:
        line((columns[0] - reach[0], row), (columns[-1] + reach[0], row))
    for column in columns:
        line((column, rows[0] - reach[1]), (column, rows[-1] + reach[1]))
    level = rng.uniform(0.1, 0.7)
    cover(page, (ink / 255).astype(np.float32), (0, 0), [level] * 3, 0)


def draw_form(page: Page, inner: tuple[float, float, float, float], width: float, rng: Generator) -> None:
    """Print the line of a form under the writing `inner` (top, left, bottom, right), and often one beside it."""
    top, left, bottom, right = inner
    high = bottom - top
    tilt = rng.normal(0, 0.02)
    y, x = np.mgrid[0 : page.shape[0], 0 : page.shape[1]].astype(np.float32)
    level = bottom + rng.uniform(-0.08, 0.15) * high
    distance = np.abs(y - level - tilt * (x - left))
    if rng.random() < 0.5:
        side = (
            left - rng.uniform(0.03, 0.3) * high if rng.random() < 0.5 else right + rng.uniform(0.03, 0.3) * high
        )
        distance = np.minimum(distance, np.abs(x - side + tilt * (y - top)))
    ink = np.clip(width / 2 + 0.5 - distance, 0, 1) * min(1.0, width)
    cover(page, ink, (0, 0), 1 - rng.uniform(0.2, 0.8) * rng.uniform(0.4, 1, 3), 0)


def put_on_desk(page: Page, inner: tuple[float, float, float, float], rng: Generator, *, spiral: bool) -> None:
    """Let the sheet end before the picture does; `inner` (top, left, bottom, right) stays on the sheet.

    Beside it lies a desk, plain or grained; with `spiral` the sheet is bound along its top.
    """
    rows, columns = page.shape
    top, left, bottom, right = inner
    sides = rng.random(4) < (0.75 if spiral else 0.5)  # top, right, bottom, left: where the sheet ends
    if not sides.any():
        sides[rng.integers(4)] = True
    sides[0] |= spiral
    far = 0.1 * max(rows, columns)

    def edge(space: float, ends: bool) -> tuple[float, float]:
        """Distances of the sheet's edge from the border at its two ends: outside unless the sheet ends there."""
        if not ends or space < 4:
            return -far, -far
        middle = rng.uniform(0.15, 0.9) * space
        tilt = rng.uniform(-0.6, 0.6) * min(middle, space - middle)
        return middle - tilt, middle + tilt

    (t1, t2), (r1, r2) = edge(top, bool(sides[0])), edge(columns - right, bool(sides[1]))
    (b1, b2), (l1, l2) = edge(rows - bottom, bool(sides[2])), edge(left, bool(sides[3]))
    corners = np.array([[l1, t1], [columns - r1, t2], [columns - r2, rows - b2], [l2, rows - b1]])
    sheet = np.zeros(page.shape, np.uint8)
    cv2.fillPoly(sheet, [np.rint(corners * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    on = (sheet / np.float32(255))[..., None]
    desk = _make_desk(page.shape, rng)
    shadow = cv2.GaussianBlur(sheet, (0, 0), max(1.0, 0.012 * max(rows, columns))) / np.float32(255)
    desk *= (1 - 0.5 * rng.random() * shadow)[..., None]
    page.colour[:] = on * page.colour + (1 - on) * desk
    if spiral:
        _bind(page, corners[0], corners[1], rng)
    if rng.random() < 0.25:
        _lay_cable(page, sheet, rng)


def _make_desk(shape: tuple[int, int], rng: Generator) -> Float32:
    base = rng.uniform(0.05, 0.75) * rng.uniform(0.55, 1, 3)
    grain = smooth_noise(shape, rng, 5) * 0.1
    if rng.random() < 0.5:  # wood
        coarse = rng.standard_normal((60, 4)).astype(np.float32)
        coarse = coarse if rng.random() < 0.5 else coarse.T
        grain = grain + 0.15 * cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(base * (1 + grain[..., None]), 0.01, 1), np.float32)


def _bind(page: Page, first: npt.NDArray[np.float64], last: npt.NDArray[np.float64], rng: Generator) -> None:
    """Draw the loops of a spiral along the sheet's edge from `first` to `last`, and their holes."""
    length = float(np.hypot(*(last - first)))
    step = rng.uniform(0.03, 0.06) * length
    reach, width = rng.uniform(0.6, 1.3) * step, max(1, round(rng.uniform(0.12, 0.3) * step))
    level = rng.uniform(0.02, 0.35)
    ink = np.zeros(page.shape, np.uint8)
    for place in np.arange(step / 2, length, step):
        x, y = first + (last - first) * place / length
        tip = round(x + rng.normal(0, 0.1) * step), round(y - reach)
        hole = round(x + 0.1 * step), round(y + 0.6 * reach)
        cv2.line(ink, tip, hole, 255, width, cv2.LINE_AA)
        cv2.circle(ink, hole, max(1, round(0.9 * width)), 255, -1, cv2.LINE_AA)
    cover(page, (ink / 255).astype(np.float32), (0, 0), [level] * 3, OTHER)


def _lay_cable(page: Page, sheet: UInt8, rng: Generator) -> None:
    """Lay a cable or a pen on what is not the sheet."""
    rows, columns = page.shape
    middle = np.array([rng.choice([0, columns]), rng.choice([0, rows])])
    angle = np.linspace(0, 2 * np.pi, 40)
    radius = rng.uniform(0.08, 0.3) * min(rows, columns) * np.exp(rng.normal(0, 0.2, 2))
    points = middle + np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius
    ink = np.zeros(page.shape, np.uint8)
    width = max(1, round(rng.uniform(0.008, 0.03) * max(rows, columns)))
    cv2.polylines(ink, [np.rint(points).astype(np.int32)], False, 255, width, cv2.LINE_AA)
    ink[sheet > 0] = 0
    cover(page, (ink / 255).astype(np.float32), (0, 0), rng.uniform(0, 0.8, 3), OTHER)
