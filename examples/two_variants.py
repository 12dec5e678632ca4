"""Does a second convolutional layer help? Two variants, three seeds each, compared on validation images."""

import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev

from digitnet import load_dataset, train

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100
data = load_dataset("mnist")
variants = {"one layer": [16], "two layers": [16, 32]}

with tempfile.TemporaryDirectory() as folder:
    for name, filters in variants.items():
        place = Path(folder, name)
        runs = [
            train("blog", steps=steps, filters=filters, seed=seed, dataset=data, out=place / str(seed))
            for seed in range(3)
        ]
        accuracies = [run.summary["validation"]["accuracy"] for run in runs]
        print(f"{name:>10}: {mean(accuracies):.4f} +- {stdev(accuracies):.4f} (sd, n = {len(runs)})")
