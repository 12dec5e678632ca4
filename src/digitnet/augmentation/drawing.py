"""Drawing by the thousand: curves and strokes as tensors, a picture for each row."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

SIDE = 48
"""Rows and columns of a drawn picture."""


def sample_curve(corners: Tensor) -> Tensor:
    """Sample points ``(n, 4c - 3, 2)`` of the quadratic B-spline with the control points `corners` ``(n, c, 2)``.

    The spline is the moving average of the polygon through them, over the length of one side.
    """
    polygon = corners.transpose(1, 2)  # (n, 2, c)
    fine = F.interpolate(polygon, 8 * corners.shape[1] - 7, mode="linear", align_corners=True)
    return F.avg_pool1d(F.pad(fine, (4, 4), mode="replicate"), 9, stride=2).transpose(1, 2)


def draw_lines(x: Tensor, y: Tensor, last_x: Tensor, last_y: Tensor, width: Tensor) -> Tensor:
    """Draw a line of each picture: ``(n, 28, 28)``; coordinates and widths ``(n,)`` are in pixels."""
    ends = torch.stack([x, y, last_x, last_y], dim=1).view(-1, 2, 2)
    return draw_strokes(ends / 28, width / 28, 28)


def draw_strokes(points: Tensor, width: Tensor, side: int = SIDE) -> Tensor:
    """Draw polylines through `points` ``(n, p, 2)``, x before y: ``(n, side, side)``, 0 to 1, anti-aliased.

    Points and widths ``(n,)`` are fractions of the picture's side.
    """
    centres = (torch.arange(side) + 0.5) / side
    x, y = centres[None, None, :], centres[None, :, None]
    nearest = torch.full((len(points), side, side), 9.0)
    for first, second in zip(points.unbind(1)[:-1], points.unbind(1)[1:], strict=True):
        (ax, ay), (bx, by) = ([value[:, None, None] for value in end.unbind(1)] for end in (first, second))
        dx, dy = bx - ax, by - ay
        along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy).clamp_min(1e-9)
        along = along.clamp(0, 1)
        nearest = torch.minimum(nearest, (x - ax - along * dx).square() + (y - ay - along * dy).square())
    return (side * (width[:, None, None] / 2 - nearest.sqrt()) + 0.5).clamp(0, 1)


def roll(pictures: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Shift each picture ``(n, rows, columns)`` by whole pixels, cyclically; `torch.roll` shifts all alike."""
    n, rows, columns = pictures.shape
    y = (torch.arange(rows) - down[:, None]) % rows
    x = (torch.arange(columns) - right[:, None]) % columns
    return pictures[torch.arange(n)[:, None, None], y[:, :, None], x[:, None, :]]


def sample_uniform(low: float, high: float, shape: int | tuple[int, ...], generator: Generator) -> Tensor:
    """Draw numbers uniformly between `low` and `high`."""
    return low + (high - low) * torch.rand(shape, generator=generator)
