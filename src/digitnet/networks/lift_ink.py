"""Separate the ink of crops from their paper; `normalise.centre_ink` then makes the network's image of it.

These functions are exported in the model file, so they use batches, only operations that ONNX has, and no shape
that depends on the content.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.networks.normalise import overlap, pixel_centres

CELLS = 32
"""Square cells along the crop's longer side; paper and specks are found on the means of the cells."""

STROKE = 9
"""Cells that the widest stroke may cover: 28% of the longer side. Anything wider counts as paper."""

CONTRAST = 12.0
"""Least contrast of ink and paper, of 255; a crop with less has no ink."""


def lift_ink(crops: Tensor) -> Tensor:
    """Separate the ink from its paper: ``(B, rows, columns, C)`` uint8 in, ``(B, rows, columns)`` float32 out.

    C is 1 for grey or 3 for RGB. Ink becomes 1 and paper 0; the edges between them keep their greys. A crop
    without ink becomes 0 everywhere.
    """
    grey = _make_ink_light(crops.to(torch.float32).mean(dim=3))
    # as many ones as the crop has rows and columns, which may differ at each call of the model file
    rows, columns = grey.new_ones(grey.shape[1]), grey.new_ones(grey.shape[2])
    width = torch.maximum(rows.sum(), columns.sum()) / CELLS
    (down, up), (across, back) = _cell_matrices(rows, width), _cell_matrices(columns, width)
    paper = up @ _estimate_paper(down @ grey @ across.T) @ back.T
    ink = _stretch_contrast((grey - paper).clamp_min(0))
    specks = up @ _significant(down @ ink @ across.T) @ back.T <= 0
    return ink.masked_fill(specks, 0)


def _make_ink_light(grey: Tensor) -> Tensor:
    """Invert crops with dark ink on light paper: ink covers less than paper, so their skewness is negative.

    This was correct for all 135 development photographs; comparing the mean or the median of the border with the
    picture's mean was wrong for 8 and 1 of them.
    """
    centred = grey - grey.mean(dim=(1, 2), keepdim=True)
    dark = (centred * centred * centred).mean(dim=(1, 2), keepdim=True) < 0
    return torch.where(dark, 255 - grey, grey)


def _estimate_paper(cells: Tensor) -> Tensor:
    """Remove strokes up to STROKE cells wide from ``(B, CELLS, CELLS)``: a morphological opening, smoothed."""
    eroded = -_dilate(-cells, STROKE)
    return F.avg_pool2d(_dilate(eroded, STROKE)[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]


def _stretch_contrast(raised: Tensor) -> Tensor:
    """Scale the difference from the paper so that paper becomes 0 and full ink 1.

    Full ink is a Lehmer mean, sum(r^4) / sum(r^3): noise with a twentieth of the ink's contrast hardly changes it,
    even on a hundred times the ink's area.
    """
    square = raised * raised
    cube = (square * raised).sum(dim=(1, 2), keepdim=True)
    full = (square * square).sum(dim=(1, 2), keepdim=True) / cube.clamp_min(1e-6)
    below = (raised < full / 2).to(raised.dtype)
    paper = (raised * below).sum(dim=(1, 2), keepdim=True) / below.sum(dim=(1, 2), keepdim=True).clamp_min(1)
    contrast = full - paper
    ink = ((raised - paper - contrast / 4) / (contrast / 2).clamp_min(1e-6)).clamp(0, 1)
    return ink * (contrast >= CONTRAST).to(ink.dtype)


def _significant(cells: Tensor) -> Tensor:
    """Mark cells with a third of the fullest cell's ink or more, and their neighbours; elsewhere are specks."""
    full = (cells >= cells.amax(dim=(1, 2), keepdim=True) / 3) & (cells > 0)
    return _dilate(full.to(cells.dtype), 3)


def _dilate(cells: Tensor, side: int) -> Tensor:
    """Maximum of a square window around each cell."""
    return F.max_pool2d(cells[:, None], side, stride=1, padding=side // 2)[:, 0]


def _cell_matrices(ones: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
    """Make the matrix ``(CELLS, n)`` from n pixels to the means of cells, and ``(n, CELLS)`` back to pixels.

    `ones` are n ones. The row of cells, each `width` pixels wide, is centred on the pixels; cells outside repeat
    the outermost one inside, so that a narrow crop is square in cells. Pixels are interpolated linearly from
    cells.
    """
    pixels = pixel_centres(ones[None])
    cell = pixel_centres(torch.zeros(1, CELLS)) - CELLS / 2
    length = ones.sum()
    centre = (length / 2 + cell * width)[:, None]
    wide = width.clamp_min(1)
    inside = torch.minimum(torch.maximum(centre, wide / 2), length - wide / 2)
    means = overlap(inside, wide, pixels)
    weights = (1 - (pixels[:, None] - centre.T).abs() / width).clamp_min(0)
    return means / means.sum(dim=1, keepdim=True), weights / weights.sum(dim=1, keepdim=True)
