"""Changes of the training images that keep their label.

To add one: write the function, and name it in AUGMENTATIONS.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.errors import UsageError, nearest

Augmentation = Callable[[Tensor], Tensor]
"""Images ``(B, 1, rows, columns)`` uint8 in, the same shape and type out; random by torch's generator alone."""


def none(images: Tensor) -> Tensor:
    """Leave the images as they are."""
    return images


def shift(images: Tensor, pixels: int = 2) -> Tensor:
    """Move each image by up to `pixels` in each direction; what comes in from outside is background, 0."""
    count, _, rows, columns = images.shape
    padded = F.pad(images, (pixels, pixels, pixels, pixels))
    windows = padded.unfold(2, rows, 1).unfold(3, columns, 1)  # (B, 1, 2p + 1, 2p + 1, rows, columns), a view
    down, right = torch.randint(0, 2 * pixels + 1, (2, count)).to(images.device)
    return windows[torch.arange(count, device=images.device), :, down, right]


def affine(
    images: Tensor, degrees: float = 10.0, scale: float = 0.1, shear: float = 0.1, pixels: float = 2.0
) -> Tensor:
    """Turn, stretch, slant and move each image a little; what comes in from outside is background, 0.

    Each image is turned by up to `degrees` either way; its height and its width change by up to the share `scale`,
    each on its own; each row slides by up to `shear` pixels against the next; all moves by up to `pixels` along
    each axis. Every amount is drawn evenly from its range.
    """
    count, _, rows, columns = images.shape
    turn, wide, high, slant, right, down = 2 * torch.rand(6, count) - 1  # (B,) each, from -1 to 1
    cosine, sine = torch.cos(torch.deg2rad(degrees * turn)), torch.sin(torch.deg2rad(degrees * turn))
    wide, high, slant = 1 + scale * wide, 1 + scale * high, shear * slant
    first = torch.stack([cosine * wide, (slant - sine) * high, 2 * pixels / columns * right], dim=1)
    second = torch.stack([sine * wide, cosine * high, 2 * pixels / rows * down], dim=1)
    places = F.affine_grid(torch.stack([first, second], dim=1), [count, 1, rows, columns], align_corners=False)
    moved = F.grid_sample(images.to(torch.float32), places.to(images.device), align_corners=False)
    return moved.round_().to(torch.uint8)


AUGMENTATIONS: dict[str, Augmentation] = {"none": none, "shift": shift, "affine": affine}


def augmentation(name: str) -> Augmentation:
    """Look up an augmentation; raise UsageError with the nearest name."""
    if name not in AUGMENTATIONS:
        raise UsageError(f"There is no augmentation {name!r}. {nearest(name, AUGMENTATIONS)}")
    return AUGMENTATIONS[name]
