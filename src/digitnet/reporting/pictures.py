"""Pictures inside the page, each with its bytes in a data URI and a text alternative."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from matplotlib.figure import Figure

from digitnet.data.dataset import Split, UInt8
from digitnet.pages.png import data_uri, enlarge, png
from digitnet.reporting.galleries import samples_of_each_class
from digitnet.reporting.style import DARK, LIGHT, PIXELS_PER_INCH, Theme, Width, to_svg
from digitnet.reporting.tiles import ink, sheet

PHONE = "(max-width: 700px)"
DARK_SCREEN = "(prefers-color-scheme: dark)"


@dataclass(frozen=True)
class Picture:
    """One picture of the page."""

    uri: str
    alt: str
    width: int  # in CSS pixels
    height: int


@dataclass(frozen=True)
class Drawing:
    """A figure in a form for each kind of screen; the first source that matches is shown."""

    sources: tuple[tuple[str, Picture], ...]  # media query, picture
    fallback: Picture


def picture(pixels: UInt8, alt: str, factor: int = 1) -> Picture:
    """Make a picture of RGBA pixels, each a sharp square of `factor` CSS pixels."""
    rows, columns = pixels.shape[:2]
    return Picture(data_uri(png(enlarge(pixels, factor))), alt, columns * factor, rows * factor)


def thumbnail(image: UInt8, alt: str) -> Picture:
    """Make a picture of one image ``(rows, columns)``; the style sheet sets its size."""
    return picture(ink(image), alt)


def drawing(draw: Callable[[Width, Theme], Figure], alt: str) -> Drawing:
    """Draw a figure four times: for a desktop and a phone, with light and dark colours."""
    form = {(width, theme): _svg(draw(width, theme), alt) for width in get_args(Width) for theme in (LIGHT, DARK)}
    return Drawing(
        sources=(
            (f"{DARK_SCREEN} and {PHONE}", form["narrow", DARK]),
            (PHONE, form["narrow", LIGHT]),
            (DARK_SCREEN, form["wide", DARK]),
        ),
        fallback=form["wide", LIGHT],
    )


def sample_strips(split: Split, label_names: Sequence[str], each: int = 9) -> list[tuple[str, Picture]]:
    """Make a strip of the first images of each class, labelled with its name."""
    return [
        (
            name,
            picture(sheet(ink(split.images[positions]), each, gap=4), f"{len(positions)} images labelled {name}"),
        )
        for name, positions in zip(label_names, samples_of_each_class(split, len(label_names), each), strict=True)
        if len(positions)
    ]


def _svg(figure: Figure, alt: str) -> Picture:
    width, height = np.rint(figure.get_size_inches() * PIXELS_PER_INCH).astype(int)
    return Picture(data_uri(to_svg(figure), "image/svg+xml"), alt, int(width), int(height))
