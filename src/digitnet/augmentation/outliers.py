"""Outlier exposure: synthetic images that are not digits, and ones and sevens with strokes that MNIST's lack.

A network that is trained on digits alone takes everything for a digit, with high confidence. Trained on outliers
as a class of their own, it also recognises outliers of kinds that it has never seen (Hendrycks et al. 2019, Deep
anomaly detection with outlier exposure, arXiv 1812.04606).
"""

import functools
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Generator, Tensor

from digitnet.augmentation.drawing import SIDE, draw_lines, draw_strokes, roll, sample_curve, sample_uniform
from digitnet.data.dataset import Dataset
from digitnet.errors import UsageError
from digitnet.networks.normalise import centre_ink
from digitnet.wording import option

Kind = Callable[[Tensor, Generator], Tensor]
"""A kind of outliers: digits ``(n, 28, 28)``, 0 to 1, which it may use or ignore, and a random generator in; as
many pictures ``(n, rows, columns)``, 0 to 1, out."""

LETTERS = "ABCDEFGHJKLMNPQRTUVWXYacdefhkmnprtuvwx"
"""Letters that differ from every digit, some of them only slightly.

Left out are b (6), O o (0), I i j l (1), S s (5), y (4), Z z (2), and g q (9).
"""

SYMBOLS = "+=#%*<?@~&$^√∞≈≠≤±÷∂∑∏∈∀∃αβγδθλμπφψωΓΔΘΛΞΠΦΨΩЖШЩЮЯЫДЛИФдж←↑→↓★♥♦♣♠☺✓✗✎☎✈"
"""Symbols and other letters; left out are > (7), } (3), the small sigma (6), and every single upright line."""


STROKES = (
    "04202044 1232", "0004 00303202 02424404", "4010021444", "400000040444 0232", "40000004 0232",
    "0004 4044 0242", "0004 400244", "00040444", "0400002323404044", "040000444440", "0004 00404202",
    "0004 00404202 0244", "0040 2024", "0003244340", "00242440", "0014142121343440", "0044 4004",
    "0022 40222224", "41110314434144", "4212031443404044", "02424010021444", "40202224 0232",
    "0004 0322324244", "0004 310344", "0104 03214244", "20233444 0141", "4023140301102144",
    "04011030321212424414", "00102324 402314", "40000212222202040444", "20000424444020 0242", "0044 2204",
    "0004 00032343 4044", "0040 1014 3034", "4000002222040444", "21010323434121 2024", "0002244240 2024",
    "0003142223344340", "2020040444442020", "0414011030413444", "04000040", "2024 0044 4004",
    "0004044440 2024", "000404404044", "4440 40000242 2204", "1014 3034 0141 0343", "2024 0242", "0141 0343",
    "011040412223 2424", "4004 0010 3444", "04202044440101414104", "211001032443413021", "02242440",
    "0004 002041432404", "0004 001031331404", "0242 3142 3342",
)  # fmt: skip
"""Letters and signs as strokes, with the same ones left out; the first is an A, the last an arrow.

Each has one or more strokes. A stroke is a list of control points, column before row, on a grid of 5 x 5; a point
that is given twice makes a sharp corner. OpenCV's Hershey fonts (cv2.putText) do not replace them: they give the
pixels of fixed letters, not the control points that are varied here, and other outliers would change what the
recipe `reader` and the shipped model learn.
"""


def make_outliers(dataset: Dataset, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Make about `count` images ``(n, 1, 28, 28)`` uint8 with labels ``(n,)`` int64, shuffled.

    Most are outliers, with the label K, the number of classes; a tenth are ones with a foot or a flag, and a
    twentieth sevens with a bar, made from those of the data set. The same seed makes the same images. Raises
    UsageError for data of another size than MNIST's.
    """
    if dataset.image_shape != (28, 28):
        raise UsageError.mismatch(
            option("outliers"),
            expected="images of 28 x 28 pixels, the size of the outliers",
            found=f"{dataset.image_shape[0]} x {dataset.image_shape[1]} in {dataset.name}",
            remedy="Leave it out.",
        )
    generator = Generator().manual_seed(seed)
    digits = torch.from_numpy(dataset.train.images)  # (N, 28, 28)
    labels = torch.from_numpy(dataset.train.labels)
    pictures, targets = [], []
    for kind, fraction in KINDS.items():
        n = round(fraction * count)
        source = digits[torch.randint(len(digits), (n,), generator=generator)] / 255
        pictures.append(centre_ink(kind(source, generator)))
        targets.append(torch.full((n,), dataset.classes))
    for name, extend, fraction in (("1", add_foot_or_flag, 0.1), ("7", add_bar, 0.05)):
        label = dataset.label_names.index(name) if name in dataset.label_names else dataset.classes
        own = digits[labels == label]
        if len(own):
            source = own[torch.randint(len(own), (round(fraction * count),), generator=generator)] / 255
            pictures.append(centre_ink(extend(source, generator)))
            targets.append(torch.full((len(source),), label))
    order = torch.randperm(sum(map(len, targets)), generator=generator)
    return torch.cat(pictures).round_().to(torch.uint8)[order], torch.cat(targets)[order]


def glyphs(digits: Tensor, generator: Generator) -> Tensor:
    """Choose printed letters and symbols."""
    printed = printed_characters()
    return printed[torch.randint(len(printed), (len(digits),), generator=generator)]


@functools.cache
def printed_characters() -> Tensor:
    """Print every letter and symbol in every typeface of matplotlib: ``(A, 28, 28)``, 0 to 1."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    faces = [
        (name, LETTERS + SYMBOLS if name.startswith("DejaVu") else LETTERS)
        for name in (
            *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif"),
            *("DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol"),
            *("cmr10", "cmmi10", "cmti10", "cmss10", "cmtt10", "cmb10"),
        )
    ]
    pages = []
    for name, characters in faces:
        face = ImageFont.truetype(folder / f"{name}.ttf", 40)
        for character in characters:
            page = Image.new("L", (80, 80))
            ImageDraw.Draw(page).text((40, 40), character, fill=255, font=face, anchor="mm")
            pages.append(np.asarray(page))
    return centre_ink(torch.from_numpy(np.stack(pages)) / 255)[:, 0] / 255


def handwriting(digits: Tensor, generator: Generator) -> Tensor:
    """Draw handwritten letters and signs, each with random proportions."""
    n = len(digits)
    width = sample_uniform(0.03, 0.09, n, generator)
    chosen = torch.randint(len(STROKES), (n,), generator=generator)
    picture = torch.zeros(n, SIDE, SIDE)
    for letter, drawn in enumerate(STROKES):
        own = torch.nonzero(chosen == letter)[:, 0]
        for stroke in drawn.split():
            grid = torch.tensor([int(digit) for digit in stroke]).view(-1, 2)
            corners = 0.12 + 0.19 * grid + 0.035 * torch.randn(len(own), *grid.shape, generator=generator)
            picture[own] = torch.maximum(picture[own], draw_strokes(sample_curve(corners), width[own]))
    return picture


def pairs(digits: Tensor, generator: Generator) -> Tensor:
    """Combine two digits, side by side or overlapping."""
    n = len(digits)
    right = sample_uniform(9, 22, n, generator).round().long()
    down = sample_uniform(4, 13, n, generator).round().long()
    wide = F.pad(digits, (0, 24, 8, 8))  # (n, 44, 52)
    return torch.maximum(wide, roll(F.pad(digits.flip(0), (0, 24, 0, 16)), down, right))


def tangles(digits: Tensor, generator: Generator) -> Tensor:
    """Combine a digit with another that is turned by 90 degrees."""
    return torch.maximum(digits, digits.flip(0).rot90(1, (1, 2)))


def scribbles(digits: Tensor, generator: Generator) -> Tensor:
    """Draw one long curve with many turns."""
    n = len(digits)
    corners = 0.05 + 0.9 * torch.rand(n, 12, 2, generator=generator)
    return draw_strokes(sample_curve(corners), sample_uniform(0.02, 0.06, n, generator))


def characters(digits: Tensor, generator: Generator) -> Tensor:
    """Draw three to six short curved strokes that may cross, like characters of another script."""
    n = len(digits)
    centres = sample_uniform(0.2, 0.8, (6, n, 1, 2), generator)
    ends = sample_uniform(-0.45, 0.45, (6, n, 3, 2), generator)
    width = sample_uniform(0.02, 0.06, n, generator)
    number = torch.randint(3, 7, (n,), generator=generator)
    picture = torch.zeros(n, SIDE, SIDE)
    for stroke in range(6):
        drawn = draw_strokes(sample_curve((centres[stroke] + ends[stroke]).clamp(0.05, 0.95)), width)
        picture = torch.maximum(picture, drawn * (stroke < number)[:, None, None])
    return picture


def lines(digits: Tensor, generator: Generator) -> Tensor:
    """Draw one to four lines: the first is nearly horizontal, the others cross it or run beside it."""
    n = len(digits)
    angle = sample_uniform(-0.6, 0.6, (4, n), generator) + torch.tensor([0.0, 0.0, 1.57, 1.57])[:, None]
    along = torch.stack([angle.cos(), angle.sin()], dim=-1)  # (4, n, 2)
    centre = sample_uniform(0.35, 0.65, (4, n, 2), generator)
    half = sample_uniform(0.25, 0.5, (4, n, 1), generator)
    number = torch.randint(1, 5, (n,), generator=generator)
    width = sample_uniform(0.02, 0.12, n, generator)
    picture = torch.zeros(n, SIDE, SIDE)
    for line in range(4):
        ends = torch.stack([centre[line] - half[line] * along[line], centre[line] + half[line] * along[line]], 1)
        picture = torch.maximum(picture, draw_strokes(ends, width) * (line < number)[:, None, None])
    return picture


def shapes(digits: Tensor, generator: Generator) -> Tensor:
    """Draw triangles and low rectangles, as outlines or filled."""
    n = len(digits)
    left, top = sample_uniform(0.02, 0.15, (2, n), generator)
    right, bottom = sample_uniform(0.8, 0.98, n, generator), sample_uniform(0.4, 0.7, n, generator)
    tip = sample_uniform(0.1, 0.9, n, generator)
    rectangle = torch.stack([left, top, right, top, right, bottom, left, bottom, left, top], dim=1).view(n, 5, 2)
    triangle = torch.stack([left, bottom, tip, top, tip, top, right, bottom, left, bottom], dim=1).view(n, 5, 2)
    corners = torch.where((torch.rand(n, generator=generator) < 0.5)[:, None, None], rectangle, triangle)
    outline = draw_strokes(corners, sample_uniform(0.02, 0.08, n, generator))
    filled = torch.rand(n, generator=generator) < 0.4
    inside = (outline.cumsum(1).gt(0) & outline.flip(1).cumsum(1).flip(1).gt(0)).float()
    return torch.where(filled[:, None, None], inside, outline)


def blots(digits: Tensor, generator: Generator) -> Tensor:
    """Draw blots: patches of smooth noise, coarse to fine, with sharp or soft edges."""
    n = len(digits)
    coarse = [2, 3, 4, 6, 8, 12, 20, 30]
    each = -(-n // len(coarse))
    noise = torch.cat(
        [
            F.interpolate(torch.randn(each, 2, size, size, generator=generator), SIDE, mode="bicubic")
            for size in coarse
        ]
    )[torch.randperm(each * len(coarse), generator=generator)[:n]]
    sharp = sample_uniform(0.7, 3, n, generator).exp()[:, None, None]
    level = sample_uniform(-0.5, 1, n, generator)[:, None, None]
    ink = torch.sigmoid(sharp * (noise[:, 0] - level))
    textured = (torch.rand(n, generator=generator) < 0.5)[:, None, None]
    return torch.where(textured, ink * torch.sigmoid(3 * noise.roll(1, 0)[:, 1]), ink)


def things(digits: Tensor, generator: Generator) -> Tensor:
    """Draw things that fill their outline, as photographed objects do: shaded, textured, some with a gap."""
    n = len(digits)
    left, right, gap, shade = (_profile(n, knots, generator) for knots in (5, 5, 3, 4))  # (n, SIDE) of each row
    symmetric = (torch.rand(n, 1, generator=generator) < 0.7).float()
    right = symmetric * left + (1 - symmetric) * right
    middle = SIDE / 2 - 0.5
    half = middle * sample_uniform(0.55, 1, (n, 1), generator)  # of the width; a narrow one would be a thick 1
    left, right = half * (0.45 + 0.55 * left), half * (0.45 + 0.55 * right)
    has_gap = torch.rand(n, 1, generator=generator) < 0.25
    gap = torch.where(has_gap, half * (0.6 * gap - 0.15), torch.tensor(-1.0))
    x = (torch.arange(SIDE) - middle)[None, None, :]
    edge = torch.minimum(x + left[..., None], right[..., None] - x)
    inside = torch.minimum(edge, x.abs() - gap[..., None]).add(0.5).clamp(0, 1)  # (n, SIDE, SIDE)
    high = sample_uniform(0.5, 1, (n, 1, 1), generator) * SIDE / 2
    inside = inside * ((torch.arange(SIDE) - middle)[None, :, None].abs() < high)
    grain = F.interpolate(torch.randn(n, 1, 12, 12, generator=generator), SIDE, mode="bilinear")[:, 0]
    light = sample_uniform(0.4, 1, (n, 1, 1), generator) * (0.6 + 0.4 * shade[..., None])
    return (inside * light * (1 + sample_uniform(0, 0.4, (n, 1, 1), generator) * grain)).clamp(0, 1)


def _profile(n: int, knots: int, generator: Generator) -> Tensor:
    """Draw smooth curves ``(n, SIDE)``, 0 to 1, through so many random values."""
    values = torch.randn(n, 1, knots, generator=generator)
    return F.interpolate(values, SIDE, mode="linear", align_corners=True)[:, 0].mul(1.5).sigmoid()


def dots(digits: Tensor, generator: Generator) -> Tensor:
    """Draw one to six dots."""
    n = len(digits)
    number = torch.randint(1, 7, (n,), generator=generator)
    width = sample_uniform(0.06, 0.25, n, generator)
    picture = torch.zeros(n, SIDE, SIDE)
    for dot in range(6):
        place = sample_uniform(0.15, 0.85, (n, 1, 2), generator)
        picture = torch.maximum(
            picture, draw_strokes(place.repeat(1, 2, 1), width) * (dot < number)[:, None, None]
        )
    return picture


def gradients(digits: Tensor, generator: Generator) -> Tensor:
    """Draw empty pictures: a gradient of light with noise, or nothing at all."""
    n = len(digits)
    axis = torch.linspace(-0.5, 0.5, SIDE)
    angle, slope, grain = (sample_uniform(0, top, (n, 1, 1), generator) for top in (6.28, 1, 1))
    light = slope * (angle.cos() * axis[:, None] + angle.sin() * axis)
    picture = 0.5 + light + grain * sample_uniform(-0.5, 0.5, (n, SIDE, SIDE), generator)
    return picture.clamp(0, 1) * (torch.rand(n, 1, 1, generator=generator) > 0.2)


def add_foot_or_flag(digits: Tensor, generator: Generator) -> Tensor:
    """Add a foot, a flag at the head, or both to each one."""
    n = len(digits)
    top, bottom = _ends(digits)
    head, base = _middle_of_row(digits, top + 1), _middle_of_row(digits, bottom - 1)
    left, right, length, depth = (sample_uniform(2.5, 7.5, n, generator) for _ in range(4))
    tilt = sample_uniform(-1, 1, n, generator)
    width = sample_uniform(1.2, 3, n, generator)
    foot = draw_lines(base - left, bottom + tilt, base + right, bottom - tilt, width)
    flag = draw_lines(head, top + 0.5, head - length, top + depth, width)
    chosen = torch.randint(0, 3, (n, 1, 1), generator=generator)
    return torch.maximum(digits, torch.maximum(foot * (chosen != 0), flag * (chosen != 1)))


def add_bar(digits: Tensor, generator: Generator) -> Tensor:
    """Add a bar across the stem of each seven."""
    n = len(digits)
    top, bottom = _ends(digits)
    row = (top + sample_uniform(0.42, 0.65, n, generator) * (bottom - top)).round()
    middle = _middle_of_row(digits, row)
    left, right = sample_uniform(2.5, 5.5, (2, n), generator)
    tilt = sample_uniform(-0.7, 1.7, n, generator)
    bar = draw_lines(
        middle - left, row + tilt, middle + right, row + 1 - tilt, sample_uniform(1.2, 2.6, n, generator)
    )
    return torch.maximum(digits, bar)


def _ends(digits: Tensor) -> tuple[Tensor, Tensor]:
    """First and last row with ink, ``(n,)`` each."""
    rows = torch.arange(digits.shape[1], dtype=torch.float32)
    inked = digits.amax(dim=2) > 0.5
    return torch.where(inked, rows, 99).amin(dim=1), torch.where(inked, rows, -1).amax(dim=1)


def _middle_of_row(digits: Tensor, row: Tensor) -> Tensor:
    """Mean column ``(n,)`` of the ink in a row ``(n,)``."""
    ink = digits[torch.arange(len(digits)), row.long().clamp(0, 27)]  # (n, 28)
    columns = torch.arange(28) + 0.5
    return (ink * columns).sum(dim=1) / ink.sum(dim=1).clamp_min(1e-6)


KINDS: dict[Kind, float] = {
    glyphs: 0.19,
    handwriting: 0.19,
    pairs: 0.08,
    tangles: 0.02,
    scribbles: 0.06,
    characters: 0.06,
    lines: 0.05,
    shapes: 0.03,
    blots: 0.07,
    things: 0.07,
    dots: 0.015,
    gradients: 0.015,
}
"""Kinds of outliers, each with its fraction of all images; the remaining images are ones and sevens."""
