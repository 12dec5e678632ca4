"""Preprocessing: the first layer of a network. It has no weights, and is exported with the network.

To add one: write a subclass of Scale, and name it in PREPROCESSING.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digitnet.config import PreprocessingName


class Scale(nn.Module):
    """Scales pixels from 0 to 255, uint8 or float32, to float32 from 0 to 1."""

    def before_augmentation(self, images: Tensor) -> Tensor:
        """Preprocess training images ``(B, 1, rows, columns)`` uint8 before they are augmented: nothing to do."""
        return images

    def forward(self, images: Tensor) -> Tensor:
        """Divide by 255."""
        return images.to(torch.float32) / 255


class Deskew(Scale):
    """Centres and deskews the digits: a writer's slant does not say which digit it is.

    Training images are deskewed before the augmentation, not here: after it, deskewing would undo most of its
    changes (docs/LOG.md).
    """

    def before_augmentation(self, images: Tensor) -> Tensor:
        """Deskew training images ``(B, 1, rows, columns)`` uint8 before they are augmented."""
        return deskew(images.to(torch.float32)).round_().to(torch.uint8)

    def forward(self, images: Tensor) -> Tensor:
        """Divide by 255; in evaluation mode, deskew first."""
        return super().forward(images if self.training else deskew(images.to(torch.float32)))


@torch.no_grad()
def deskew(images: Tensor) -> Tensor:
    """Move each image's centre of mass to the middle, and shear its rows until the ink is upright.

    The shear follows from the second moments (LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", section III.A). Images are ``(B, 1, rows, columns)`` float with ink above 0; pixels from outside
    are background, 0. An image without ink stays as it is.
    """
    count, _, rows, columns = images.shape
    ink = images[:, 0]  # (B, rows, columns)
    x, y = grid_coordinates(columns, ink), grid_coordinates(rows, ink)
    mass = ink.sum(dim=(1, 2)).clamp_min(1e-6)  # (B,), like each of the moments
    mean_x, mean_y = ink.sum(dim=1) @ x / mass, ink.sum(dim=2) @ y / mass
    variance_y = ink.sum(dim=2) @ (y * y) / mass - mean_y * mean_y
    slant = ((ink * x).sum(dim=2) @ y / mass - mean_x * mean_y) / variance_y.clamp_min(1e-6)
    source_x = x + mean_x[:, None, None] + slant[:, None, None] * y[:, None]  # (B, rows, columns)
    source_y = (y[:, None] + mean_y[:, None, None]).expand(count, rows, columns)
    return F.grid_sample(images, torch.stack([source_x, source_y], dim=3), align_corners=False)


def grid_coordinates(count: int, like: Tensor) -> Tensor:
    """Centres ``(count,)`` of `count` pixels from -1 to 1, as `grid_sample` counts, with the type of `like`."""
    return (2 * torch.arange(count, dtype=like.dtype, device=like.device) + 1) / count - 1


PREPROCESSING: dict[PreprocessingName, type[Scale]] = {"scale": Scale, "deskew": Deskew}


def make_preprocessing(name: PreprocessingName) -> Scale:
    """Make the layer of that name."""
    return PREPROCESSING[name]()
