"""The augmentation `ink`: MNIST's digits as other pens, other hands and other pictures would show them.

A part of the images is only moved a little, so that what is learned still fits MNIST; a part is spoiled as
pictures are; and the larger part is written again: bent, drawn with a pencil, a pen or a felt pen, worn, and laid
into the image as `centre_ink` lays whatever is read later. All of it in torch, for many images at once.
"""

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.augmentation.affine import affine
from digitnet.errors import UsageError
from digitnet.networks.normalise import centre_ink

Change = Callable[[Tensor], Tensor]
"""Pictures ``(n, rows, columns)``, 0 to 1, in; the same shape and range out."""

FINE = 48
"""Rows and columns in which strokes are drawn again: more than 28, as a pencil's line is thinner than a pixel."""


def ink(images: Tensor) -> Tensor:
    """Write half of the images again, spoil a quarter, and turn, stretch, slant and move the others a little.

    On the CPU, wherever the images are: 20 ms for 128 of them, and a GPU is shown what a CPU would be. Raises
    UsageError for images of another size than MNIST's.
    """
    if images.shape[2:] != (28, 28):
        raise UsageError.mismatch(
            "--augment ink",
            expected="images of 28 x 28 pixels, as it writes them",
            found=f"{images.shape[2]} x {images.shape[3]}",
            remedy="Use --augment affine.",
        )
    device, images = images.device, images.cpu()
    order = torch.rand(len(images)).argsort()
    rewritten, spoiled, moved = order.tensor_split([len(order) // 2, 3 * len(order) // 4])
    changed = torch.cat([rewrite(images[rewritten]), spoil(images[spoiled]), affine(images[moved])])
    return changed[order.argsort()].to(device)


def rewrite(images: Tensor) -> Tensor:
    """Bend each image, draw its strokes with another pen, wear them, and centre what is left."""
    pictures = bend(images, FINE, room=1.1)
    pencil, pen, felt = pictures.tensor_split([round(0.5 * len(pictures)), round(0.8 * len(pictures))])
    drawn = torch.cat([with_pencil(pencil), with_pen(pen), with_felt_pen(felt)])
    for share, wear in WEAR:
        drawn = sometimes(share, wear, drawn)
    return centre_ink(drawn).round_().to(torch.uint8)


def spoil(images: Tensor) -> Tensor:
    """Change the pixels of each image as bad light, bad paper and bad cameras do."""
    pictures = bend(images, 28, shift=0.14)
    for share, change in SPOIL:
        pictures = sometimes(share, change, pictures)
    return (255 * pictures).round_().to(torch.uint8).unsqueeze(1)


def sometimes(share: float, change: Change, pictures: Tensor) -> Tensor:
    """Change about so large a share of the pictures, each chosen by chance."""
    chosen = torch.rand(len(pictures)) < share
    return pictures.index_put((chosen,), change(pictures[chosen]).clamp(0, 1))


def bend(images: Tensor, side: int, room: float = 1.0, shift: float = 0.0) -> Tensor:
    """Turn, slant, stretch and bend each of ``(n, 1, 28, 28)`` bytes: ``(n, side, side)``, 0 to 1.

    Turned by up to 20 degrees, slanted by up to 0.3, made up to a third wider or narrower, moved by up to the
    share `shift` of a side, and bent by a smooth field of random moves (Simard et al. 2003, Best practices for
    convolutional neural networks). `room` shows so many times more than the image, so that nothing is cut off.
    """
    count = len(images)
    turn, slant, wide, high, right, down = spread(6, count, 1, 1)
    turn, slant, wide, high = 0.35 * turn, 0.3 * slant, torch.exp(0.3 * wide), torch.exp(0.15 * high)
    line = room * torch.linspace(-1, 1, side)
    y, x = line[:, None], line
    bends = 0.13 * torch.rand(count, 1, 1, 1) * smooth(spread(count, 2, 5, 5), side)
    across = turn.cos() * wide * x + (slant - turn.sin()) * high * y + 2 * shift * right + bends[:, 0]
    down = turn.sin() * wide * x + turn.cos() * high * y + 2 * shift * down + bends[:, 1]
    places = torch.stack([across, down], dim=-1)  # (n, side, side, 2)
    return F.grid_sample(images.to(torch.float32) / 255, places, align_corners=False)[:, 0]


def with_pencil(pictures: Tensor) -> Tensor:
    """Draw along the middle of each stroke, thinly: where the blurred ink is nearly as dark as any around."""
    soft = blur(pictures, 0.9)
    middle = soft / darkest_around(soft, 3).clamp_min(0.05)
    thin = 0.6 + 0.32 * torch.rand(len(pictures), 1, 1)
    return (0.5 + 4 * (middle - thin)).clamp(0, 1) * (8 * soft - 1).clamp(0, 1)


def with_pen(pictures: Tensor) -> Tensor:
    """Draw strokes somewhat thinner or thicker than they are, with a clean edge."""
    return (0.5 + 3 * (blur(pictures, 0.9) - 0.2 - 0.45 * torch.rand(len(pictures), 1, 1))).clamp(0, 1)


def with_felt_pen(pictures: Tensor) -> Tensor:
    """Draw strokes thicker by up to three pixels of MNIST's."""
    thin, thick = with_pen(pictures).tensor_split(2)
    return torch.cat([darkest_around(thin, 1), darkest_around(thick, 2)])


def fade(pictures: Tensor) -> Tensor:
    """Let the ink run out in places."""
    left = torch.sigmoid(5 * (smooth(torch.randn(len(pictures), 9, 9), FINE) + 1.1))
    return pictures * left


def blocks(pictures: Tensor) -> Tensor:
    """Show each picture in a third or a fourth of its rows and columns, as one does that was small before."""
    few, fewer = pictures.tensor_split(2)
    return torch.cat([_coarse(few, 3), _coarse(fewer, 4)])


def _coarse(pictures: Tensor, factor: int) -> Tensor:
    count, side = len(pictures), pictures.shape[1] // factor
    small = pictures.view(count, side, factor, side, factor).mean(dim=(2, 4))
    return (2 * small - 0.1).clamp(0, 1).repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def soften(pictures: Tensor) -> Tensor:
    """Lose the focus, by up to two pixels of MNIST's."""
    little, more = pictures.tensor_split(2)
    soft = torch.cat([blur(little, 1.2), blur(more, 2.2)])
    return soft / soft.amax(dim=(1, 2), keepdim=True).clamp_min(1e-3)


def smear(pictures: Tensor) -> Tensor:
    """Leave a remainder of what was around: a thin line of the paper, or a speck."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side) / side
    place, slope = torch.rand(2, count, 1, 1)
    distance = (line[:, None] - place - 0.1 * (slope - 0.5) * line).abs()
    ruled = (1.5 - side * distance).clamp(0, 1)
    ruled = torch.where(torch.rand(count, 1, 1) < 0.5, ruled, ruled.transpose(1, 2))
    y, x = torch.rand(2, count, 1, 1)
    speck = (2 - side * ((line[:, None] - y).square() + (line - x).square()).sqrt()).clamp(0, 1)
    left = torch.where(torch.rand(count, 1, 1) < 0.5, ruled, speck)
    return torch.maximum(pictures, left * (0.2 + 0.6 * torch.rand(count, 1, 1)))


def cut(pictures: Tensor) -> Tensor:
    """Lose up to an eighth at one side."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side)
    inked = pictures.amax(dim=2) > 0.3
    first = torch.where(inked, line, side).amin(dim=1)
    last = torch.where(inked, line, 0).amax(dim=1)
    depth = torch.rand(count) * 0.12 * (last - first)
    upper = (torch.rand(count) < 0.5)[:, None]
    kept = torch.where(upper, line >= (first + depth)[:, None], line <= (last - depth)[:, None])
    return pictures * kept[:, :, None]


def grain(pictures: Tensor) -> Tensor:
    """Add noise of up to a third, finer or coarser."""
    count, rows, columns = pictures.shape
    noise = torch.randn(count, rows, columns)
    return pictures + 0.3 * torch.rand(count, 1, 1) * noise


def grey(pictures: Tensor) -> Tensor:
    """Make paper and ink more alike: the paper up to half as dark as the ink."""
    paper, dark = 0.5 * torch.rand(len(pictures), 1, 1), 1 - 0.4 * torch.rand(len(pictures), 1, 1)
    return paper + (dark - paper).clamp_min(0.25) * pictures


def shade(pictures: Tensor) -> Tensor:
    """Let shadows of any form fall on the paper."""
    count, side = len(pictures), pictures.shape[1]
    shadow = smooth(torch.rand(count, 4, 4), side) * 0.8 * torch.rand(count, 1, 1)
    return shadow + (1 - shadow) * pictures


def sprinkle(pictures: Tensor) -> Tensor:
    """Turn up to a fifth of the pixels black or white."""
    chance = torch.rand_like(pictures)
    share = 0.1 * torch.rand(len(pictures), 1, 1)
    return torch.where(chance < share, 0, torch.where(chance > 1 - share, 1, pictures))


def strike(pictures: Tensor) -> Tensor:
    """Draw a thin line through the image, straight or in waves, whole or in pieces."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.linspace(-1, 1, side)
    angle, place = 3.14 * torch.rand(count, 1, 1), 0.6 * spread(count, 1, 1)
    across = angle.cos() * line[:, None] + angle.sin() * line - place
    along = angle.cos() * line - angle.sin() * line[:, None]
    height, length, start = torch.rand(3, count, 1, 1)
    across = across + 0.2 * height * torch.sin((2 + 6 * length) * along + 6.28 * start)
    drawn = (1.2 - side / 2 * across.abs()).clamp(0, 1)
    broken = (torch.sin(along * (10 + 20 * torch.rand(count, 1, 1))) > 0) | (torch.rand(count, 1, 1) < 0.5)
    return torch.maximum(pictures, drawn * broken)


def hide(pictures: Tensor) -> Tensor:
    """Cover a rectangle with one grey (Zhong et al. 2017, Random erasing data augmentation, arXiv 1708.04896)."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side) / side
    top, left = torch.rand(2, count, 1)
    high, wide = 0.1 + 0.25 * torch.rand(2, count, 1)
    rows = (line >= top) & (line < top + high)
    columns = (line >= left) & (line < left + wide)
    covered = rows[:, :, None] & columns[:, None, :]
    return torch.where(covered, torch.rand(count, 1, 1), pictures)


def edge(pictures: Tensor) -> Tensor:
    """Show what lies beside the paper: a band along one or two sides, up to a fourth wide, of one grey."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side) / side
    near, far = 0.3 * torch.rand(2, count, 1, 1) - 0.05
    columns = (line < near) | (line > 1 - far)
    columns = torch.where(torch.rand(count, 1, 1) < 0.5, columns.expand(-1, side, -1), columns.transpose(1, 2))
    return torch.where(columns, torch.rand(count, 1, 1), pictures)


def copy(pictures: Tensor) -> Tensor:
    """Wash out what is dark all around, as a photocopier does: of a broad stroke, its edges are left."""
    count = len(pictures)
    strength = torch.rand(count, 1, 1)
    return (1 + strength) * (pictures - strength * blur(pictures, 1.5)).clamp_min(0)


WEAR: list[tuple[float, Change]] = [
    (0.1, copy),
    (0.12, fade),
    (0.12, blocks),
    (0.12, soften),
    (0.08, cut),
    (0.08, smear),
    (0.06, grain),
]
"""What may happen to a picture that is written again, and how often."""

SPOIL: list[tuple[float, Change]] = [
    (0.2, copy),
    (0.35, strike),
    (0.15, hide),
    (0.2, edge),
    (0.3, shade),
    (0.3, grey),
    (0.25, lambda pictures: blur(pictures, 0.9)),
    (0.25, grain),
    (0.2, sprinkle),
]
"""What may happen to an image that is spoiled, and how often."""


def darkest_around(pictures: Tensor, reach: int) -> Tensor:
    """Give each pixel the largest value of the square around it, `reach` pixels to each side.

    By shifted copies, which takes a thirtieth of the time of torch's max pool.
    """
    for axis in (1, 2):
        padded = F.pad(pictures, (reach, reach) if axis == 2 else (0, 0, reach, reach))
        size = pictures.shape[axis]
        pictures = functools.reduce(
            torch.maximum, [padded.narrow(axis, start, size) for start in range(2 * reach + 1)]
        )
    return pictures


def blur(pictures: Tensor, sigma: float) -> Tensor:
    """Blur by a Gaussian of `sigma` pixels; outside is 0."""
    weights = _gaussian(pictures.shape[1], sigma)
    return weights @ pictures @ weights


@functools.cache
def _gaussian(size: int, sigma: float) -> Tensor:
    """Weights ``(size, size)`` of each place in each blurred one."""
    distance = torch.arange(size) - torch.arange(size)[:, None]
    weights = torch.exp(-0.5 * (distance / sigma).square())
    return weights / weights[size // 2].sum()


def smooth(values: Tensor, size: int) -> Tensor:
    """Enlarge ``(..., k, k)`` to ``(..., size, size)`` without edges: bicubic."""
    weights = _bicubic(values.shape[-1], size)
    return weights @ values @ weights.T


@functools.cache
def _bicubic(few: int, many: int) -> Tensor:
    """Weights ``(many, few)`` of each value in each place between."""
    eye = torch.eye(few)[:, None, None]  # (few, 1, 1, few)
    return F.interpolate(eye.transpose(2, 3), (many, 1), mode="bicubic", align_corners=True)[:, 0, :, 0].T


def spread(*shape: int) -> Tensor:
    """Draw numbers evenly from -1 to 1."""
    return 2 * torch.rand(*shape) - 1
