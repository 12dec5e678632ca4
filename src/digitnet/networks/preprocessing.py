"""What is done to an image before the first layer of a network: it has no weights, and travels with them.

To add one: write a Scale that does more, and name it in PREPARATIONS.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from digitnet.errors import look_up


class Scale(nn.Module):
    """Pixel values to numbers: 0 to 255, uint8 or float32, becomes float32 0 to 1."""

    def prepare(self, images: Tensor) -> Tensor:
        """Give the bytes ``(B, 1, rows, columns)`` that the augmentation is to change: these."""
        return images

    def forward(self, images: Tensor) -> Tensor:
        """Divide by 255."""
        return images.to(torch.float32) / 255


class Deskew(Scale):
    """Digits that stand upright in the middle of the image: how a writer slants one does not say which it is.

    In training they are stood upright by `prepare`, before the augmentation changes them, and pass through here as
    they are: behind the augmentation, most of its changes would be undone again (docs/LOG.md).
    """

    def prepare(self, images: Tensor) -> Tensor:
        """Stand bytes ``(B, 1, rows, columns)`` upright."""
        return upright(images.to(torch.float32)).round_().to(torch.uint8)

    def forward(self, images: Tensor) -> Tensor:
        """Divide by 255; when judging, stand the images upright first."""
        return super().forward(images if self.training else upright(images.to(torch.float32)))


@torch.no_grad()
def upright(images: Tensor) -> Tensor:
    """Centre each image's ink by its centre of mass, and slide its rows until it stands upright.

    LeCun et al. 1998, "Gradient-based learning applied to document recognition", section III.A, call it
    deslanting. Images ``(B, 1, rows, columns)`` float, ink above 0; from outside comes background, 0. An image
    without ink is left as it is.
    """
    count, _, rows, columns = images.shape
    ink = images[:, 0]  # (B, rows, columns)
    x, y = middles(columns, ink), middles(rows, ink)
    mass = ink.sum(dim=(1, 2)).clamp_min(1e-6)  # (B,), and so each of the moments
    right, down = ink.sum(dim=1) @ x / mass, ink.sum(dim=2) @ y / mass
    height = ink.sum(dim=2) @ (y * y) / mass - down * down
    slant = ((ink * x).sum(dim=2) @ y / mass - right * down) / height.clamp_min(1e-6)
    across = x + right[:, None, None] + slant[:, None, None] * y[:, None]  # (B, rows, columns)
    along = (y[:, None] + down[:, None, None]).expand(count, rows, columns)
    return F.grid_sample(images, torch.stack([across, along], dim=3), align_corners=False)


def middles(count: int, like: Tensor) -> Tensor:
    """Middles of `count` pixels between -1 and 1, as `grid_sample` counts: ``(count,)`` of the type of `like`."""
    return (2 * torch.arange(count, dtype=like.dtype, device=like.device) + 1) / count - 1


PREPARATIONS: dict[str, type[Scale]] = {"scale": Scale, "deskew": Deskew}


def preparation(name: str) -> Scale:
    """Make what a name stands for; raise UsageError with the nearest name."""
    return look_up("preparation", name, PREPARATIONS)()
