"""Handwriting as strokes: traced from small images, bent, and drawn again by another pen at any size."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from skimage.morphology import skeletonize

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]
Generator = np.random.Generator

_FINE = 224  # rows that an image is enlarged to before its strokes are thinned
_SMOOTHINGS = 24  # each moves every point half way to the mean of its neighbours


@dataclass(frozen=True)
class Strokes:
    """Points and the lines between them; the longer side of their bounding box is 1."""

    points: Float32  # (n, 2) x, y
    lines: npt.NDArray[np.int32]  # (m, 2) indices of points
    width: float  # of the pen that wrote it

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the bounding box; the longer is 1."""
        width, height = np.ptp(self.points, axis=0)
        return float(width), float(height)


def trace(image: UInt8) -> Strokes:
    """Trace the strokes of an image ``(rows, columns)``, 0 for paper to 255 for ink, along their middle.

    The middle is the skeleton of Zhang and Suen (1984), smoothed. Raises ValueError for an image without ink.
    """
    scale = _FINE / max(image.shape)
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    inked = cv2.GaussianBlur(large, (0, 0), 0.4 * scale) > 110  # soft, as bumps would become branches
    if not inked.any():
        raise ValueError("the image has no ink")
    skeleton = skeletonize(inked)  # type: ignore[no-untyped-call]
    distance = cv2.distanceTransform(inked.astype(np.uint8), cv2.DIST_L2, 3)
    row, column = np.nonzero(skeleton)
    number = np.full((skeleton.shape[0] + 2, skeleton.shape[1] + 2), -1, np.int32)
    number[row + 1, column + 1] = np.arange(len(row))
    lines = []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        other = number[row + 1 + down, column + 1 + right]
        lines.append(np.stack([np.arange(len(row)), other], axis=1)[other >= 0])
    lines.append(np.stack([np.arange(len(row))] * 2, axis=1)[:1])  # a dot is a line too
    strokes = Strokes(
        _smooth(np.stack([column, row], axis=1).astype(np.float32), np.concatenate(lines)),
        np.concatenate(lines).astype(np.int32),
        2 * float(np.median(distance[skeleton])),
    )
    return fit(strokes)


def _smooth(points: Float32, lines: npt.NDArray[np.int64]) -> Float32:
    """Remove the steps of the pixels: the ends of strokes stay where they are."""
    first, second = lines.T
    neighbours = np.bincount(first, minlength=len(points)) + np.bincount(second, minlength=len(points))
    inner = (neighbours > 1)[:, None]
    for _ in range(_SMOOTHINGS):
        total = np.stack(
            [
                np.bincount(first, points[second, axis], len(points))
                + np.bincount(second, points[first, axis], len(points))
                for axis in (0, 1)
            ],
            axis=1,
        )
        mean = total / np.maximum(neighbours, 1)[:, None]
        points = np.where(inner, (points + mean) / 2, points).astype(np.float32)
    return points


def fit(strokes: Strokes) -> Strokes:
    """Move the bounding box to the origin, and scale its longer side to 1."""
    points = strokes.points - strokes.points.min(axis=0)
    longest = max(float(points.max()), 1.0 if len(points) == 1 else 1e-6)
    return replace(strokes, points=points / longest, width=strokes.width / longest)


def bend(strokes: Strokes, rng: Generator, strength: float = 1.0) -> Strokes:
    """Change the hand: rotate by up to 12 degrees, slant, widen or narrow, and bend smoothly; times `strength`."""
    points = strokes.points - strokes.points.mean(axis=0)
    turn, slant = strength * rng.normal(0, [0.09, 0.15])
    wide = np.exp(strength * rng.normal(0, 0.12))
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[wide, -slant], [0, 1]]
    points = points @ matrix.T.astype(np.float32)
    for _ in range(2):  # two plane waves, each about as long as the digit
        direction, phase = rng.normal(0, 4, 2), rng.uniform(0, 2 * np.pi)
        points = points + np.sin(points @ direction + phase)[:, None] * rng.normal(0, 0.025 * strength, 2)
    return fit(replace(strokes, points=points.astype(np.float32)))


def add_line(strokes: Strokes, *ends: tuple[float, float]) -> Strokes:
    """Add a line through points, in the coordinates of the bounding box."""
    start = len(strokes.points)
    added = np.arange(start, start + len(ends) - 1, dtype=np.int32)
    points = np.concatenate([strokes.points, np.array(ends, np.float32)])
    return replace(strokes, points=points, lines=np.concatenate([strokes.lines, np.stack([added, added + 1], 1)]))


def draw(strokes: Strokes, length: float, width: float, rng: Generator, uneven: float = 0.15) -> Float32:
    """Draw strokes `length` pixels long with a pen `width` pixels wide: ``(rows, columns)``, 0 to 1.

    The width varies along the strokes by the fraction `uneven`, as the pressure of a hand does.
    """
    margin = int(np.ceil(0.75 * width + 2))
    points = strokes.points * length + margin
    columns, rows = np.ceil(points.max(axis=0)).astype(int) + margin + 1
    canvas = np.full((rows, columns), 255, np.uint8)
    ends = np.rint(points[strokes.lines] * 16).astype(np.int32)  # cv2 counts sixteenths of a pixel
    cv2.polylines(canvas, list(ends), False, 0, 1, cv2.LINE_8, shift=4)
    distance = cv2.distanceTransform(canvas, cv2.DIST_L2, 5)
    pressure = 1 + uneven * smooth_noise((rows, columns), rng, 4)
    ink = np.clip(pressure * width / 2 + 0.5 - distance, 0, 1)
    return np.asarray(ink * min(1.0, 0.35 + 0.65 * width), np.float32)  # less than a pixel covers it in part


def smooth_noise(shape: tuple[int, int], rng: Generator, cells: int) -> Float32:
    """Make smooth noise ``(rows, columns)`` of mean 0 and deviation about 1, with `cells` waves along a side."""
    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
