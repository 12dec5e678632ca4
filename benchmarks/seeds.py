"""Train one configuration with several seeds, and keep the outcome as JSON with its mean and spread.

    .venv/bin/python benchmarks/seeds.py blog --seeds 5
    .venv/bin/python benchmarks/seeds.py blog-hidden-128 --seeds 5 --hidden 128

The first word names the result, benchmarks/results/NAME.json, and the folder of its runs, runs/NAME. It may be
stopped and started again: finished runs are not repeated, and an interrupted one goes on. Each seed is trained
to its last step and judged once on the test images; no seed and no step is chosen.
"""

import dataclasses
import functools
import json
import statistics
import sys
from pathlib import Path
from typing import Any

import tyro
from scipy import stats
from tyro.conf import OmitArgPrefixes

from digitnet import TrainConfig, evaluate, train
from digitnet.config import DEFAULT_PRESET, preset
from digitnet.files import write_whole
from digitnet.run_folder import Run
from digitnet.training.watch import make_watch

RESULTS = Path(__file__).parent / "results"


def run_seeds(name: str, config: OmitArgPrefixes[TrainConfig], seeds: int = 5) -> None:
    """Train seeds 0, 1, 2, ... and write the result."""
    summaries = []
    for seed in range(seeds):
        print(f"{name}: seed {seed}, {seed + 1} of {seeds}", file=sys.stderr)
        summaries.append(finish(Path("runs") / name / f"seed-{seed}", dataclasses.replace(config, seed=seed)))
    result = summarise(name, summaries)
    write_whole(RESULTS / f"{name}.json", json.dumps(result, indent=2) + "\n")
    print(f"{name}: test accuracy {result['mean']:.4f}, sd {result['sd']:.4f}, n = {result['n']}")


def finish(path: Path, config: TrainConfig) -> dict[str, Any]:
    """Return the summary of a run that is trained and judged; do what is missing for that."""
    run = train(config, out=path, resume=(path / "config.toml").is_file(), watch=make_watch(quiet=False))
    if "test" not in run.summary:
        evaluate(run)
    return {**run.summary, "environment": Run(path).environment}


def summarise(name: str, summaries: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the runs together: mean, standard deviation, and the t interval of the mean."""
    accuracies = [summary["test"]["accuracy"] for summary in summaries]
    mean, sd, n = statistics.mean(accuracies), statistics.stdev(accuracies), len(accuracies)
    half = float(stats.t.ppf(0.975, n - 1)) * sd / n**0.5
    environment = summaries[0]["environment"]
    shown = summaries[0]["command"].partition(" --threads")[0]  # threads change the last bits, not the recipe
    return {
        "name": name,
        "title": f"`{shown}`",
        "command": summaries[0]["command"],
        "n": n,
        "mean": mean,
        "sd": sd,
        "interval_95_of_mean": [mean - half, mean + half],
        "test_accuracies": accuracies,
        "validation_accuracies": [summary["validation"]["accuracy"] for summary in summaries],
        "parameters": summaries[0]["parameters"],
        "seconds": [summary["seconds"] for summary in summaries],
        "threads": environment["threads"],
        "machine": environment["machine"],
        "versions": environment["versions"],
    }


if __name__ == "__main__":
    tyro.cli(functools.partial(run_seeds, sys.argv.pop(1), config=preset(DEFAULT_PRESET)))
