"""What `digitnet compare` writes into a trials folder: the comparison as JSON and Markdown, and its figures."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from digitnet.errors import RunError
from digitnet.files import write_whole
from digitnet.reporting.figures import save_figures
from digitnet.run_folder import Run
from digitnet.trials.collect import VariantResults, collect
from digitnet.trials.compare import Comparison, compare_variants
from digitnet.trials.figures.against_cost import front_figure
from digitnet.trials.figures.by_field import field_figure
from digitnet.trials.figures.by_two_fields import heat_figure, is_crossed
from digitnet.trials.run import TrialsFolder, open_folder


def compare(folder: TrialsFolder | Path | str) -> Comparison:
    """Compare the finished trials; write ``comparison.json``, ``comparison.md`` and ``figures/*.png`` there.

    Trials that failed or still run are left out; the number of seeds of each variant shows it. Raises RunError if
    nothing has finished, and for a search, whose trials were not evaluated on the test images.
    """
    folder = folder if isinstance(folder, TrialsFolder) else open_folder(folder)
    if folder.plan.ranges:
        best = folder.path / "best.toml"
        raise RunError(
            f"{folder.path}: holds a search, whose trials were not evaluated on the test images. Compare the best "
            f"one with the start: digitnet trials {best}"
        )
    runs = folder.finished_runs()
    variants = collect(runs)
    if not any(variant.seeds for variant in variants):
        raise RunError(f"{folder.path}: expected finished trials, found none. Run the plan first.")
    comparison = compare_variants(variants, folder.plan.pairs)
    figures = draw(variants)
    save_figures(figures, folder.path / "figures")
    content = {"title": folder.plan.title, "made_with": made_with(runs), **comparison.to_json()}
    write_whole(folder.path / "comparison.json", json.dumps(content, indent=2) + "\n")
    write_whole(folder.path / "comparison.md", to_page(folder.plan.title, comparison, list(figures)))
    return comparison


def made_with(runs: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """List the machines, versions and numbers of threads that the runs were made with."""
    every = [run.environment for several in runs.values() for run in several]
    return {
        key: list({json.dumps(environment[key]): environment[key] for environment in every}.values())
        for key in ("machine", "versions", "threads")
    }


def draw(variants: list[VariantResults]) -> dict[str, Figure]:
    """Draw accuracy against each varied field, each pair of crossed fields, and the cost."""
    fields = list(dict.fromkeys(name for variant in variants for name in variant.fields))
    figures = {f"by-{field}": field_figure(variants, field) for field in fields}
    for rows, columns in itertools.combinations(fields, 2):
        if is_crossed(variants, rows, columns):
            figures[f"by-{rows}-and-{columns}"] = heat_figure(variants, rows, columns)
    return {**figures, "front": front_figure(variants)}


def to_page(title: str, comparison: Comparison, figures: list[str]) -> str:
    """Write the comparison as a page of Markdown that shows its figures."""
    pictures = [f"![{name.replace('-', ' ')}](figures/{name}.png)" for name in figures]
    return "\n\n".join([f"# {title or 'Comparison'}", comparison.to_markdown(), *pictures]) + "\n"
