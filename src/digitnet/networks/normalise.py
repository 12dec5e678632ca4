"""Normalise ink on a picture of any size to an image like MNIST's, in torch and in batches.

MNIST's digits were scaled to fit a box of 20 x 20 pixels, with their proportions kept, and placed in 28 x 28
pixels with their centre of mass in the middle (LeCun et al., http://yann.lecun.com/exdb/mnist/). These functions
use only operations that ONNX has, and no shape that depends on the content, so that they can be exported in a
model file.
"""

import torch
from torch import Tensor

SIDE = 28
"""Rows and columns of the normalised image."""

BOX = 20.0
"""Length of the ink's longer side in it, in pixels."""

MIDDLE = 14
"""Row and column, from 0, of the pixel at whose centre the centre of mass is placed.

The centres of mass of MNIST's own digits are at 14.0, with a standard deviation of 0.29, which is that of rounding
to whole pixels; so it is not 13.5, the middle of 28.
"""


def centre_ink(ink: Tensor) -> Tensor:
    """Scale and centre ink ``(B, rows, columns)``, 0 to 1, as MNIST's: ``(B, 1, 28, 28)``, 0 to 255.

    The ink's longer side becomes 20 pixels, its centre of mass moves to the middle, and its darkest pixel becomes
    255. Each pixel is the mean of the area that it covers. The ink is measured between the outermost rows and
    columns that reach half of the darkest pixel, so fainter noise does not change its size; there is no ink, 0,
    outside the picture.
    """
    peak = ink.amax(dim=(1, 2), keepdim=True)  # (B, 1, 1)
    ink = ink / peak.clamp_min(1e-6)
    height, width = (extent(ink.amax(dim=axis)) for axis in (2, 1))  # (B,) each
    scale = BOX / torch.maximum(height, width)  # pixels of the image for a pixel of the picture
    down, across = (resampling_matrices(ink.sum(dim=axis), scale) for axis in (2, 1))
    image = down @ ink @ across.transpose(1, 2)  # (B, 28, rows) (B, rows, columns) (B, columns, 28)
    return (255 * image / image.amax(dim=(1, 2), keepdim=True).clamp_min(1e-6)).unsqueeze(1)


def extent(profile: Tensor) -> Tensor:
    """Length ``(B,)``, 1 or more, from the first to the last pixel of `profile` ``(B, n)`` that reaches a half.

    `profile` goes from 0 to 1. An edge pixel that is partly covered counts in part, so the lengths are fractions
    of a pixel.
    """
    start = pixel_centres(profile) - 0.5  # of each pixel
    nothing = torch.zeros_like(profile[:, :1])
    before = torch.cat([nothing, profile[:, :-1]], dim=1)
    after = torch.cat([profile[:, 1:], nothing], dim=1)
    inside = profile >= 0.5
    first = torch.where(inside, start + 1 - profile - before, profile.shape[1]).amin(dim=1)
    last = torch.where(inside, start + profile + after, 0).amax(dim=1)
    return (last - first).clamp_min(1)


def resampling_matrices(mass: Tensor, scale: Tensor) -> Tensor:
    """Make matrices ``(B, 28, n)`` that scale an axis of n pixels by `scale` ``(B,)`` about its centre of mass.

    `mass` ``(B, n)`` is the ink along the axis. Row i holds the fraction of each pixel in the interval that pixel
    i of the image covers; an interval is never narrower than a pixel, so enlarging is linear interpolation.
    """
    pixels = pixel_centres(mass)
    centre = (mass * pixels).sum(dim=1) / mass.sum(dim=1).clamp_min(1e-6)  # (B,)
    offset = torch.arange(SIDE, dtype=mass.dtype, device=mass.device) - MIDDLE
    width = (1 / scale).clamp_min(1)[:, None, None]
    return overlap((centre[:, None] + offset / scale[:, None])[:, :, None], width, pixels) / width


def overlap(centre: Tensor, width: Tensor, pixels: Tensor) -> Tensor:
    """Length of the overlap of each pixel, given by its centre, with the interval of `width` around `centre`."""
    last, first = torch.minimum(centre + width / 2, pixels + 0.5), torch.maximum(centre - width / 2, pixels - 0.5)
    return (last - first).clamp_min(0)


def pixel_centres(profile: Tensor) -> Tensor:
    """Centres ``(n,)`` of the pixels along the axis of a profile ``(B, n)``, in pixels."""
    return torch.arange(profile.shape[1], dtype=profile.dtype, device=profile.device) + 0.5
