"""Trials that are killed: complete in the end, nothing done twice, the same results."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from conftest import Command
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run
from digitnet.training.train import train
from digitnet.trials.run import TrialsFolder, open_folder
from processes import DIGITNET, PATIENCE, count_lines, running, wait_until

PLAN = """
preset = "blog"
seeds = {seeds}
[base]
data = "{data}"
validation_images = 60
steps = {steps}
batch_size = 8
threads = 1
[grid]
filters = [[2], [3]]
"""


def kill_after(lines: int, plan: Path) -> None:
    """Run a plan, and kill the command when the journal in its folder has so many lines."""
    journal = plan.parent / "trials" / plan.stem / "journal.jsonl"
    quiet = {"cwd": plan.parent, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with running(*DIGITNET, "trials", plan.name, "--quiet", **quiet) as process:
        wait_until(lambda: count_lines(journal) >= lines, process)
        process.kill()
        process.wait(PATIENCE)  # its workers end by themselves


def starts(folder: TrialsFolder) -> dict[str, int]:
    """When each finished run was begun: a run that is done again would have a later beginning."""
    return {
        trial.name: (folder.run_path(trial) / "config.toml").stat().st_mtime_ns
        for trial in folder.plan.trials()
        if (folder.run_path(trial) / "summary.json").exists()
    }


def results(run: Run) -> tuple[object, bytes]:
    """What must not depend on how a trial was run."""
    return run.summary["test"], (run.path / "metrics.jsonl").read_bytes()


@pytest.mark.acceptance
@pytest.mark.timeout(1500)
def test_a_thousand_trials_killed_six_times_end_complete_and_as_each_does_alone(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    plan, path = tmp_path / "thousand.toml", tmp_path / "trials" / "thousand"
    plan.write_text(PLAN.format(seeds=500, steps=2, data=drawn_file))
    chance, begun = random.Random(7), dict[str, int]()
    for _ in range(6):
        kill_after(count_lines(path / "journal.jsonl") + chance.randrange(1, 150), plan)
        now = starts(open_folder(path))
        assert {name: now[name] for name in begun} == begun
        begun = now
    done = digitnet("trials", plan, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "1,000 of 1,000 trials are done" in done.stdout
    folder = open_folder(path)
    trials = list(folder.plan.trials())
    lines = [json.loads(line)["trial"] for line in folder.journal.file.read_bytes().splitlines()]
    assert sorted(lines) == sorted(trial.name for trial in trials)
    for trial in chance.sample(trials, 20):
        alone = train(trial.config, out=tmp_path / "alone" / trial.name)
        evaluate(alone)
        assert results(Run(folder.run_path(trial))) == results(Run(alone.path))


@pytest.mark.acceptance
def test_trials_that_are_killed_continue(digitnet: Command, drawn_file: Path, tmp_path: Path) -> None:
    plan = tmp_path / "few.toml"
    plan.write_text(PLAN.format(seeds=6, steps=150, data=drawn_file))
    kill_after(2, plan)
    done = digitnet("trials", plan)
    assert done.returncode == 0, done.stderr
    assert "12 of 12 trials are done." in done.stdout
    assert "Next, compare the variants: digitnet compare trials/few" in done.stderr
    assert "12 trials of about" in done.stderr
