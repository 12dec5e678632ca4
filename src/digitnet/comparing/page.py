"""The contents of a comparison's page: everything that its template shows. No files are read or written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitnet.comparing.collect import LAST_VALIDATIONS
from digitnet.comparing.compare import Comparison, PairComparison
from digitnet.comparing.figures.choose import Graph
from digitnet.comparing.statistics import ALPHA, points, signed_points, write_chance
from digitnet.metrics import Interval
from digitnet.reporting.page import environment_rows
from digitnet.reporting.pictures import drawing
from digitnet.reporting.tables import Table
from digitnet.reporting.words import counted, duration
from digitnet.trials.plan import Plan
from digitnet.wording import command


@dataclass(frozen=True)
class Findings:
    """Everything about finished trials that the page shows."""

    folder: Path
    plan: Plan
    comparison: Comparison
    graphs: Sequence[Graph]
    failures: Mapping[str, str]  # by the name of the trial
    made_with: Mapping[str, Sequence[Any]]  # machines, versions and numbers of threads


def compose(found: Findings) -> dict[str, Any]:
    """Make the values of the template, by their names in it."""
    comparison, variants = found.comparison, found.comparison.variants
    late = late_differences(comparison)
    return {
        "title": found.plan.title or f"Comparison of {counted(len(variants), 'variant')}",
        "name": found.folder.resolve().name,
        "counts": f"{counted(len(variants), 'variant')}, {counted(len(found.plan.seeds), 'seed')} each",
        "verdicts": sorted(comparison.pairs, key=lambda pair: pair.verdict != "real"),
        "choice": comparison.choice,
        "remarks": [remark for remark in (describe_missing(found), describe_doubt(comparison)) if remark],
        "chosen": comparison.chosen if len(variants) > 1 else None,
        "test": comparison.accuracies("test"),
        "graphs": {
            subject: [drawing(graph.draw, graph.alt) for graph in found.graphs if graph.subject == subject]
            for subject in ("variants", "differences", "fields", "cost")
        },
        "differences": differences(comparison),
        "late": late if late.rows else None,
        "last_validations": LAST_VALIDATIONS,
        "alpha": ALPHA,
        "validation": comparison.accuracies("validation"),
        "costs": costs(comparison),
        "failures": found.failures,
        "plan": found.plan.text.strip(),
        "made_with": made_with_rows(found.made_with),
        "commands": {
            "repeat": [command("trials", "plan.toml"), command("compare", "trials/plan")],
            "csv": f"{command('compare', found.folder, '--format', 'csv')} > seeds.csv",
        },
    }


def describe_missing(found: Findings) -> str:
    """Say which trials are left out, and what that means for the means; empty if there are none."""
    variants = found.comparison.variants
    failed, total = len(found.failures), found.plan.trial_count
    unfinished = total - failed - sum(len(variant.results.seeds) for variant in variants)
    parts = [f"{failed:,} failed"] if failed else []
    parts += [f"{unfinished:,} did not finish"] if unfinished else []
    if not parts:
        return ""
    unequal = len({variant.results.seeds for variant in variants if variant.results.seeds}) > 1
    means = " So the means are not over the same seeds; each difference is, over those that both have."
    return f"Of {counted(total, 'trial')}, {' and '.join(parts)}: left out.{means if unequal else ''}"


def describe_doubt(comparison: Comparison) -> str:
    """Say for how many pairs the last validations answer differently than the test; empty if for none."""
    known = [pair for pair in comparison.pairs if pair.late and pair.difference]
    differ = sum(not pair.is_confirmed for pair in known)
    if not differ:
        return ""
    return (
        "The accuracy after the last step is partly luck. In the mean of the last "
        f"{LAST_VALIDATIONS} validations, {differ} of {counted(len(known), 'comparison')} would end otherwise: "
        "see the details."
    )


def differences(comparison: Comparison) -> Table:
    """Make the table of the difference of each pair on the test images, with every test."""
    chances = ("p (t)", "p (permutation)", "p (Holm)", "McNemar")
    rows = tuple(map(_difference_cells, comparison.pairs))
    return Table("On the test", ("pair", "seeds", "points ± sd", "95% interval", "bootstrap", *chances), rows)


def late_differences(comparison: Comparison) -> Table:
    """Make the table of the differences in the mean of the last validations, for the pairs that have them."""
    title = f"On validation, mean of the last {LAST_VALIDATIONS}"
    columns = ("pair", "seeds", "points ± sd", "95% interval", "p (Holm)", "as on the test")
    return Table(title, columns, tuple(_late_cells(pair) for pair in comparison.pairs if pair.late))


def costs(comparison: Comparison) -> Table:
    """Make the table of what each variant costs: means over its seeds."""
    rows = tuple(
        (v.results.name, duration(v.seconds.mean), f"{v.results.parameters:,}")
        for v in comparison.variants
        if v.seconds
    )
    return Table("Cost", ("variant", "training time", "parameters"), rows)


def made_with_rows(made_with: Mapping[str, Sequence[Any]]) -> list[tuple[str, str]]:
    """List the names and values of the environments; where they differ, each value once."""
    found: dict[str, dict[str, None]] = {}
    for key, values in made_with.items():
        for name, value in (row for each in values for row in environment_rows({key: each})):
            found.setdefault(name, {})[value] = None
    return [(name, "; ".join(values)) for name, values in found.items()]


def _difference_cells(pair: PairComparison) -> tuple[str, ...]:
    d = pair.difference
    if d is None:
        return pair.name, "0", *"-------"
    chances = ["-" if p is None else write_chance(p) for p in (d.p_t, d.p_permutation, pair.p)]
    differ = f"{pair.seeds_that_differ} of {len(pair.images)}" if pair.images else "-"
    spans = _span(d.interval), _span(d.bootstrap_interval)
    return pair.name, f"{d.n}", _with_sd(d.mean, d.sd), *spans, *chances, differ


def _late_cells(pair: PairComparison) -> tuple[str, ...]:
    d = pair.late
    assert d is not None
    chance = "-" if pair.p_late is None else write_chance(pair.p_late)
    same = "yes" if pair.is_confirmed else "no"
    return pair.name, f"{d.n}", _with_sd(d.mean, d.sd), _span(d.interval), chance, same


def _with_sd(mean: float, sd: float | None) -> str:
    return signed_points(mean) if sd is None else f"{signed_points(mean)} ± {points(sd)}"


def _span(interval: Interval | None) -> str:
    return f"{signed_points(interval.low)} to {signed_points(interval.high)}" if interval else "-"
