"""The look of figures: colours and sizes; and a figure as the bytes of a PNG or SVG file.

Sizes are CSS pixels, 96 to the inch, so that text in a figure is as large as the text around it.
"""

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

Width = Literal["wide", "narrow"]
"""Of a desktop's page or a phone's; each has a layout of its own, so that text keeps its size."""

PIXELS_PER_INCH = 96
POINTS_PER_PIXEL = 72 / PIXELS_PER_INCH


@dataclass(frozen=True)
class Theme:
    """The colours of a page; training and validation differ in lightness too (after Okabe and Ito)."""

    paper: str
    ink: str
    muted: str
    line: str
    training: str
    validation: str


LIGHT = Theme("#ffffff", "#1d1d1f", "#5f6368", "#dcdcd7", training="#0072b2", validation="#b84a00")
DARK = Theme("#16181c", "#ececec", "#a3a7ad", "#3b3e45", training="#56b4e9", validation="#f0a35e")


@contextmanager
def styled(theme: Theme) -> Iterator[None]:
    """Apply our matplotlib settings within the context, and restore the caller's afterwards."""
    small, normal = 13 * POINTS_PER_PIXEL, 14 * POINTS_PER_PIXEL
    settings: Any = {  # matplotlib 3.11 has a type for each key, older versions accept any text
        "axes.edgecolor": theme.line,
        "axes.facecolor": "none",
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.labelcolor": theme.muted,
        "axes.labelsize": small,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": theme.ink,
        "axes.titlelocation": "left",
        "axes.titlepad": 10,
        "axes.titlesize": normal,
        "axes.titleweight": "bold",
        "figure.facecolor": theme.paper,
        "font.family": "DejaVu Sans",
        "font.size": small,
        "grid.color": theme.line,
        "grid.linewidth": 0.6,
        "lines.solid_capstyle": "round",
        "svg.fonttype": "none",
        "text.color": theme.ink,
        "text.parse_math": False,  # a dollar in a person's names is a dollar
        "xtick.color": theme.line,
        "xtick.labelcolor": theme.muted,
        "xtick.major.size": 3,
        "ytick.color": theme.line,
        "ytick.labelcolor": theme.muted,
        "ytick.major.size": 0,
        "ytick.minor.size": 0,
    }
    with matplotlib.rc_context(settings), _without_glyph_warnings():
        yield


@contextmanager
def _without_glyph_warnings() -> Iterator[None]:
    """Be silent about letters that DejaVu Sans lacks: a page shows them in a font of the reader's system."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def canvas(width: int, height: int) -> Figure:
    """Make an empty figure of `width` by `height` pixels."""
    return Figure(figsize=(width / PIXELS_PER_INCH, height / PIXELS_PER_INCH), dpi=PIXELS_PER_INCH)


def place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a position in pixels from the left and the top of the figure."""
    across, down = figure.get_size_inches() * PIXELS_PER_INCH
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def spread_dots(places: Sequence[float] | npt.NDArray[np.floating[Any]], size: float) -> list[float]:
    """Shift dots at these places of a line to its sides, so that few cover each other: by two dots at most.

    Places, `size`, which is the distance of two neighbours, and the shifts have one unit. Dots that lie apart stay
    on the line, and the same places get the same shifts.
    """
    shifts: dict[int, float] = {}
    for k in sorted(range(len(places)), key=lambda k: places[k]):
        free = (
            shift * size
            for shift in (0, 1, -1, 2, -2)
            if all(math.hypot(places[k] - places[j], shift * size - shifts[j]) > 0.99 * size for j in shifts)
        )
        shifts[k] = next(free, 0.0)
    return [shifts[k] for k in range(len(places))]


def to_png(figure: Figure) -> bytes:
    """Draw the figure as PNG, at twice its size in pixels, for high-density screens."""
    buffer = io.BytesIO()
    with _without_glyph_warnings():
        figure.savefig(buffer, format="png", dpi=2 * PIXELS_PER_INCH, metadata={"Software": None})
    return buffer.getvalue()


def to_svg(figure: Figure) -> bytes:
    """Draw the figure as SVG without a background; its text uses the reader's system font."""
    buffer = io.StringIO()
    fixed: Any = {"svg.fonttype": "none", "svg.hashsalt": "digitnet"}  # the same bytes every time
    with matplotlib.rc_context(fixed), _without_glyph_warnings():
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text.replace("'DejaVu Sans'", "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans'").encode()
