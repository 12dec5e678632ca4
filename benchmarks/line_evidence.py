"""Fit what the score of a mark says of its line: that it is a number, or other writing.

    .venv/bin/python -m benchmarks.line_evidence

Marks of made lines, of MNIST's validation images, are chosen as the reader chooses them: those of numbers that are
cut apart rightly, and those of other writing, both with the same weight. The logistic regression of the one on the
other is stored in benchmarks/results/line-evidence.json; `digitnet.reading.context` has its coefficients.
"""

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.linear_model import LogisticRegression

from benchmarks.photographs import open_reader, photograph
from digitnet.files import sha256, write_whole
from digitnet.photographs.kinds import KINDS
from digitnet.reading.network import SHIPPED
from digitnet.reading.segment import segment

RESULT = Path(__file__).parent / "results" / "line-evidence.json"
CLIP = 10.0
"""Scores beyond it say no more."""

_CHUNK = 5  # photographs of a task


def list_kinds() -> list[str]:
    """List the kinds of photographs that show lines of writing."""
    return [name for name, kind in KINDS.items() if kind.is_line]


def _score(task: tuple[str, int, Path]) -> list[float]:
    """Score the marks of some photographs of a kind; of a line that is not cut apart rightly, none."""
    kind, first, model = task
    scores: list[float] = []
    for number in range(first, first + _CHUNK):
        made = photograph(kind, "validation", number)
        for line in open_reader(model).find(made.picture).candidates:
            chosen = [candidate.digit for candidate in segment(line)]
            if not made.answer or made.answer == "".join(digit.label for digit in chosen):
                scores += [digit.score for digit in chosen]
    return scores


def score_marks(model: Path, count: int, jobs: int) -> Iterator[tuple[str, list[float]]]:
    """Yield each kind of lines with the scores of the marks on `count` photographs of it."""
    with ProcessPoolExecutor(jobs) as workers:
        starts = range(0, count, _CHUNK)
        done = {kind: workers.map(_score, [(kind, first, model) for first in starts]) for kind in list_kinds()}
        for kind, chunks in done.items():
            yield kind, [score for chunk in chunks for score in chunk]


def fit_evidence(numbers: list[float], others: list[float]) -> tuple[float, float]:
    """Fit the log odds of a number, slope times the score minus shift, where both are equally likely."""
    scores = np.clip(numbers + others, -CLIP, CLIP)[:, None]
    is_number = np.repeat([1, 0], [len(numbers), len(others)])
    fitted = LogisticRegression(class_weight="balanced").fit(scores, is_number)
    return float(fitted.coef_[0, 0]), -float(fitted.intercept_[0])


def main() -> None:
    """Score, fit, print and store."""
    parser = argparse.ArgumentParser(description="Fit what a mark's score says of its line.")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--count", type=int, default=60, help="photographs of each kind of lines")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    console = Console()
    numbers: list[float] = []
    others: list[float] = []
    for kind, scores in score_marks(asked.model, asked.count, asked.jobs):
        (numbers if KINDS[kind].is_written else others).extend(scores)
        console.print(f"{kind}: {len(scores)} marks, median score {np.median(scores):.1f}")
    slope, shift = fit_evidence(numbers, others)
    console.print(f"log odds of a number: {slope:.2f} score - {shift:.2f}")
    stored = {
        "model_sha256": sha256(asked.model.read_bytes()),
        "marks": {"numbers": len(numbers), "other writing": len(others)},
        "slope": round(slope, 3),
        "shift": round(shift, 3),
    }
    write_whole(RESULT, json.dumps(stored, indent=1) + "\n")


if __name__ == "__main__":
    main()
