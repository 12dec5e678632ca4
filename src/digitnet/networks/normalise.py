"""From ink on a picture of any size to an image that looks as MNIST's do, in torch and in batches.

MNIST's digits were scaled to fit a box of 20 x 20 pixels, their proportions kept, and laid into the middle of
28 x 28 by their centre of mass (LeCun et al., http://yann.lecun.com/exdb/mnist/). Only operations that ONNX has,
and no shape that depends on the content, so that the same lines can travel inside a model file.
"""

import torch
from torch import Tensor

SIDE = 28
"""Rows and columns of the image that comes out."""

BOX = 20.0
"""The longer side of the ink in it, in pixels."""

MIDDLE = 14
"""Row and column in whose middle the centre of mass comes to lie, from 0.

MNIST's own digits have it at 14.0, with a spread of 0.29, which is that of rounding to whole pixels; so it is not
13.5, the middle of 28.
"""


def centre_ink(ink: Tensor) -> Tensor:
    """Scale and move the ink as MNIST's is: ``(B, rows, columns)`` from 0 to 1 in, ``(B, 1, 28, 28)`` to 255 out.

    The ink's longer side becomes 20 pixels, its centre of mass moves to the middle, its darkest pixel 255.
    Each pixel is the mean of the area that it covers. Ink is measured between the rows and columns that hold half
    of the darkest, so noise below that neither widens nor narrows it; what is outside the picture, 0, has none.
    """
    peak = ink.amax(dim=(1, 2), keepdim=True)  # (B, 1, 1)
    ink = ink / peak.clamp_min(1e-6)
    high, wide = (extent(ink.amax(dim=axis)) for axis in (2, 1))  # (B,) each
    scale = BOX / torch.maximum(high, wide)  # pixels of the image for a pixel of the picture
    down, across = (sampling(ink.sum(dim=axis), scale) for axis in (2, 1))
    image = down @ ink @ across.transpose(1, 2)  # (B, 28, rows) (B, rows, columns) (B, columns, 28)
    return (255 * image / image.amax(dim=(1, 2), keepdim=True).clamp_min(1e-6)).unsqueeze(1)


def extent(profile: Tensor) -> Tensor:
    """Measure from the first to the last place of `profile` ``(B, n)`` that reaches a half: ``(B,)``, 1 or more.

    `profile` goes from 0 to 1. An edge pixel that is covered in part counts in part, so the lengths are fractions
    of a pixel.
    """
    place = places(profile) - 0.5  # of each pixel's first edge
    nothing = torch.zeros_like(profile[:, :1])
    before = torch.cat([nothing, profile[:, :-1]], dim=1)
    after = torch.cat([profile[:, 1:], nothing], dim=1)
    inside = profile >= 0.5
    first = torch.where(inside, place + 1 - profile - before, profile.shape[1]).amin(dim=1)
    last = torch.where(inside, place + profile + after, 0).amax(dim=1)
    return (last - first).clamp_min(1)


def sampling(mass: Tensor, scale: Tensor) -> Tensor:
    """Make the matrices ``(B, 28, n)`` that scale an axis of n pixels by `scale` ``(B,)`` about its mass's centre.

    `mass` ``(B, n)`` is the ink along the axis. Row i holds the share that each pixel has of the interval that
    pixel i of the image covers; an interval is never narrower than a pixel, so enlarging is linear interpolation.
    """
    place = places(mass)
    centre = (mass * place).sum(dim=1) / mass.sum(dim=1).clamp_min(1e-6)  # (B,)
    offset = torch.arange(SIDE, dtype=mass.dtype, device=mass.device) - MIDDLE
    width = (1 / scale).clamp_min(1)[:, None, None]
    return overlap((centre[:, None] + offset / scale[:, None])[:, :, None], width, place) / width


def overlap(middle: Tensor, width: Tensor, place: Tensor) -> Tensor:
    """Length that each pixel shares with the interval of `width` about `middle`."""
    last, first = torch.minimum(middle + width / 2, place + 0.5), torch.maximum(middle - width / 2, place - 0.5)
    return (last - first).clamp_min(0)


def places(profile: Tensor) -> Tensor:
    """Place of each pixel's middle along the axis ``(n,)``, in pixels."""
    return torch.arange(profile.shape[1], dtype=profile.dtype, device=profile.device) + 0.5
