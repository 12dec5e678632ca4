"""Which figures a comparison has, for its page and as files."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from matplotlib.figure import Figure

from digitnet.comparing.compare import Comparison
from digitnet.comparing.figures.against_cost import front_figure
from digitnet.comparing.figures.by_field import field_figure
from digitnet.comparing.figures.by_two_fields import heat_figure, is_crossed
from digitnet.comparing.figures.drawing import are_numbers, words_of
from digitnet.comparing.figures.in_rows import difference_figure, variant_figure
from digitnet.reporting.style import Theme, Width

Subject = Literal["variants", "differences", "fields", "cost"]


@dataclass(frozen=True)
class Graph:
    """A figure that can be drawn at each width and in each theme."""

    name: str  # of its file
    subject: Subject
    draw: Callable[[Width, Theme], Figure]
    alt: str


def choose_graphs(comparison: Comparison) -> list[Graph]:
    """Return the graphs that show something; a single field without a scale is shown by the variants alone."""
    variants = [variant.results for variant in comparison.variants if variant.results.seeds]
    graphs = [
        Graph(
            "variants",
            "variants",
            partial(variant_figure, comparison, "test"),
            "Test accuracy of each variant: every seed, the mean and its 95% interval, as in the table.",
        )
    ]
    if any(pair.difference for pair in comparison.pairs):
        alt = "Difference in test accuracy of each pair: every seed, the mean and its 95% interval, beside zero."
        graphs.append(Graph("differences", "differences", partial(difference_figure, comparison), alt))
    fields = list(dict.fromkeys(name for variant in variants for name in variant.fields))
    for field in fields:
        if len(fields) > 1 or are_numbers([variant.fields[field] for variant in variants]):
            alt = f"Test accuracy by {words_of(field)}: every seed, the means and their 95% intervals."
            graphs.append(Graph(f"by-{field}", "fields", partial(field_figure, variants, field, "test"), alt))
    for one, other in itertools.combinations(fields, 2):
        if is_crossed(variants, one, other):
            alt = f"Mean test accuracy for each {words_of(one)} and {words_of(other)}."
            draw = partial(heat_figure, variants, one, other, "test")
            graphs.append(Graph(f"by-{one}-and-{other}", "fields", draw, alt))
    if len(variants) > 1:
        alt = "Mean test accuracy against training time, and against the number of parameters."
        graphs.append(Graph("front", "cost", partial(front_figure, variants, "test"), alt))
    return graphs
