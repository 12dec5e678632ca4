"""The augmentation `affine`, which others begin with."""

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.networks.preprocessing import middles


def affine(
    images: Tensor, degrees: float = 10.0, scale: float = 0.1, shear: float = 0.1, pixels: float = 2.0
) -> Tensor:
    """Turn, stretch, slant and move each image a little; what comes in from outside is background, 0.

    Each image is turned by up to `degrees` either way; its height and its width change by up to the share `scale`,
    each on its own; each row slides by up to `shear` pixels against the next; all moves by up to `pixels` along
    each axis. Every amount is drawn evenly from its range.
    """
    count, _, rows, columns = images.shape
    turn, wide, high, slant, right, down = 2 * torch.rand(6, count, 1, 1) - 1  # from -1 to 1
    cosine, sine = torch.cos(torch.deg2rad(degrees * turn)), torch.sin(torch.deg2rad(degrees * turn))
    wide, high, slant = 1 + scale * wide, 1 + scale * high, shear * slant
    # By hand, since affine_grid takes a millisecond longer for 128 images.
    x, y = middles(columns, turn), middles(rows, turn)[:, None]
    across = cosine * wide * x + (slant - sine) * high * y + 2 * pixels / columns * right
    along = sine * wide * x + cosine * high * y + 2 * pixels / rows * down
    places = torch.stack([across, along], dim=3).to(images.device)  # (B, rows, columns, 2)
    moved = F.grid_sample(images.to(torch.float32), places, align_corners=False)
    return moved.round_().to(torch.uint8)
