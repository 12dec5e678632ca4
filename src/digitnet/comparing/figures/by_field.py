"""Accuracy by one field: a dot for each seed, and the mean with its interval."""

import itertools
import math
import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from digitnet.comparing.collect import Measure, VariantResults
from digitnet.comparing.figures.drawing import (
    DOT,
    are_numbers,
    draw_mean,
    finished,
    head,
    note,
    place_values,
    scale_accuracy,
    text_of,
    words_of,
)
from digitnet.comparing.statistics import summarise
from digitnet.reporting.style import LIGHT, Theme, Width, canvas, place, spread_dots, styled
from digitnet.reporting.words import percent


def field_figure(
    variants: Sequence[VariantResults],
    field: str,
    measure: Measure = "test",
    width: Width = "wide",
    theme: Theme = LIGHT,
) -> Figure:
    """Draw accuracy by one field: a dot for each seed, and the mean beside them.

    Numbers are placed to scale (logarithmic from a factor of eight), and a line joins their means; categories are
    placed in order, without a line. Variants that agree in their other fields share a colour, and are named at the
    end where there are several such groups. If there is one, single variants are left out: they differ in
    something else as well. Raises UsageError for a field that no variant has.
    """
    lines = _lines(finished(variants, field), field)
    shown = [variant for line in lines.values() for variant in line]
    given = [variant.fields[field] for variant in shown]
    places = place_values(given)
    for line in lines.values():
        line.sort(key=lambda variant: places[text_of(variant.fields[field])])
    gap = min((after - before for before, after in itertools.pairwise(sorted(places.values()))), default=1.0)
    room = gap / (len(lines) + 0.2)
    across, down = (640, 380) if width == "wide" else (360, 340)
    span = across - (196 if len(lines) > 1 else 90)
    crowded = 8 * max(map(len, places), default=0) > span / (len(places) + 0.5)
    with styled(theme):
        figure = canvas(across, down)
        axes = place(figure, 70, 62, span, down - (142 if crowded else 118))
        axes.set_xlim(min(places.values(), default=0) - 0.7 * gap, max(places.values(), default=1) + 0.8 * gap)
        scale_accuracy(axes, [getattr(variant, measure) for variant in shown])
        ends = []
        for number, (name, line) in enumerate(lines.items()):
            # told apart by lightness too; more lines than four repeat them, and are named anyway
            colour = (theme.training, theme.validation, theme.ink, theme.muted)[number % 4]
            shift = (number - (len(lines) - 1) / 2) * room
            middles = [places[text_of(variant.fields[field])] + shift for variant in line]
            means = [
                _draw_seeds(axes, x, getattr(v, measure), room, colour) for x, v in zip(middles, line, strict=True)
            ]
            if are_numbers(given):
                axes.plot(middles, means, color=colour, linewidth=1, alpha=0.5, zorder=1)
            ends.append((means[-1], name, colour))
            if len(lines) == 1:
                _note_means(axes, middles, means, theme)
        if len(lines) > 1:
            _name_groups(axes, ends)
        _name_places(axes, places, crowded)
        axes.set_xlabel(words_of(field))
        head(
            axes,
            f"{measure.title()} accuracy by {words_of(field)}",
            "dots: seeds; bars: mean, 95% interval",
            theme,
        )
    return figure


def _lines(variants: Sequence[VariantResults], field: str) -> dict[str, list[VariantResults]]:
    """Group the variants that agree in all but `field`; single ones count only if there are no others."""
    lines: dict[str, list[VariantResults]] = {}
    for variant in variants:
        lines.setdefault(_other_fields(variant, field), []).append(variant)
    several = {name: line for name, line in lines.items() if len(line) > 1}
    return several or lines


def _draw_seeds(axes: Axes, x: float, values: Sequence[float], room: float, colour: str) -> float:
    """Draw a variant's mean with its interval at `x` and its seeds left of it; return the mean."""
    summary = summarise(values)
    (left, low), (right, high) = axes.transData.inverted().transform([(0, 0), (1, 1)])
    across, up = right - left, high - low  # of one pixel
    side = min(16 * across, 0.3 * room)
    shifts = spread_dots([value / up for value in values], DOT)
    places = [x - side + min(across, side / (3 * DOT)) * shift for shift in shifts]
    axes.scatter(places, values, s=16, color=colour, alpha=0.55, linewidths=0, zorder=2)
    draw_mean(axes, x, summary, colour)
    return summary.mean


def _note_means(axes: Axes, middles: Sequence[float], means: Sequence[float], theme: Theme) -> None:
    """Write each mean to the right, above or below, where the line to the next mean does not run."""
    for x, mean, following in zip(middles, means, [*means[1:], math.inf], strict=True):
        note(axes, (x, mean), percent(mean), (5, -9 if following >= mean else 9), theme.ink)


def _name_groups(axes: Axes, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write the names right of the axes, each at the height of its last mean or as far below as the others ask."""
    free = math.inf  # pixels
    for mean, name, colour in sorted(ends, key=lambda end: -end[0]):
        text = "\n".join(textwrap.fill(line, 17, break_long_words=False) for line in name.splitlines())
        half = 8 * (1 + text.count("\n"))
        height = min(float(axes.transData.transform((0, mean))[1]), free - half)
        free = height - half
        place = (1, float(axes.transAxes.inverted().transform((0, height))[1]))
        axes.text(*place, text, transform=axes.transAxes, color=colour, va="center", fontsize=9)


def _name_places(axes: Axes, places: Mapping[str, float], crowded: bool) -> None:
    axes.set_xticks(list(places.values()), list(places))
    if crowded:
        axes.tick_params(axis="x", labelrotation=20)
        for label in axes.get_xticklabels():
            label.set(horizontalalignment="right", rotation_mode="anchor")


def _other_fields(variant: VariantResults, field: str) -> str:
    return "\n".join(
        f"{words_of(name)} {text_of(value)}" for name, value in variant.fields.items() if name != field
    )
