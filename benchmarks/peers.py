"""digitnet and its peers, in turn on one machine: time to an accuracy, final accuracy, speed, memory, size.

    .venv/bin/python -m benchmarks.peers                   # whatever is not measured yet, one seed of each
    .venv/bin/python -m benchmarks.peers --seeds 3 --only blog digitnet-blog
    .venv/bin/python -m benchmarks.peers --quick           # the short form, for CI: keeps nothing

Each peer is a program in benchmarks/programs that follows the peer's published recipe in its own framework, and
runs in an environment of its own. docs/benchmarks.md states the rules. Results are stored in
benchmarks/results/peers.json one by one, so that an interrupted command continues where it stopped.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from rich.console import Console
from rich.table import Table

from digitnet.data.cache import fetch
from digitnet.files import write_whole
from digitnet.presets import PRESETS

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "programs"
ENVIRONMENTS = FOLDER / ".venvs"
RESULT = Path(__file__).parent / "results" / "peers.json"

QUICK_STEPS = 300  # of the blog's program
FEWER_STEPS = tomllib.loads((ROOT / "plans" / "fast.toml").read_text())["grid"]["steps"][1:]
FLOORS = {"digitnet": 0.985, "blog": 0.90}  # test accuracy in the short form; the blog's after QUICK_STEPS

messages = Console(stderr=True, highlight=False)


@dataclass(frozen=True)
class Program:
    """One entrant: `script` is a module of benchmarks/programs, `environment` names its file of requirements."""

    name: str
    title: str
    script: str
    environment: str
    arguments: tuple[str, ...] = ()
    needs: str = ""  # a command that pip does not install
    recipe: Mapping[str, Any] = field(default_factory=dict)  # stored runs of another one are left out


def digitnet_program(preset: str, steps: int | None = None) -> Program:
    """Make the program that trains a preset of digitnet, with all its steps or with `steps`."""
    config = PRESETS[preset].replace(steps=steps) if steps else PRESETS[preset]
    return Program(
        f"digitnet-{preset}-{steps}" if steps else f"digitnet-{preset}",
        f"digitnet train {preset} --steps {steps}" if steps else f"digitnet train {preset}",
        "digitnet_preset",
        "digitnet",
        ("--preset", preset, "--steps", str(config.optimisation.steps)),
        recipe={key: config.value(key) for key in config.differences(PRESETS["blog"])},
    )


PROGRAMS = {
    program.name: program
    for program in [
        *map(digitnet_program, PRESETS),
        *(digitnet_program("fast", steps) for steps in FEWER_STEPS),
        Program(
            "blog",
            "the blog's program (TensorFlow 1 style)",
            "blog",
            "blog",
            recipe={"hidden": 256, "initial_weights": "truncated_normal"},
        ),
        Program("keras_convnet", "Keras, Simple MNIST convnet", "keras_convnet", "keras_convnet"),
        Program("pytorch_example", "PyTorch, MNIST example", "pytorch_example", "pytorch_example"),
        Program(
            "tinygrad_example", "tinygrad, beautiful_mnist", "tinygrad_example", "tinygrad_example", needs="clang"
        ),
        Program("train_mnist_fast", "train_mnist_fast, one epoch", "train_mnist_fast", "train_mnist_fast"),
    ]
}


# The output of a program.


def read_lines(lines: Iterable[str], seen: Callable[[dict[str, Any]], None] = lambda line: None) -> dict[str, Any]:
    """Collect a program's lines of JSON: its totals, and ``evaluations``, each of them [step, seconds, accuracy].

    Other lines are ignored. Raises ValueError when the last line, the total, is missing.
    """
    evaluations, total = [], None
    for text in lines:
        if not text.startswith('{"line"'):
            continue
        line = json.loads(text)
        seen(line)
        if line.pop("line") == "total":
            total = line
        else:
            evaluations.append([line["step"], line["seconds"], line["test_accuracy"]])
    if total is None:
        raise ValueError("the program ended before its last step")
    return {**total, "evaluations": evaluations}


def time_to(run: dict[str, Any], accuracy: float) -> float | None:
    """Return the training seconds until the first evaluation with at least this test accuracy, or None."""
    return next((seconds for _, seconds, found in run["evaluations"] if found >= accuracy), None)


# The table.

COLUMNS = [
    "program",
    "seeds",
    "to 99.0%, s",
    "to 99.22%, s",
    "test accuracy",
    "training, s",
    "whole process, s",
    "images/s",
    "peak memory, MB",
    "installed, MB",
]


def table_rows(result: dict[str, Any]) -> list[list[str]]:
    """Make a row of cells, as in COLUMNS, for each program with runs; numbers are means over its seeds."""
    rows = []
    for program in PROGRAMS.values():
        runs = [run for run in result["runs"] if run["program"] == program.name]
        if runs:
            size = result["installed"][program.environment]
            rows.append(
                [
                    program.title + former(program.name, runs),
                    str(len(runs)),
                    *(_reached([time_to(run, accuracy) for run in runs]) for accuracy in (0.99, 0.9922)),
                    _accuracy([run["test_accuracy"] for run in runs]),
                    _seconds(mean(run["seconds"] for run in runs)),
                    _seconds(mean(run["process_seconds"] for run in runs)),
                    f"{mean(run['images_per_second'] for run in runs):,.0f}",
                    f"{mean(run['peak_memory_bytes'] for run in runs) / 1e6:,.0f}",
                    f"{size['megabytes']:,} ({size['packages']} packages)",
                ]
            )
    return rows


def former(name: str, runs: Iterable[Mapping[str, Any]]) -> str:
    """Return a remark if some of the runs are of another recipe than the program has now, else nothing."""
    return "" if all(run.get("recipe", {}) == PROGRAMS[name].recipe for run in runs) else ", in an earlier form"


def _reached(times: Sequence[float | None]) -> str:
    reached = [seconds for seconds in times if seconds is not None]
    if not reached:
        return "never"
    return _seconds(mean(reached)) + (f" ({len(reached)} of {len(times)})" if len(reached) < len(times) else "")


def _accuracy(values: list[float]) -> str:
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 100 else f"{seconds:,.0f}"


# Environments.


def prepare(name: str) -> Path:
    """Make the environment `name`, unless it exists with the same requirements; return its Python."""
    folder, requirements = ENVIRONMENTS / name, FOLDER / "requirements" / f"{name}.txt"
    wanted = requirements.read_text() + "".join(
        (ROOT / file).read_text() for file in ("pyproject.toml", "constraints.txt") if name == "digitnet"
    )
    python, stamp = folder / "bin" / "python", folder / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted:
        messages.print(f"Setting up the environment of {name} (once)")
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--quiet", "--requirement", str(requirements)]
        subprocess.run(install, check=True, cwd=ROOT)
        stamp.write_text(wanted)
    return python


def installed(name: str) -> dict[str, int]:
    """Count what pip installed into the environment `name` besides itself: megabytes (10^6 bytes) and packages."""
    (packages,) = (ENVIRONMENTS / name).glob("lib/python*/site-packages")
    found = [d for d in distributions(path=[str(packages)]) if d.name not in ("pip", "setuptools")]
    files = {Path(str(d.locate_file(file))) for d in found for file in d.files or ()}
    return {
        "megabytes": round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6),
        "packages": len(found),
    }


# Running.


class RunError(Exception):
    """A program did not complete; the message says why."""


def run_program(
    program: Program, python: Path, data: Path, seed: int, threads: int, steps: int | None = None
) -> dict[str, Any]:
    """Run one program to its end, in a process of its own; return its numbers, and the load on the machine."""
    command = [str(python), "-m", f"benchmarks.programs.{program.script}", *program.arguments]
    command += ["--data", str(data), "--seed", str(seed), "--threads", str(threads)]
    command += ["--steps", str(steps)] if steps else []
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "2"}
    load, began = os.getloadavg()[0], time.perf_counter()
    with (
        tempfile.TemporaryFile("w+") as errors,
        messages.status(f"{program.name}, seed {seed}: starting") as status,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=ROOT
        ) as process,
    ):

        def show(line: dict[str, Any]) -> None:
            step = line.get("step", line.get("steps"))
            words = f"step {step:,}, {line['seconds']:.0f} s, test accuracy {line['test_accuracy']:.4f}"
            status.update(f"{program.name}, seed {seed}: {words}")

        try:
            assert process.stdout
            numbers = read_lines(process.stdout, show)
        except ValueError as error:
            process.kill()
            errors.seek(0)
            output = "".join(errors.readlines()[-15:])
            raise RunError(f"{program.name}, seed {seed}: {error}. Its output:\n{output}") from error
        except BaseException:  # Ctrl-C, SIGTERM: the program must not continue alone
            process.kill()
            raise
    seconds = time.perf_counter() - began - numbers["evaluation_seconds"]
    return {
        "program": program.name,
        "seed": seed,
        "recipe": program.recipe,
        **numbers,
        "process_seconds": round(seconds, 3),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],  # before and after; 1.0 is one busy core
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def missing(runs: list[dict[str, Any]], names: Iterable[str], seeds: int) -> list[tuple[int, str]]:
    """List, seed by seed, the programs without a run."""
    done = {(run["seed"], run["program"]) for run in runs}
    return [(seed, name) for seed in range(seeds) for name in names if (seed, name) not in done]


def stored(path: Path, conditions: dict[str, Any]) -> dict[str, Any]:
    """Read the stored runs, or none if they were made under other conditions (git has the old ones).

    Runs of a recipe that has changed since, or that was removed, are left out.
    """
    result: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    if {key: result.get(key) for key in conditions} != conditions:
        if result:
            messages.print(f"{path.name} is of another machine or number of threads: starting again.")
        return {**conditions, "installed": {}, "runs": []}
    now = {name: program.recipe for name, program in PROGRAMS.items()}
    runs = [run for run in result["runs"] if run.get("recipe", {}) == now.get(run["program"])]
    if left_out := len(result["runs"]) - len(runs):
        messages.print(f"{left_out} of the stored runs are of recipes that have changed, and are left out.")
    return {**result, "runs": runs}


def measure(asked: argparse.Namespace) -> int:
    """Run what is missing, in turn; store each result; print the table. Return the exit status."""
    result = stored(asked.out, {"machine": machine(), "threads": asked.threads})
    if asked.again:
        result["runs"] = [
            run for run in result["runs"] if run["program"] not in asked.only or run["seed"] >= asked.seeds
        ]
    names = []
    for name in asked.only:
        if PROGRAMS[name].needs and not shutil.which(PROGRAMS[name].needs):
            messages.print(f"{name} is left out: it needs {PROGRAMS[name].needs}, which is not installed.")
        else:
            names.append(name)
    to_do, failures = missing(result["runs"], names, asked.seeds), 0
    messages.print(
        f"{len(names) * asked.seeds - len(to_do)} of {len(names) * asked.seeds} runs are stored already."
    )
    data = fetch("mnist")
    for seed, name in to_do:
        program = PROGRAMS[name]
        python = prepare(program.environment)
        try:
            run = run_program(program, python, data, seed, asked.threads)
        except RunError as error:
            messages.print(str(error), markup=False)
            failures += 1
            continue
        result["runs"].append(run)
        result["installed"][program.environment] = installed(program.environment)
        write_whole(asked.out, json.dumps(result, indent=1) + "\n")
        messages.print(f"{name}, seed {seed}: test accuracy {run['test_accuracy']:.4f} in {run['seconds']:.1f} s")
    table = Table(*COLUMNS, title=f"{result['machine']['processor']}, {asked.threads} threads", box=None)
    for row in table_rows(result):
        table.add_row(*row)
    Console().print(table)
    return 1 if failures else 0


def machine() -> dict[str, Any]:
    """Describe the processor, its cores and the system."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


# The short form.


def quick(threads: int) -> int:
    """Run digitnet's default preset in full and the blog's program for a few steps; print the ratio.

    Return 1 if the test accuracy of one of them is too low; times are not checked.
    """
    data, ours, theirs = fetch("mnist"), PROGRAMS["digitnet-fast"], PROGRAMS["blog"]
    digitnet = run_program(ours, Path(sys.executable), data, 0, threads)
    blog = run_program(theirs, prepare(theirs.environment), data, 0, threads, QUICK_STEPS)
    step, projected = seconds_a_step(digitnet), project(blog, 10_000)
    print(
        f"{ours.title}: test accuracy {digitnet['test_accuracy']:.4f} after {digitnet['steps']:,} steps and "
        f"{digitnet['seconds']:.1f} s, {step * 1000:.1f} ms a step\n"
        f"{theirs.title}: test accuracy {blog['test_accuracy']:.4f} after {blog['steps']:,} of 10,000 steps and "
        f"{blog['seconds']:.1f} s, {seconds_a_step(blog) * 1000:.1f} ms a step\n"
        f"A step of the blog's program takes {seconds_a_step(blog) / step:.2f} times as long.\n"
        f"Projection, not measured: its 10,000 steps would take {projected:.0f} s, "
        f"{projected / digitnet['seconds']:.1f} times digitnet's whole training."
    )
    low = [run for run, name in ((digitnet, "digitnet"), (blog, "blog")) if run["test_accuracy"] < FLOORS[name]]
    for run in low:
        messages.print(f"{run['program']}: test accuracy {run['test_accuracy']:.4f} is too low. Floors: {FLOORS}")
    return 1 if low else 0


def seconds_a_step(run: dict[str, Any]) -> float:
    """Return the seconds of a step after the first evaluation: without building and compiling."""
    (first, before, _), *_, (last, after, _) = run["evaluations"]
    return (after - before) / (last - first)


def project(run: dict[str, Any], steps: int) -> float:
    """Return the seconds of `steps` steps, if the rest are as fast as those that were run."""
    return run["seconds"] + (steps - run["steps"]) * seconds_a_step(run)


def main() -> int:
    """Read the flags and run."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1, help="run each program with seeds 0, 1, ... (1)")
    parser.add_argument("--threads", type=int, default=2, help="threads of every program (2)")
    parser.add_argument("--again", action="store_true", help="repeat runs that are stored already")
    parser.add_argument("--quick", action="store_true", help="the short form: prints a ratio, stores nothing")
    parser.add_argument("--out", type=Path, default=RESULT, help="file of results")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the running program ends too
    return quick(asked.threads) if asked.quick else measure(asked)


if __name__ == "__main__":
    sys.exit(main())
