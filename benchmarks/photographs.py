"""Read photographs of every kind that `digitnet.photographs` makes, and report what came of them, kind by kind.

    .venv/bin/python -m benchmarks.photographs                    200 of each kind, from MNIST's validation images
    .venv/bin/python -m benchmarks.photographs --test             the same from the test images, stored as a result
    .venv/bin/python -m benchmarks.photographs --only desk --save wrong/    with pictures of what went wrong

Every choice is made on the validation half; the test half is for the published table alone.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from digitnet import load_dataset
from digitnet.files import sha256, write_whole
from digitnet.photographs.kinds import KINDS
from digitnet.photographs.photograph import Photograph, make_photograph
from digitnet.photographs.scribe import Scribe
from digitnet.reading.network import SHIPPED
from digitnet.reading.reader import Reader

RESULT = Path(__file__).parent / "results" / "photographs.json"
OUTCOMES = ("right", "unsure", "nothing", "wrong")
"""Read as it was written; with a ?; not at all; and surely, but as something else."""

_HALF = {"validation": 1, "test": 2}  # part of the seed: no picture is of both halves
_CHUNK = 10  # pictures of a task


@cache
def make_scribe(half: str) -> Scribe:
    """Make the scribe that writes with the images of a half."""
    split = getattr(load_dataset("mnist"), half)
    return Scribe(split.images, split.labels)


def photograph(kind: str, half: str, number: int) -> Photograph:
    """Make the photograph of a number, from 0, of a kind and a half."""
    return make_photograph(kind, make_scribe(half), (_HALF[half], number))


@cache
def open_reader(model: Path | None) -> Reader:
    """Open a model file, once in a process, with one thread of OpenCV."""
    import cv2

    cv2.setNumThreads(1)
    return Reader(model)


def read(task: tuple[str, str, int, Path | None]) -> list[tuple[str, str, str]]:
    """Read the photographs of a task: the answer, the text, and the outcome of each."""
    kind, half, first, model = task
    found = []
    for number in range(first, first + _CHUNK):
        made = photograph(kind, half, number)
        reading = open_reader(model).read(made.picture, single=not KINDS[kind].is_line)
        found.append((made.answer, reading.text, judge(made.answer, reading.text)))
    return found


def judge(answer: str, text: str) -> str:
    """Name the outcome of a reading; of a picture without a digit, nothing and ? are right."""
    if not answer:
        return "right" if not set(text) & set("0123456789") else "wrong"
    if text == answer:
        return "right"
    if not text:
        return "nothing"
    return "unsure" if "?" in text else "wrong"


def measure(
    half: str, kinds: list[str], count: int, model: Path | None, jobs: int
) -> Iterator[tuple[str, Counter[str]]]:
    """Read `count` photographs of each kind, and yield how often each outcome came."""
    with ProcessPoolExecutor(jobs) as workers:
        tasks = {kind: [(kind, half, first, model) for first in range(0, count, _CHUNK)] for kind in kinds}
        done = {kind: workers.map(read, tasks[kind]) for kind in kinds}
        for kind, chunks in done.items():
            yield kind, Counter(outcome for chunk in chunks for _, _, outcome in chunk)


def main() -> None:
    """Measure, print, and store the test half."""
    parser = argparse.ArgumentParser(description="Read made photographs of every kind.")
    parser.add_argument("--test", action="store_true", help="the test half, stored; never to choose by")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--only", nargs="+", default=list(KINDS), choices=list(KINDS), metavar="KIND")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--save", type=Path, help="a folder for the pictures that were not read rightly")
    asked = parser.parse_args()
    half = "test" if asked.test else "validation"
    table = Table("kind", *OUTCOMES, box=None, title=f"% of {asked.count} photographs of each kind, {half} half")
    results = {}
    console = Console()
    for kind, outcomes in measure(half, asked.only, asked.count, asked.model, asked.jobs):
        results[kind] = {outcome: outcomes[outcome] for outcome in OUTCOMES}
        cells = [f"{100 * outcomes[outcome] / outcomes.total():.1f}" for outcome in OUTCOMES]
        console.print(kind, *cells)
        table.add_row(kind, *cells)
    console.print(table)
    if asked.save:
        save_failures(half, asked)
    if asked.test and asked.only == list(KINDS):
        model = asked.model or SHIPPED
        stored = {"model_sha256": sha256(model.read_bytes()), "each": asked.count, "kinds": results}
        write_whole(RESULT, json.dumps(stored, indent=1) + "\n")


def save_failures(half: str, asked: argparse.Namespace) -> None:
    """Save what was not read rightly, named after the kind, the number, the answer and the text."""
    asked.save.mkdir(parents=True, exist_ok=True)
    for kind in asked.only:
        for number in range(asked.count):
            made = photograph(kind, half, number)
            text = open_reader(asked.model).read(made.picture, single=not KINDS[kind].is_line).text
            if judge(made.answer, text) != "right":
                name = f"{kind} {number} {made.answer or 'none'} {text or 'nothing'}".replace("?", "q").replace(
                    "\n", "-"
                )
                Image.fromarray(np.asarray(made.picture)).save(asked.save / f"{name}.png")


if __name__ == "__main__":
    main()
