"""The augmentation `ink`: MNIST's digits as if written with other pens, by other hands, on other pictures.

Half of the images are redrawn: distorted, drawn with a pencil, a pen or a felt pen, given defects, and centred by
`centre_ink`, as every crop is when it is read. A quarter are degraded as photographs and scans are. A quarter get
only an affine transform, so that the network still learns MNIST itself. Everything runs in torch, in batches.
"""

import functools
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from digitnet.augmentation.affine import affine
from digitnet.errors import UsageError
from digitnet.networks.normalise import centre_ink
from digitnet.wording import option

Change = Callable[[Tensor], Tensor]
"""Pictures ``(n, rows, columns)``, 0 to 1, in; the same shape out."""

FINE = 48
"""Rows and columns of a redrawn picture: more than 28, because a pencil's line is thinner than a pixel."""


def ink(images: Tensor) -> Tensor:
    """Redraw half of the images, degrade a quarter, and transform the others by `affine`.

    Computes on the CPU for every device, so that all devices see the same images: 20 ms for 128. Raises UsageError
    for images of another size than MNIST's.
    """
    if images.shape[2:] != (28, 28):
        raise UsageError.mismatch(
            option("augment", "ink"),
            expected="images of 28 x 28 pixels",
            found=f"{images.shape[2]} x {images.shape[3]}",
            remedy=f"Use {option('augment', 'affine')}.",
        )
    device, images = images.device, images.cpu()
    order = torch.rand(len(images)).argsort()
    redrawn, degraded, others = order.tensor_split([len(order) // 2, 3 * len(order) // 4])
    changed = torch.cat([redraw(images[redrawn]), degrade(images[degraded]), affine(images[others])])
    return changed[order.argsort()].to(device)


def redraw(images: Tensor) -> Tensor:
    """Distort each image, draw its strokes with another pen, add defects, and centre the ink."""
    pictures = distort(images, FINE, zoom_out=1.1)
    pencil, pen, felt = pictures.tensor_split([round(0.5 * len(pictures)), round(0.8 * len(pictures))])
    drawn = torch.cat([draw_with_pencil(pencil), draw_with_pen(pen), draw_with_felt_pen(felt)])
    for probability, change in DEFECTS:
        drawn = sometimes(probability, change, drawn)
    return centre_ink(drawn).round_().to(torch.uint8)


def degrade(images: Tensor) -> Tensor:
    """Distort each image, and degrade it as bad light, bad paper and bad cameras do."""
    pictures = distort(images, 28, shift=0.14)
    for probability, change in DEGRADATIONS:
        pictures = sometimes(probability, change, pictures)
    return (255 * pictures).round_().to(torch.uint8).unsqueeze(1)


def sometimes(probability: float, change: Change, pictures: Tensor) -> Tensor:
    """Change each picture with that probability."""
    chosen = torch.rand(len(pictures)) < probability
    return pictures.index_put((chosen,), change(pictures[chosen]).clamp(0, 1))


def distort(images: Tensor, side: int, zoom_out: float = 1.0, shift: float = 0.0) -> Tensor:
    """Distort ``(n, 1, 28, 28)`` uint8 by an affine transform and an elastic one: ``(n, side, side)``, 0 to 1.

    Each image is rotated by up to 20 degrees, sheared by up to 0.3, widened or narrowed by up to a third, and
    shifted by up to the fraction `shift` of a side. The elastic distortion is a smooth random displacement field
    (Simard et al. 2003, Best practices for convolutional neural networks). With `zoom_out` above 1 the picture
    shows so many times the image's side, so that nothing is cut off.
    """
    count = len(images)
    turn, slant, width, height, right, down = uniform(6, count, 1, 1)
    turn, slant, width, height = 0.35 * turn, 0.3 * slant, torch.exp(0.3 * width), torch.exp(0.15 * height)
    line = zoom_out * torch.linspace(-1, 1, side)
    y, x = line[:, None], line
    field = 0.13 * torch.rand(count, 1, 1, 1) * enlarge(uniform(count, 2, 5, 5), side)
    source_x = turn.cos() * width * x + (slant - turn.sin()) * height * y + 2 * shift * right + field[:, 0]
    source_y = turn.sin() * width * x + turn.cos() * height * y + 2 * shift * down + field[:, 1]
    grid = torch.stack([source_x, source_y], dim=-1)  # (n, side, side, 2)
    return F.grid_sample(images.to(torch.float32) / 255, grid, align_corners=False)[:, 0]


def draw_with_pencil(pictures: Tensor) -> Tensor:
    """Draw a thin line along each stroke's ridge, where the blurred ink is nearly the darkest around."""
    soft = blur(pictures, 0.9)
    ridge = soft / dilate(soft, 3).clamp_min(0.05)
    threshold = 0.6 + 0.32 * torch.rand(len(pictures), 1, 1)
    return (0.5 + 4 * (ridge - threshold)).clamp(0, 1) * (8 * soft - 1).clamp(0, 1)


def draw_with_pen(pictures: Tensor) -> Tensor:
    """Draw the strokes a little thinner or thicker, with sharp edges."""
    return (0.5 + 3 * (blur(pictures, 0.9) - 0.2 - 0.45 * torch.rand(len(pictures), 1, 1))).clamp(0, 1)


def draw_with_felt_pen(pictures: Tensor) -> Tensor:
    """Draw the strokes thicker, by up to three of MNIST's pixels."""
    thin, thick = draw_with_pen(pictures).tensor_split(2)
    return torch.cat([dilate(thin, 1), dilate(thick, 2)])


def fade(pictures: Tensor) -> Tensor:
    """Let the ink run out in places."""
    remaining = torch.sigmoid(5 * (enlarge(torch.randn(len(pictures), 9, 9), FINE) + 1.1))
    return pictures * remaining


def pixelate(pictures: Tensor) -> Tensor:
    """Reduce each picture to a third or a fourth of its rows and columns, and enlarge it to squares."""
    thirds, fourths = pictures.tensor_split(2)
    return torch.cat([_pixelate(thirds, 3), _pixelate(fourths, 4)])


def _pixelate(pictures: Tensor, factor: int) -> Tensor:
    count, side = len(pictures), pictures.shape[1] // factor
    small = pictures.view(count, side, factor, side, factor).mean(dim=(2, 4))
    return (2 * small - 0.1).clamp(0, 1).repeat_interleave(factor, 1).repeat_interleave(factor, 2)


def defocus(pictures: Tensor) -> Tensor:
    """Blur by up to two of MNIST's pixels, and restore the full darkness."""
    little, more = pictures.tensor_split(2)
    soft = torch.cat([blur(little, 1.2), blur(more, 2.2)])
    return soft / soft.amax(dim=(1, 2), keepdim=True).clamp_min(1e-3)


def add_line_or_speck(pictures: Tensor) -> Tensor:
    """Add a remainder of the surroundings: a ruled line of the paper, or a speck."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side) / side
    place, slope = torch.rand(2, count, 1, 1)
    distance = (line[:, None] - place - 0.1 * (slope - 0.5) * line).abs()
    ruled = (1.5 - side * distance).clamp(0, 1)
    ruled = torch.where(torch.rand(count, 1, 1) < 0.5, ruled, ruled.transpose(1, 2))
    y, x = torch.rand(2, count, 1, 1)
    speck = (2 - side * ((line[:, None] - y).square() + (line - x).square()).sqrt()).clamp(0, 1)
    remainder = torch.where(torch.rand(count, 1, 1) < 0.5, ruled, speck)
    return torch.maximum(pictures, remainder * (0.2 + 0.6 * torch.rand(count, 1, 1)))


def cut_off(pictures: Tensor) -> Tensor:
    """Cut off up to an eighth of the ink at the top or the bottom."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side)
    inked = pictures.amax(dim=2) > 0.3
    first = torch.where(inked, line, side).amin(dim=1)
    last = torch.where(inked, line, 0).amax(dim=1)
    depth = torch.rand(count) * 0.12 * (last - first)
    at_top = (torch.rand(count) < 0.5)[:, None]
    kept = torch.where(at_top, line >= (first + depth)[:, None], line <= (last - depth)[:, None])
    return pictures * kept[:, :, None]


def add_noise(pictures: Tensor) -> Tensor:
    """Add Gaussian noise with a standard deviation of up to 0.3."""
    count, rows, columns = pictures.shape
    noise = torch.randn(count, rows, columns)
    return pictures + 0.3 * torch.rand(count, 1, 1) * noise


def lower_contrast(pictures: Tensor) -> Tensor:
    """Darken the paper by up to a half, and lighten the ink."""
    paper, dark = 0.5 * torch.rand(len(pictures), 1, 1), 1 - 0.4 * torch.rand(len(pictures), 1, 1)
    return paper + (dark - paper).clamp_min(0.25) * pictures


def cast_shadow(pictures: Tensor) -> Tensor:
    """Cast a smooth shadow of a random shape on the paper."""
    count, side = len(pictures), pictures.shape[1]
    shadow = enlarge(torch.rand(count, 4, 4), side) * 0.8 * torch.rand(count, 1, 1)
    return shadow + (1 - shadow) * pictures


def salt_and_pepper(pictures: Tensor) -> Tensor:
    """Set up to a tenth of the pixels to 0, and as many to 1."""
    random = torch.rand_like(pictures)
    fraction = 0.1 * torch.rand(len(pictures), 1, 1)
    return torch.where(random < fraction, 0, torch.where(random > 1 - fraction, 1, pictures))


def strike_through(pictures: Tensor) -> Tensor:
    """Draw a thin line through the picture, straight or wavy, solid or dashed."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.linspace(-1, 1, side)
    angle, place = 3.14 * torch.rand(count, 1, 1), 0.6 * uniform(count, 1, 1)
    across = angle.cos() * line[:, None] + angle.sin() * line - place
    along = angle.cos() * line - angle.sin() * line[:, None]
    height, length, start = torch.rand(3, count, 1, 1)
    across = across + 0.2 * height * torch.sin((2 + 6 * length) * along + 6.28 * start)
    drawn = (1.2 - side / 2 * across.abs()).clamp(0, 1)
    dashes = (torch.sin(along * (10 + 20 * torch.rand(count, 1, 1))) > 0) | (torch.rand(count, 1, 1) < 0.5)
    return torch.maximum(pictures, drawn * dashes)


def erase(pictures: Tensor) -> Tensor:
    """Cover a rectangle with one grey value (Zhong et al. 2017, Random erasing, arXiv 1708.04896)."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side) / side
    top, left = torch.rand(2, count, 1)
    height, width = 0.1 + 0.25 * torch.rand(2, count, 1)
    rows = (line >= top) & (line < top + height)
    columns = (line >= left) & (line < left + width)
    covered = rows[:, :, None] & columns[:, None, :]
    return torch.where(covered, torch.rand(count, 1, 1), pictures)


def cover_borders(pictures: Tensor) -> Tensor:
    """Cover one or two opposite borders with a grey value, up to a fourth wide: what lies beside the paper."""
    count, side = len(pictures), pictures.shape[1]
    line = torch.arange(side) / side
    near, far = 0.3 * torch.rand(2, count, 1, 1) - 0.05
    columns = (line < near) | (line > 1 - far)
    columns = torch.where(torch.rand(count, 1, 1) < 0.5, columns.expand(-1, side, -1), columns.transpose(1, 2))
    return torch.where(columns, torch.rand(count, 1, 1), pictures)


def photocopy(pictures: Tensor) -> Tensor:
    """Lighten the inside of dark areas, as photocopiers do: only the edges of a broad stroke stay dark."""
    count = len(pictures)
    strength = torch.rand(count, 1, 1)
    return (1 + strength) * (pictures - strength * blur(pictures, 1.5)).clamp_min(0)


DEFECTS: list[tuple[float, Change]] = [
    (0.1, photocopy),
    (0.12, fade),
    (0.12, pixelate),
    (0.12, defocus),
    (0.08, cut_off),
    (0.08, add_line_or_speck),
    (0.06, add_noise),
]
"""Changes of redrawn pictures, each with its probability."""

DEGRADATIONS: list[tuple[float, Change]] = [
    (0.2, photocopy),
    (0.35, strike_through),
    (0.15, erase),
    (0.2, cover_borders),
    (0.3, cast_shadow),
    (0.3, lower_contrast),
    (0.25, lambda pictures: blur(pictures, 0.9)),
    (0.25, add_noise),
    (0.2, salt_and_pepper),
]
"""Changes of degraded images, each with its probability."""


def dilate(pictures: Tensor, reach: int) -> Tensor:
    """Dilate in greyscale: each pixel becomes the maximum of the square that reaches `reach` pixels to each side.

    The maximum of shifted copies takes a thirtieth of the time of torch's max pool.
    """
    for axis in (1, 2):
        padded = F.pad(pictures, (reach, reach) if axis == 2 else (0, 0, reach, reach))
        size = pictures.shape[axis]
        pictures = functools.reduce(
            torch.maximum, [padded.narrow(axis, start, size) for start in range(2 * reach + 1)]
        )
    return pictures


def blur(pictures: Tensor, sigma: float) -> Tensor:
    """Blur by a Gaussian with a standard deviation of `sigma` pixels; outside is 0."""
    weights = _gaussian(pictures.shape[1], sigma)
    return weights @ pictures @ weights


@functools.cache
def _gaussian(size: int, sigma: float) -> Tensor:
    """Weights ``(size, size)`` of each pixel in each blurred one, along an axis."""
    distance = torch.arange(size) - torch.arange(size)[:, None]
    weights = torch.exp(-0.5 * (distance / sigma).square())
    return weights / weights[size // 2].sum()


def enlarge(values: Tensor, size: int) -> Tensor:
    """Enlarge ``(..., k, k)`` to ``(..., size, size)`` by bicubic interpolation."""
    weights = _bicubic(values.shape[-1], size)
    return weights @ values @ weights.T


@functools.cache
def _bicubic(few: int, many: int) -> Tensor:
    """Weights ``(many, few)`` of each value in each interpolated one, along an axis."""
    eye = torch.eye(few)[:, None, None]  # (few, 1, 1, few)
    return F.interpolate(eye.transpose(2, 3), (many, 1), mode="bicubic", align_corners=True)[:, 0, :, 0].T


def uniform(*shape: int) -> Tensor:
    """Draw numbers uniformly from -1 to 1."""
    return 2 * torch.rand(*shape) - 1
