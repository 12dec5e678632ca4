"""Time of a training step, and what digitnet's choices save, measured in turn, many times.

    .venv/bin/python -m benchmarks.step_time

Each row compares digitnet's step with another. Look at the ratio: the milliseconds depend on the machine. A
product of two large matrices is measured too, as torch's fastest arithmetic: the fraction of its rate that a step
reaches shows how much is left to gain. The result is stored in benchmarks/results/step-time.json.
"""

import dataclasses
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from digitnet import PRESETS, Dataset, Split, load_dataset
from digitnet.files import write_whole
from digitnet.progress import Progress
from digitnet.run_folder import create
from digitnet.training.batches import Batches
from digitnet.training.environment import describe_environment
from digitnet.training.memory import keep_freed_memory
from digitnet.training.record import Recorder, RunRecorder
from digitnet.training.save import RunSaver, Saver, Stop
from digitnet.training.session import prepare
from digitnet.training.train import fit, torch_settings

ROUNDS, STEPS = 7, 60
CONFIG = PRESETS["blog"].replace(steps=STEPS)
MATRIX = torch.rand(1_024, 1_024)
RESULT = Path(__file__).parent / "results" / "step-time.json"


def digitnet_step(data: Dataset) -> None:
    """Run the loop without recording or saving."""
    _fit(data, Recorder(), Saver())


def kept_step(data: Dataset) -> None:
    """Run the loop with its measurements and checkpoints, as `digitnet train` does, but no validation."""
    config = CONFIG.replace(validate_every=0, save_every=STEPS // 3, log_every=STEPS // 3)
    with tempfile.TemporaryDirectory() as folder:
        run = create(Path(folder) / "run", config, describe_environment(config, data, torch.device("cpu")))
        few = dataclasses.replace(data, validation=Split(data.test.images[:1], data.test.labels[:1]))
        recorder = RunRecorder(run, few, Progress())
        _fit(data, recorder, RunSaver(run, recorder, Stop()))


def stock_step(data: Dataset) -> None:
    """Train as torch's documentation shows: default layout, ReLU before the pool, Adam not fused."""
    network = nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1568, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(network.parameters(), lr=CONFIG.optimisation.learning_rate)
    batches = Batches(data.train, CONFIG.optimisation.batch_size, CONFIG.seed)
    for step in range(STEPS):
        images, labels = batches.at(step)
        loss = F.cross_entropy(network(images / 255), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch has not annotated it
        optimizer.step()


def matrix_product(data: Dataset) -> None:
    """Multiply two square matrices once for each step of the loop."""
    for _ in range(STEPS):
        torch.mm(MATRIX, MATRIX)


def operations(program: Callable[[Dataset], None], data: Dataset) -> int:
    """Count multiplications and additions of a step: convolutions and matrix products, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        program(data)
    return int(counter.get_total_flops()) // STEPS


def _fit(data: Dataset, recorder: Recorder, saver: Saver) -> None:
    fit(prepare(CONFIG, data, recorder=recorder, saver=saver))


def measure(programs: dict[str, Callable[[Dataset], None]], data: Dataset) -> dict[str, float]:
    """Run the programs in turn, `ROUNDS` times; return the median milliseconds a step of each."""
    spent: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, program in programs.items():
            began = time.perf_counter()
            program(data)
            spent[name].append((time.perf_counter() - began) / STEPS * 1000)
    return {name: statistics.median(times) for name, times in spent.items()}


def main() -> None:
    """Measure, print a table, and store the numbers."""
    data = load_dataset("mnist")
    keep_freed_memory()
    with torch_settings(torch.get_num_threads()):
        programs: dict[str, Callable[[Dataset], None]] = {
            "digitnet": digitnet_step,
            "kept": kept_step,
            "stock": stock_step,
            "matrix product": matrix_product,
        }
        counted = {name: operations(programs[name], data) for name in ("digitnet", "matrix product")}
        measured = measure(programs, data)
    rates = {name: count / measured[name] / 1e6 for name, count in counted.items()}  # 10^9 a second
    environment = describe_environment(CONFIG, data, torch.device("cpu"))
    result = {
        "milliseconds_a_step": {name: round(value, 2) for name, value in measured.items()},
        "stock_over_digitnet": round(measured["stock"] / measured["digitnet"], 3),
        "kept_over_digitnet": round(measured["kept"] / measured["digitnet"], 3),
        "gigaflops": {name: round(rate, 1) for name, rate in rates.items()},
        "share_of_matrix_product": round(rates["digitnet"] / rates["matrix product"], 3),
        "images_per_second": round(CONFIG.optimisation.batch_size / measured["digitnet"] * 1000),
        **{key: environment[key] for key in ("threads", "machine", "versions")},
    }
    write_whole(RESULT, json.dumps(result, indent=2) + "\n")
    table = Table("program", "ms a step", "ratio", title="A step of the blog's network, batch 128", box=None)
    for name, value in measured.items():
        table.add_row(name, f"{value:.1f}", f"{value / measured['digitnet']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
