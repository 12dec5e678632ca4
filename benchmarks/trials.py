"""What trials cost besides their training, measured in turn with a plan of ten-second trials.

    .venv/bin/python -m benchmarks.trials              # 8 trials with one worker, with two, with two threads
    .venv/bin/python -m benchmarks.trials --trials 100 # only two workers: the idle fraction of their time

The numbers are stored in benchmarks/results/trials.json; the second form adds to those of the first.
"""

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import resource
import time
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from digitnet import PRESETS, evaluate, load_dataset, train
from digitnet.data.cache import cache_folder
from digitnet.engines.engine import Engine
from digitnet.engines.make import make_engine
from digitnet.files import write_whole
from digitnet.progress import Progress
from digitnet.training.environment import describe_environment
from digitnet.training.memory import keep_freed_memory
from digitnet.training.session import prepare
from digitnet.training.train import fit, torch_settings
from digitnet.trials.plan import Plan
from digitnet.trials.run import run_trials

STEPS = 350  # ten seconds on one core
RESULT = Path(__file__).parent / "results" / "trials.json"
MEGABYTE = 2**20


class WorkerMemory(Progress):
    """Measures the memory of the workers each time a trial ends, while other trials run."""

    def __init__(self) -> None:
        self.private: list[float] = []  # megabytes of a worker that are not shared
        self.data: list[float] = []  # megabytes of them that are pages of the data set's files

    def show(self, table: object, line: str = "") -> None:
        """Add up the pages of each worker that is at work, once for each trial that ends."""
        for worker in psutil.Process().children() if line else []:
            with contextlib.suppress(psutil.Error):
                if worker.cpu_times().user > 4:  # seconds: past its start
                    pages = [page for page in worker.memory_maps() if str(cache_folder()) in page.path]
                    self.private.append(worker.memory_full_info().uss / MEGABYTE)
                    self.data.append(sum(page.private_clean + page.private_dirty for page in pages) / MEGABYTE)


def plan_of(trials: int, threads: int) -> Plan:
    """Make a plan of the blog's recipe with this number of seeds, stopped after ten seconds."""
    return Plan.from_toml(
        f'preset = "blog"\nseeds = {trials}\n[base]\nsteps = {STEPS}\nthreads = {threads}\n'
        "[grid]\nlearning_rate = [0.0005]"
    )


def measure(trials: int, workers: int, threads: int) -> dict[str, Any]:
    """Run the plan once; return wall, training and processor seconds, and the workers' memory in megabytes."""
    memory, before = WorkerMemory(), _children_seconds()
    began = time.perf_counter()
    with TemporaryDirectory() as folder, _engine(workers, threads) as engine:
        done = run_trials(
            plan_of(trials, threads), Path(folder) / "trials", engine=engine, progress=memory
        ).journal.done
    wall = time.perf_counter() - began
    training = sum(entry.summary["seconds"] for entry in done.values() if entry.summary)
    return {
        "trials": len(done),
        "workers": workers,
        "threads": threads,
        "wall": round(wall, 2),
        "training": round(training, 2),
        "processor": round(_children_seconds() - before, 2),
        "private_megabytes": round(mean(memory.private)),
        "data_megabytes": round(mean(memory.data), 1),
        "load": round(os.getloadavg()[0], 2),  # 1.0 is one busy core
    }


def _engine(workers: int, threads: int) -> Engine:
    return make_engine("processes", workers=workers, threads=threads)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_alone() -> dict[str, float]:
    """Time the parts of a trial in this process, without an engine: the mean of four, after one to warm up."""
    data, parts = load_dataset("mnist"), []
    keep_freed_memory()
    for seed in range(5):
        with TemporaryDirectory() as folder:
            times = [time.perf_counter()]
            run = train(
                PRESETS["blog"].replace(steps=STEPS, threads=1, seed=seed), dataset=data, out=Path(folder) / "run"
            )
            times.append(time.perf_counter())
            with torch_settings(1):
                evaluate(run, data)
            times.append(time.perf_counter())
            training = run.summary["seconds"]
            parts.append((training, times[2] - times[1], times[1] - times[0] - training))
    names = ("training", "evaluating", "everything_else")
    return {name: round(mean(part[k] for part in parts[1:]), 3) for k, name in enumerate(names)}


def measure_decoding() -> float:
    """Time opening and decoding a PNG of one digit: microseconds on one core."""
    buffer = io.BytesIO()
    Image.fromarray(load_dataset("mnist").test.images[0]).save(buffer, "PNG")
    began = time.perf_counter()
    for _ in range(5_000):
        np.asarray(Image.open(io.BytesIO(buffer.getvalue())))
    return round((time.perf_counter() - began) / 5_000 * 1e6, 1)


def measure_ceiling() -> float:
    """Measure the speed-up of two bare training loops at once over one: the machine's limit."""
    seconds = {}
    for processes in (1, 2):
        with multiprocessing.get_context("spawn").Pool(processes) as pool:
            pool.map(_train_bare, [20] * processes)  # imports torch
            began = time.perf_counter()
            pool.map(_train_bare, [STEPS] * processes, chunksize=1)
            seconds[processes] = time.perf_counter() - began
    return round(2 * seconds[1] / seconds[2], 3)


def _train_bare(steps: int) -> None:
    config = PRESETS["blog"].replace(steps=steps, threads=1)
    data = load_dataset("mnist")
    keep_freed_memory()
    with torch_settings(1):
        fit(prepare(config, data))


def main() -> None:
    """Measure, store the numbers, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, help="run this number of trials with two workers, and nothing else")
    asked = parser.parse_args()
    environment = describe_environment(PRESETS["blog"], load_dataset("mnist"), torch.device("cpu"))
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    if asked.trials:
        result["many"] = measure(asked.trials, workers=2, threads=1)
        measured = [result["many"]]
    else:
        measured = [measure(8, *way) for _ in range(2) for way in ((1, 1), (2, 1), (1, 2))]
        result["rounds"] = measured
        result["ceiling_2_over_1"] = [measure_ceiling() for _ in range(3)]
        result["alone"] = measure_alone()
        result["png_microseconds"] = measure_decoding()
    result |= {key: environment[key] for key in ("machine", "versions")}
    write_whole(RESULT, json.dumps(result, indent=2) + "\n")
    table = Table(
        "workers x threads", "trials", "wall, s", "training, s", "processor, s", "trials a minute", box=None
    )
    for m in measured:
        rate = f"{m['trials'] / m['wall'] * 60:.2f}"
        seconds = [f"{m[key]:.1f}" for key in ("wall", "training", "processor")]
        table.add_row(f"{m['workers']} x {m['threads']}", str(m["trials"]), *seconds, rate)
    Console().print(table)


if __name__ == "__main__":
    main()
