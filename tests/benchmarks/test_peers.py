"""The race of digitnet and its peers: what is read from the programs' lines, the table, going on after a stop."""

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.programs import race

TOTAL = {
    "steps": 40,
    "images": 5120,
    "test_accuracy": 0.991,
    "seconds": 8.0,
    "images_per_second": 640.0,
    "peak_memory_bytes": 700_000_000,
    "evaluation_seconds": 3.0,
    "versions": {},
}


def lines(*accuracies: float) -> list[str]:
    """Print what a program prints: an evaluation every ten steps, which take two seconds, and the total."""
    told: list[dict[str, Any]] = [
        {"line": "evaluation", "step": 10 * n, "seconds": 2.0 * n, "test_accuracy": accuracy}
        for n, accuracy in enumerate(accuracies, 1)
    ]
    return [json.dumps(line) for line in [*told, {"line": "total", **TOTAL}]]


def run(program: str, seed: int, *accuracies: float) -> dict[str, Any]:
    numbers = peers.read_lines(lines(*accuracies))
    return {"program": program, "seed": seed, **numbers, "process_seconds": 12.5, "load": [0.0, 1.0]}


def test_the_time_to_an_accuracy_is_that_of_the_first_evaluation_at_or_above_it() -> None:
    numbers = peers.read_lines(lines(0.98, 0.99, 0.9921, 0.991))
    assert peers.time_to(numbers, 0.99) == 4.0
    assert peers.time_to(numbers, 0.9921) == 6.0
    assert peers.time_to(numbers, 0.9922) is None
    assert numbers["test_accuracy"] == 0.991  # of the last step, not the best


def test_lines_that_are_not_the_races_are_passed_over() -> None:
    chatter = ["Epoch 1/15\n", "{'loss': 0.1}\n", "\n"]
    assert peers.read_lines([*chatter, *lines(0.99), *chatter]) == peers.read_lines(lines(0.99))


def test_a_program_without_a_total_has_failed() -> None:
    with pytest.raises(ValueError, match="before its last step"):
        peers.read_lines(lines(0.98, 0.99)[:-1])


def test_a_row_of_the_table_is_a_mean_over_seeds() -> None:
    result = {
        "installed": {"blog": {"megabytes": 1500, "packages": 30}},
        "runs": [run("blog", 0, 0.97, 0.99), run("blog", 1, 0.99, 0.99), run("blog", 2, 0.98, 0.98)],
    }
    (row,) = peers.table_rows(result)
    cells = dict(zip(peers.COLUMNS, row, strict=True))
    assert cells["seeds"] == "3"
    assert cells["to 99.0%, s"] == "3.0 (2 of 3)"
    assert cells["to 99.22%, s"] == "never"
    assert cells["test accuracy"] == "0.9910 ± 0.0000"
    assert cells["training, s"] == "8.0"
    assert cells["peak memory, MB"] == "700"
    assert cells["installed, MB"] == "1,500 (30 packages)"


def test_what_is_stored_is_not_run_again_and_seeds_come_in_turn() -> None:
    runs = [run("blog", 0, 0.99), run("keras_convnet", 1, 0.99)]
    assert peers.missing(runs, ["blog", "keras_convnet"], seeds=2) == [(0, "keras_convnet"), (1, "blog")]
    assert peers.missing([], ["b", "a"], seeds=2) == [(0, "b"), (0, "a"), (1, "b"), (1, "a")]


def test_runs_of_another_machine_are_not_gone_on_with(tmp_path: Path) -> None:
    file, conditions = tmp_path / "peers.json", {"machine": {"cores": 2}, "threads": 2}
    assert peers.stored(file, conditions)["runs"] == []
    file.write_text(json.dumps({**conditions, "installed": {}, "runs": [run("keras_convnet", 0, 0.99)]}))
    assert len(peers.stored(file, conditions)["runs"]) == 1
    assert peers.stored(file, {**conditions, "threads": 4})["runs"] == []
    assert peers.stored(file, {**conditions, "machine": {"cores": 8}})["runs"] == []


def test_runs_of_a_recipe_that_has_changed_are_left_out(tmp_path: Path) -> None:
    file, conditions = tmp_path / "peers.json", {"machine": {"cores": 2}, "threads": 2}
    program = peers.PROGRAMS["digitnet-fast"]
    current = {**run(program.name, 0, 0.99), "recipe": program.recipe}
    changed = {**run(program.name, 1, 0.99), "recipe": {**program.recipe, "steps": 999}}
    fixed, former = run("keras_convnet", 0, 0.99), run("blog", 0, 0.99)  # the blog's had no hidden layer once
    runs = [current, changed, fixed, former, run("digitnet-fast-7", 0, 0.99)]
    file.write_text(json.dumps({**conditions, "installed": {}, "runs": runs}))
    kept = peers.stored(file, conditions)["runs"]
    assert [(one["program"], one["seed"]) for one in kept] == [(program.name, 0), ("keras_convnet", 0)]


def test_a_row_with_a_run_of_an_earlier_recipe_says_so() -> None:
    now, before = {**run("blog", 0, 0.99), "recipe": peers.PROGRAMS["blog"].recipe}, run("blog", 1, 0.99)
    size = {"blog": {"megabytes": 1500, "packages": 30}}
    titles = [peers.table_rows({"installed": size, "runs": runs})[0][0] for runs in ([now], [now, before])]
    assert titles == [peers.PROGRAMS["blog"].title, f"{peers.PROGRAMS['blog'].title}, in an earlier form"]


def test_a_projection_goes_on_at_the_pace_of_the_steps_after_the_first_evaluation() -> None:
    numbers = peers.read_lines(lines(0.5, 0.6, 0.7, 0.8))  # 40 steps in 8 seconds
    assert peers.project(numbers, 100) == pytest.approx(8 + 60 * 0.2)


def test_the_clock_of_the_race_counts_steps_and_not_evaluation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 100.0
    monkeypatch.setattr(race.time, "perf_counter", lambda: now)
    labels = np.zeros(2_500, np.uint8)
    asked = argparse.Namespace(steps=None)
    contest = race.Race(asked, 40, np.zeros((2_500, 28, 28), np.uint8), labels, {"framework": "1.0"})
    contest.start()

    def classify(piece: np.ndarray) -> np.ndarray:
        nonlocal now
        now += 7  # a slow evaluation
        return np.ones(len(piece)) if len(piece) == 500 else np.zeros(len(piece))

    for step in contest.steps:
        now += 0.5
        contest.after_step(step, 128, classify)
    numbers = peers.read_lines(capsys.readouterr().out.splitlines())
    assert len(numbers["evaluations"]) == race.EVALUATIONS
    assert numbers["evaluations"][0] == [2, 1.0, 0.8]
    assert (numbers["seconds"], numbers["images"], numbers["images_per_second"]) == (20.0, 5120, 256.0)
    assert numbers["evaluation_seconds"] == 19 * 3 * 7  # in three pieces of at most a thousand images
    assert numbers["versions"]["framework"] == "1.0"


def test_stopping_early_still_evaluates_the_last_step(capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.zeros(10, np.uint8)
    contest = race.Race(argparse.Namespace(steps=7), 40, np.zeros((10, 28, 28), np.uint8), labels, {})
    contest.start()
    for step in contest.steps:
        contest.after_step(step, 128, lambda piece: np.zeros(len(piece)))
    numbers = peers.read_lines(capsys.readouterr().out.splitlines())
    assert [step for step, _, _ in numbers["evaluations"]] == [1, 2, 3, 4, 5, 6, 7]


def test_idx_files_are_read_as_they_are_described(tmp_path: Path) -> None:
    file = tmp_path / "images"
    file.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3]) + bytes(range(6)))
    assert race.read_idx(file).tolist() == [[[0, 1, 2]], [[3, 4, 5]]]


@pytest.mark.parametrize("program", peers.PROGRAMS.values(), ids=lambda program: program.name)
def test_every_program_is_there_and_its_packages_are_pinned(program: Any) -> None:
    assert importlib.util.find_spec(f"benchmarks.programs.{program.script}")
    requirements = (peers.FOLDER / "requirements" / f"{program.environment}.txt").read_text().splitlines()
    assert all("==" in line or line.startswith("--") for line in requirements)
