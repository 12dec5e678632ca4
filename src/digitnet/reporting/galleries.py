"""Grids of images: samples, mistakes, filters, and the feature maps of one example.

Each function is pure: arrays in, a matplotlib Figure out. A grid is drawn as one image with text over it,
because dozens of axes would take seconds.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitnet.data.dataset import Split, UInt8
from digitnet.evaluation.mistakes import Mistake
from digitnet.reporting.style import LIGHT, POINTS_PER_PIXEL, Width, canvas, place, styled
from digitnet.reporting.tiles import filter_tiles, ink, sheet
from digitnet.reporting.words import percent

Floats = npt.NDArray[np.floating[Any]]

MOST_TILES = 64  # filters or maps shown of each layer


def samples_of_each_class(split: Split, classes: int, each: int) -> list[npt.NDArray[np.int64]]:
    """Return the positions of the first images of each class, at most `each` of them."""
    return [np.flatnonzero(split.labels == k)[:each] for k in range(classes)]


def sample_figure(split: Split, label_names: Sequence[str], width: Width = "wide") -> Figure:
    """Show the first images of each class, one labelled row for each class."""
    each, tile = (14, 52) if width == "wide" else (6, 44)
    gap, margin = 6, 20 + 9 * max(len(name) for name in label_names)
    rows = samples_of_each_class(split, len(label_names), each)
    height, across = len(rows) * (tile + gap) - gap, each * (tile + gap) - gap
    with styled(LIGHT):
        figure = canvas(margin + across + 16, height + 32)
        for k, name in enumerate(label_names):
            top = 16 + k * (tile + gap)
            figure.text(
                (margin - 14) / (margin + across + 16), 1 - (top + tile / 2) / (height + 32), name,
                ha="right", va="center", fontsize=15 * POINTS_PER_PIXEL, fontweight="bold",
            )  # fmt: skip
        positions = np.concatenate([np.pad(row, (0, each - len(row)), constant_values=-1) for row in rows])
        tiles = ink(split.images[positions])
        tiles[positions < 0] = 0  # empty places of a class with fewer images
        _show(place(figure, margin, 16, across, height), tiles, each, tile, gap)
    return figure


def mistakes_figure(
    mistakes: Sequence[Mistake], label_names: Sequence[str], width: Width = "wide", most: int = 40
) -> Figure:
    """Show the most confident mistakes, with the true label above each, the predicted one below."""
    shown = mistakes[:most]
    columns, tile = (8, 84) if width == "wide" else (4, 72)
    gap, above, below = 20, 20, 46
    lines = max(1, math.ceil(len(shown) / columns))
    across, pitch = columns * (tile + gap) - gap, tile + above + below
    with styled(LIGHT):
        figure = canvas(across + 40, lines * pitch + 64)
        axes = place(figure, 20, 40, across, lines * pitch)
        axes.set(xlim=(0, across), ylim=(lines * pitch, 0))
        axes.axis("off")
        axes.set_title(f"{len(shown)} of {len(mistakes)} mistakes, the most confident first", fontsize=11)
        for k, mistake in enumerate(shown):
            left, top = (k % columns) * (tile + gap), (k // columns) * pitch + above
            true, read = label_names[mistake.true], label_names[mistake.predicted]
            mark = "*" if mistake.disputed else ""
            axes.text(left, top - 5, f"{true}{mark}", fontweight="bold")
            axes.imshow(ink(mistake.image), extent=(left, left + tile, top + tile, top), interpolation="nearest")
            axes.text(left, top + tile + 5, f"read as {read}", va="top", color=LIGHT.validation)
            axes.text(left, top + tile + 20, percent(mistake.confidence, 1), va="top", color=LIGHT.muted)
        axes.set(xlim=(0, across), ylim=(lines * pitch, 0))
        if any(mistake.disputed for mistake in shown):
            axes.text(
                0, lines * pitch + 14, "* independent annotators did not confirm this label", color=LIGHT.muted
            )
    return figure


def filter_figure(layers: Sequence[Floats], width: Width = "wide") -> Figure:
    """Show the filters ``(out, in, k, k)`` of each convolution: blue is negative, white zero, orange positive."""
    across, gap, heading, space = (820, 12, 30, 24) if width == "wide" else (330, 8, 30, 24)
    shown = [filter_tiles(weights[:MOST_TILES]) for weights in layers]
    columns = [{"wide": 16, "narrow": 8}[width] // (1 if weights.shape[1] == 1 else 2) for weights in layers]
    tiles = [(across + gap) / count - gap for count in columns]  # sides in pixels
    heights = [
        math.ceil(len(pictures) / count) * (tile + gap) - gap
        for pictures, count, tile in zip(shown, columns, tiles, strict=True)
    ]
    with styled(LIGHT):
        figure = canvas(across + 40, round(sum(heights)) + len(layers) * (heading + space) + 10)
        top = 10.0
        for k, weights in enumerate(layers):
            axes = place(figure, 20, top + heading, across, heights[k])
            _show(axes, shown[k], columns[k], tiles[k], gap)
            axes.set_title(f"Layer {k + 1}: {describe_filters(weights)}")
            top += heading + heights[k] + space
    return figure


def activation_figure(
    image: UInt8,
    layers: Sequence[Floats],
    probabilities: Sequence[float],
    label_names: Sequence[str],
    width: Width = "wide",
) -> Figure:
    """Show an image ``(rows, columns)``, each layer's maps ``(maps, rows, columns)``, and the probabilities."""
    sheets = [map_sheet(maps) for maps in layers]
    names = 8 * max(len(name) for name in label_names)
    arrow, heading, first = 40, 34, 84
    with styled(LIGHT):
        if width == "wide":
            sides = [220 * max(1.0, picture.shape[1] / picture.shape[0]) ** 0.5 for picture in sheets]
            tall = heading + 230
            figure = canvas(round(40 + first + sum(sides) + arrow * (len(sheets) + 1) + names + 150), tall + 20)
            axes = [place(figure, 20, heading + (tall - heading - first) / 2, first, first)]
            left = 20.0 + first + arrow
            for picture, side in zip(sheets, sides, strict=True):
                height = side * picture.shape[0] / picture.shape[1]
                axes.append(place(figure, left, heading + (tall - heading - height) / 2, side, height))
                left += side + arrow
            axes.append(place(figure, left + names, heading + 10, 110, tall - heading - 20))
        else:
            heights = [first, *(320 * picture.shape[0] / picture.shape[1] for picture in sheets), 220]
            figure = canvas(360, round(sum(heights)) + heading * len(heights) + 20)
            top, axes = 0.0, []
            for height in heights:
                is_answer = len(axes) == len(sheets) + 1
                across = first if not axes else 250 - names if is_answer else 320
                axes.append(place(figure, 20 + is_answer * names, top + heading, across, height))
                top += heading + height
        for k, picture in enumerate([ink(image), *sheets]):
            axes[k].imshow(picture, interpolation="nearest", aspect="auto")
            axes[k].axis("off")
            axes[k].set_title(f"Layer {k}: {min(len(layers[k - 1]), MOST_TILES)} maps" if k else "Image")
        _draw_answer(axes[-1], probabilities, label_names)
    return figure


def map_sheet(maps: Floats) -> UInt8:
    """Lay out the maps of a layer ``(maps, rows, columns)`` in a grid; returns RGBA, one pixel for each value."""
    shown = maps[:MOST_TILES]
    most = math.ceil(math.sqrt(len(shown)))
    columns = next((c for c in range(most, 2 * most + 1) if len(shown) % c == 0), most)  # a full last row
    tiles = ink(shown)
    tiles[..., 3] = np.maximum(tiles[..., 3], 12)  # so that the edges of an empty map show
    return sheet(tiles, columns, gap=max(1, shown.shape[2] // 10))


def describe_filters(weights: Floats) -> str:
    """Describe the number of filters of a layer and their size: ``16 filters, 5 by 5 pixels each``."""
    count, slices, rows, columns = weights.shape
    shown = f"{MOST_TILES} of {count}" if count > MOST_TILES else f"{count}"
    depth = f"{slices} slices of {rows} by {columns}" if slices > 1 else f"{rows} by {columns} pixels"
    return f"{shown} filters, {depth} each"


def _show(axes: Axes, tiles: UInt8, columns: int, tile: float, gap: float) -> None:
    """Show tiles ``(N, rows, columns, 4)`` as one picture that fills the axes, its gaps `gap` pixels wide."""
    gap_cells = round(gap * tiles.shape[2] / tile) if tile else 0
    axes.imshow(sheet(tiles, columns, gap_cells), interpolation="nearest", aspect="auto")
    axes.axis("off")


def _draw_answer(axes: Axes, probabilities: Sequence[float], label_names: Sequence[str]) -> None:
    best = int(np.argmax(probabilities))
    colours = [LIGHT.training if k == best else LIGHT.muted for k in range(len(label_names))]
    axes.barh(range(len(label_names)), probabilities, color=colours, height=0.6)
    axes.set_yticks(range(len(label_names)), label_names)
    axes.tick_params(axis="y", labelcolor=LIGHT.ink)
    axes.text(probabilities[best] + 0.03, best, percent(probabilities[best], 1), va="center", color=LIGHT.ink)
    axes.set(xlim=(0, 1), xticks=[], title="Answer")
    axes.invert_yaxis()
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
