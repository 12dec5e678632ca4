"""The whole experiment in a few lines: train, evaluate, and write a report to open in a browser."""

import sys
import tempfile
from pathlib import Path

from digitnet import evaluate, make_report, train

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 430
folder = Path(tempfile.mkdtemp(prefix="digitnet-"))  # without out=, a run is kept under runs

run = train("fast", steps=steps, seed=1, out=folder / "run")
result = evaluate(run)
print(f"{result.accuracy:.4f} of the test images are read correctly (95% interval {result.interval})")
print(f"Open {make_report(run)}")
