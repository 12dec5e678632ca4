"""What running many trials costs beyond the trials: one worker and two, in turn, on the same plan.

    .venv/bin/python benchmarks/trials.py

Keeps the figures in benchmarks/results/trials.json.
"""

import json
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from digitnet import TrainConfig, load_dataset
from digitnet.engines.make import make_engine
from digitnet.files import write_whole
from digitnet.training.environment import describe_environment
from digitnet.trials.plan import Plan
from digitnet.trials.run import run_trials

PLAN = """
seeds = 8
[base]
steps = 350
threads = 1
[grid]
learning_rate = [0.0005]
"""
RESULT = Path(__file__).parent / "results" / "trials.json"


def measure(plan: Plan, workers: int) -> dict[str, float]:
    """Run the plan once; return the wall seconds, those spent training, and those a worker spent beside it."""
    with tempfile.TemporaryDirectory() as folder, make_engine("processes", workers=workers) as engine:
        began = time.perf_counter()
        trials = run_trials(plan, Path(folder) / "trials", engine)
        wall = time.perf_counter() - began
        done = trials.journal.done.values()
    training = sum(entry.summary["seconds"] for entry in done if entry.summary)
    return {"wall": wall, "training": training, "beside": wall * workers - training}


def main() -> None:
    """Measure, print a table, and keep the figures."""
    plan = Plan.from_toml(PLAN)
    load_dataset("mnist")  # fetch it before the clock runs
    measured = {workers: measure(plan, workers) for workers in (1, 2)}
    environment = describe_environment(TrainConfig(), load_dataset("mnist"), torch.device("cpu"))
    result = {
        "trials": plan.trial_count,
        "seconds": {str(workers): {k: round(v, 2) for k, v in m.items()} for workers, m in measured.items()},
        "throughput_2_over_1": round(measured[1]["wall"] / measured[2]["wall"], 3),
        **{key: environment[key] for key in ("machine", "versions")},
    }
    write_whole(RESULT, json.dumps(result, indent=2) + "\n")
    table = Table("workers", "wall, s", "training, s", "beside it, a trial", box=None)
    for workers, seconds in measured.items():
        beside = seconds["beside"] / plan.trial_count
        table.add_row(str(workers), f"{seconds['wall']:.1f}", f"{seconds['training']:.1f}", f"{beside:.2f} s")
    Console().print(table, f"two workers do {result['throughput_2_over_1']} times as many trials as one")


if __name__ == "__main__":
    main()
