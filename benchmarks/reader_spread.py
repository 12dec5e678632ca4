"""Measure readers of several seeds, of which the shipped one is one, and how far they differ.

    .venv/bin/python -m benchmarks.reader_spread seed-0.onnx seed-1.onnx seed-2.onnx

Each file is what `digitnet export` wrote of a run of `digitnet train reader`. The result, with the mean and the
standard deviation of each number, is stored in benchmarks/results/reader-spread.json. The shipped one was chosen
by its validation photographs, not by these numbers.
"""

import argparse
import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import reader as one
from digitnet.data.omniglot import HELD_OUT
from digitnet.files import sha256, write_whole
from digitnet.reading.reader import Reader

RESULT = Path(__file__).parent / "results" / "reader-spread.json"


def measure(path: Path) -> dict[str, float]:
    """Measure the reader of a model file; everything but the threshold is a fraction of pictures, 0 to 1."""
    reader = Reader(path)
    test, others = one.mnist(reader), one.refusal(reader)
    measured = {"threshold": reader.min_probability, "MNIST test images right": test["accuracy"]}
    for tier, sources in (one.ink(reader) or {}).items():
        outcomes = sum((Counter(count) for count in sources.values()), Counter[str]())
        measured[f"real pictures right: {tier}"] = outcomes["right"] / outcomes.total()
        measured[f"real pictures read wrongly: {tier}"] = outcomes["wrong"] / outcomes.total()
    strange = sum((Counter(others[alphabet]) for alphabet in HELD_OUT), Counter[str]())
    for name, count in {"alphabets not trained on": strange, **others}.items():
        if name in ("alphabets not trained on", "clothes", "letters A to J in fonts"):
            accepted = sum(number for text, number in count.items() if text.isdigit())
            measured[f"accepted as a digit: {name}"] = accepted / sum(count.values())
    return measured


def summarise(runs: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the mean and the standard deviation of each number over the runs."""
    columns = {name: [run[name] for run in runs] for name in runs[0]}
    return {
        name: {"mean": statistics.mean(values), "deviation": statistics.stdev(values) if len(values) > 1 else 0.0}
        for name, values in columns.items()
    }


def main() -> None:
    """Measure each file, print and store."""
    parser = argparse.ArgumentParser(description="Measure readers of several seeds.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files = parser.parse_args().files
    console = Console()
    runs: list[dict[str, float]] = []
    stored: list[dict[str, Any]] = []
    for path in files:
        runs.append(measure(path))
        stored.append({"model_sha256": sha256(path.read_bytes()), **runs[-1]})
        console.print(f"{path.name}: {runs[-1]}")
    summary = summarise(runs)
    table = Table("", "mean", "deviation", box=None, title=f"{len(runs)} seeds")
    for name, values in summary.items():
        table.add_row(name, f"{values['mean']:.4f}", f"{values['deviation']:.4f}")
    console.print(table)
    write_whole(RESULT, json.dumps({"runs": stored, "summary": summary}, indent=1) + "\n")


if __name__ == "__main__":
    main()
