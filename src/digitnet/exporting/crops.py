"""From crops of any picture to their ink: which side is ink, what is paper, how strong a stroke is.

In torch, for batches, and for the model file: only operations that ONNX has, and no shape that depends on what is
seen. `normalise.centre_ink` goes on from the ink.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.networks.normalise import overlap, places

CELLS = 32
"""Square cells along the crop's longer side, on which paper and specks are judged; each the mean of its pixels."""

STROKE = 9
"""Cells that the widest stroke may cover: 28% of the longer side. What is wider is taken for paper."""

CONTRAST = 12.0
"""Least difference of ink and paper, of 255; a fainter crop has no ink."""


def lift_ink(crops: Tensor) -> Tensor:
    """Lift the ink off its paper: ``(B, rows, columns, C)`` uint8 in, ``(B, rows, columns)`` float32, 0 to 1, out.

    C is 1 for grey or 3 for RGB. Full strokes become 1 and paper 0, the greys of the edges between them stay.
    Where there is no ink, all is 0.
    """
    grey = _ink_light(crops.to(torch.float32).mean(dim=3))
    # lines of ones, as long as the crop is high and wide, which may differ at each call of the model file
    high, wide = grey.new_ones(grey.shape[1]), grey.new_ones(grey.shape[2])
    width = torch.maximum(high.sum(), wide.sum()) / CELLS
    (down, up), (across, back) = _grid(high, width), _grid(wide, width)
    paper = up @ _paper(down @ grey @ across.T) @ back.T
    ink = _stretch((grey - paper).clamp_min(0))
    specks = up @ _significant(down @ ink @ across.T) @ back.T <= 0
    return ink.masked_fill(specks, 0)


def _ink_light(grey: Tensor) -> Tensor:
    """Turn dark ink on light paper around. Ink covers less than paper, so the skewness has its sign.

    It was right for all 135 development photographs, where the border's mean and median against the picture's
    mean were wrong for 8 and 1 of them.
    """
    centred = grey - grey.mean(dim=(1, 2), keepdim=True)
    dark = (centred * centred * centred).mean(dim=(1, 2), keepdim=True) < 0
    return torch.where(dark, 255 - grey, grey)


def _paper(cells: Tensor) -> Tensor:
    """Take what is narrower than STROKE off the cells ``(B, CELLS, CELLS)``: a morphological opening, smoothed."""
    lowest = -_largest(-cells, STROKE)
    return F.avg_pool2d(_largest(lowest, STROKE)[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]


def _stretch(raised: Tensor) -> Tensor:
    """Scale what stands out of the paper so that paper is 0 and full ink 1.

    Full ink is the contraharmonic mean of a high order, sum(r^4) / sum(r^3): noise of a twentieth of the ink's
    contrast hardly moves it, though it covers a hundred times the area.
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
    """Mark the cells that hold a third of the fullest one's ink, and their neighbours; the others hold specks."""
    full = (cells >= cells.amax(dim=(1, 2), keepdim=True) / 3) & (cells > 0)
    return _largest(full.to(cells.dtype), 3)


def _largest(cells: Tensor, side: int) -> Tensor:
    """The largest value in a square window about each cell."""
    return F.max_pool2d(cells[:, None], side, stride=1, padding=side // 2)[:, 0]


def _grid(line: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
    """Make the matrices from n pixels to the means of cells ``(CELLS, n)``, and back ``(n, CELLS)``.

    `line` is n ones. The cells, `width` pixels wide, have their middle where the line has its; those outside it
    repeat the outermost inside, so that both sides of a narrow crop have the same cells. Back leads by straight
    lines.
    """
    place = places(line[None])
    cell = places(torch.zeros(1, CELLS)) - CELLS / 2
    length = line.sum()
    middle = (length / 2 + cell * width)[:, None]
    wide = width.clamp_min(1)
    inside = torch.minimum(torch.maximum(middle, wide / 2), length - wide / 2)
    down = overlap(inside, wide, place)
    near = (1 - (place[:, None] - middle.T).abs() / width).clamp_min(0)
    return down / down.sum(dim=1, keepdim=True), near / near.sum(dim=1, keepdim=True)
