"""What `digitnet compare` writes into a trials folder: a page, its figures as PNG files, all numbers as JSON."""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from digitnet.comparing.collect import collect
from digitnet.comparing.compare import Comparison, compare_variants
from digitnet.comparing.figures.choose import choose_graphs
from digitnet.comparing.page import Findings, compose
from digitnet.errors import RunError
from digitnet.files import write_whole
from digitnet.reporting.figures import save_figures
from digitnet.reporting.style import LIGHT
from digitnet.reporting.template import fill
from digitnet.run_folder import Run
from digitnet.trials.run import TrialsFolder, open_folder

PAGE = "comparison.html"


def compare(folder: TrialsFolder | Path | str, data: Path | str | None = None) -> Comparison:
    """Compare the finished trials; write ``comparison.html``, ``comparison.json`` and ``figures/*.png`` there.

    `data` is where the data of the runs is now, if that is not where it was.
    Trials that failed or still run are left out, and the page says so. Raises RunError if nothing has finished,
    and for a search, whose trials were not evaluated on the test images.
    """
    folder = folder if isinstance(folder, TrialsFolder) else open_folder(folder)
    if folder.plan.ranges:
        best = folder.path / "best.toml"
        raise RunError(
            f"{folder.path}: holds a search, whose trials were not evaluated on the test images. Compare the best "
            f"one with the start: digitnet trials {best}"
        )
    runs = folder.finished_runs()
    for run in itertools.chain.from_iterable(runs.values()):
        run.data = data
    variants = collect(runs)
    if not any(variant.seeds for variant in variants):
        raise RunError(f"{folder.path}: expected finished trials, found none. Run the plan first.")
    comparison = compare_variants(variants, folder.plan.pairs)
    found = Findings(
        folder=folder.path,
        plan=folder.plan,
        comparison=comparison,
        graphs=choose_graphs(comparison),
        failures={name: entry.error or "" for name, entry in folder.journal.failed.items()},
        made_with=made_with(runs),
    )
    page = render(found)
    save_figures({graph.name: graph.draw("wide", LIGHT) for graph in found.graphs}, folder.path / "figures")
    content = {"title": folder.plan.title, "made_with": found.made_with, **comparison.to_json()}
    write_whole(folder.path / "comparison.json", json.dumps(content, indent=2) + "\n")
    write_whole(folder.path / PAGE, page)
    return comparison


def render(found: Findings) -> str:
    """Make the HTML of the page: the same for the same findings."""
    return fill("comparison.html.jinja", compose(found))


def made_with(runs: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """List the machines, versions and numbers of threads that the runs were made with."""
    every = [run.environment for several in runs.values() for run in several]
    return {
        key: list({json.dumps(environment[key]): environment[key] for environment in every}.values())
        for key in ("machine", "versions", "threads")
    }
