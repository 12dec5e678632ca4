"""The augmentation `affine`, which others begin with."""

import torch
import torch.nn.functional as F
from torch import Tensor


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
