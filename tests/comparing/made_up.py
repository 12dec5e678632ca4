"""Findings of trials that were never run, to make pages of."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from digitnet.comparing.collect import VariantResults
from digitnet.comparing.compare import compare_variants
from digitnet.comparing.figures.choose import choose_graphs
from digitnet.comparing.page import Findings
from digitnet.trials.plan import Plan

PLAN = """
title = "Do larger filters help?"
preset = "blog"
seeds = 6

[[variant]]
name = "start"

[[variant]]
name = "larger"
kernel_size = 7

[[variant]]
name = "alike"
kernel_size = 3
"""


def results(name: str, accuracy: float, size: int, seeds: int = 6) -> VariantResults:
    """Make results around an accuracy; which seed is above it depends on the size."""
    noise = np.roll(np.linspace(-0.001, 0.001, seeds), size) if seeds > 1 else np.zeros(seeds)
    values = tuple((accuracy + noise).tolist())
    return VariantResults(
        name, {"kernel_size": size}, tuple(range(seeds)), values, values, (10.0,) * seeds, 1_000, values
    )


VARIANTS = (results("start", 0.97, 5), results("larger", 0.98, 7), results("alike", 0.97, 3))


def findings(*variants: VariantResults, plan: str = PLAN, failures: Mapping[str, str] | None = None) -> Findings:
    """Compare results as if they were those of a plan's trials."""
    read = Plan.from_toml(plan)
    comparison = compare_variants(variants or VARIANTS, read.pairs)
    made_with = {"machine": [{"processor": "A"}, {"processor": "B"}], "versions": [{"torch": "2"}], "threads": [1]}
    return Findings(Path("trials/plan"), read, comparison, choose_graphs(comparison), failures or {}, made_with)
