"""Does a second convolutional layer help? Two variants, three seeds each, compared on validation images."""

import sys
from statistics import mean, stdev

from digitnet import PRESETS, load_dataset, train

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 300

data = load_dataset("mnist")
start = PRESETS["blog"].replace(steps=steps)
variants = {"one layer": start.replace(filters=(16,)), "two layers": start.replace(filters=(16, 32))}

for name, config in variants.items():
    runs = [train(config.replace(seed=seed), dataset=data) for seed in range(3)]
    accuracies = [run.summary["validation"]["accuracy"] for run in runs]
    print(f"{name:>10}: {mean(accuracies):.4f} +- {stdev(accuracies):.4f} (sd, n = {len(runs)})")
