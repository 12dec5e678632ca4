"""Is digitnet's preset `blog` as accurate as the blog's program in TensorFlow? The accuracy of both, over seeds.

    .venv/bin/python -m benchmarks.parity             # seeds 0, 1 and 2 of the program, unless stored already
    .venv/bin/python -m benchmarks.parity --seeds 5

Each run of benchmarks/programs/blog.py is stored in benchmarks/results/blog-tensorflow.json as soon as it ends, so
an interrupted command continues with the seeds that are missing. digitnet's own seeds are those of
benchmarks/results/blog.json; plans/blog.toml says how they are made. Nothing is timed, so the machine may be busy.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from benchmarks.peers import PROGRAMS, RunError, machine, messages, missing, prepare, run_program
from digitnet.comparing.statistics import summarise
from digitnet.data.cache import fetch
from digitnet.files import write_whole
from digitnet.metrics import Interval

RESULTS = Path(__file__).parent / "results"
THEIRS, OURS = RESULTS / "blog-tensorflow.json", RESULTS / "blog.json"
PROGRAM = PROGRAMS["blog"]


def stored_runs(path: Path) -> list[dict[str, Any]]:
    """Read the stored runs of the program; none if its recipe has changed since."""
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return result["runs"] if result.get("recipe") == PROGRAM.recipe else []


def run_missing(path: Path, seeds: int, threads: int) -> None:
    """Run the program for the seeds below `seeds` that are not stored, and store each run as it ends."""
    runs = stored_runs(path)
    for seed, _ in missing(runs, [PROGRAM.name], seeds):
        run = run_program(PROGRAM, prepare(PROGRAM.environment), fetch("mnist"), seed, threads)
        kept = {name: run[name] for name in ("program", "seed", "steps", "test_accuracy", "versions", "ended")}
        runs.append({**kept, "threads": threads, "processor": machine()["processor"]})
        write_whole(path, json.dumps({"recipe": PROGRAM.recipe, "runs": runs}, indent=1) + "\n")
        messages.print(f"Seed {seed}: test accuracy {run['test_accuracy']:.4f}")


def our_accuracies(path: Path) -> list[float]:
    """Read the test accuracies of the variant "blog"; none if its seeds are not stored yet."""
    variants = [variant["results"] for variant in json.loads(path.read_text())["variants"]]
    return next((variant["test"] for variant in variants if variant["name"] == "blog"), [])


def difference_interval(first: Sequence[float], second: Sequence[float]) -> Interval:
    """Compute the 95% interval of the difference of two means, first minus second, by Welch's t.

    The seeds of two frameworks draw different weights, so the values are not pairs, and may differ in spread. Both
    need two values or more.
    """
    both = CompareMeans(DescrStatsW(first), DescrStatsW(second))
    low, high = both.tconfint_diff(usevar="unequal")
    return Interval(float(low), float(high))


def describe(theirs: Sequence[float], ours: Sequence[float]) -> str:
    """Compare both programs in one sentence, in percent."""
    if not ours:
        return f"TensorFlow's program: {_spread(theirs)}; digitnet's seeds are not stored yet."
    difference = 100 * (summarise(theirs).mean - summarise(ours).mean)
    sentence = f"TensorFlow's program: {_spread(theirs)}; digitnet's: {_spread(ours)}; difference {difference:.2f}"
    if min(len(theirs), len(ours)) < 2:
        return f"{sentence}; one seed has no spread, so nothing can be concluded."
    interval = difference_interval(theirs, ours)
    return f"{sentence}, 95% interval {100 * interval.low:.2f} to {100 * interval.high:.2f}."


def _spread(accuracies: Sequence[float]) -> str:
    summary = summarise(accuracies)
    spread = "" if summary.sd is None else f" ± {100 * summary.sd:.2f}"
    return f"{100 * summary.mean:.2f}{spread} ({summary.n} seed{'s' if summary.n > 1 else ''})"


def compare_stored(theirs: Path = THEIRS, ours: Path = OURS) -> str:
    """Compare the stored accuracies of both programs."""
    return describe([run["test_accuracy"] for run in stored_runs(theirs)], our_accuracies(ours))


def main() -> int:
    """Run what is missing, and compare; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="run the program with seeds 0, 1, ... (3)")
    parser.add_argument("--threads", type=int, default=1, help="threads of the program (1)")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the running program ends too
    try:
        run_missing(THEIRS, asked.seeds, asked.threads)
    except RunError as error:
        messages.print(str(error), markup=False)
        return 1
    print(compare_stored())
    return 0


if __name__ == "__main__":
    sys.exit(main())
