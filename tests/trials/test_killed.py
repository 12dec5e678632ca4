"""A thousand trials, killed again and again: complete in the end, nothing done twice, the same results."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import Command
from digitnet.run_folder import Run
from digitnet.trials.run import TrialsFolder, open_folder

PLAN = """
preset = "blog"
seeds = {seeds}
[base]
data = "{data}"
validation_images = 60
steps = 2
batch_size = 8
threads = 1
[grid]
filters = [[2], [3]]
"""


def results(folder: TrialsFolder) -> dict[str, object]:
    return {
        trial.name: (
            Run(folder.run_path(trial)).summary["test"],
            (folder.run_path(trial) / "metrics.jsonl").read_bytes(),
        )
        for trial in folder.plan.trials()
    }


def starts(folder: TrialsFolder) -> dict[str, int]:
    """When each run was begun: a run that is done again would have a later beginning."""
    return {
        trial.name: (folder.run_path(trial) / "config.toml").stat().st_mtime_ns
        for trial in folder.plan.trials()
        if (folder.run_path(trial) / "summary.json").exists()
    }


@pytest.mark.acceptance
@pytest.mark.timeout(1500)
def test_a_thousand_trials_killed_twenty_times_end_complete_and_the_same(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "thousand.toml"
    plan.write_text(PLAN.format(seeds=500, data=drawn_file))
    command = [sys.executable, "-m", "digitnet", "trials", str(plan), "--out", str(tmp_path / "killed"), "--quiet"]
    chance, begun = random.Random(7), dict[str, int]()
    for _ in range(20):
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(chance.uniform(2, 9))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (tmp_path / "killed" / "plan.toml").exists():
            now = starts(open_folder(tmp_path / "killed"))
            assert {name: now[name] for name in begun} == begun
            begun = now
    done = digitnet("trials", plan, "--out", tmp_path / "killed", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "1,000 of 1,000 trials are done" in done.stdout
    killed = open_folder(tmp_path / "killed")
    lines = [json.loads(line)["trial"] for line in killed.journal.file.read_bytes().splitlines()]
    assert sorted(lines) == sorted(trial.name for trial in killed.plan.trials())

    assert digitnet("trials", plan, "--out", tmp_path / "whole", "--quiet").returncode == 0
    assert results(killed) == results(open_folder(tmp_path / "whole"))


def test_trials_that_are_killed_leave_no_process_and_go_on(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "few.toml"
    plan.write_text(PLAN.format(seeds=6, data=drawn_file).replace("steps = 2", "steps = 150"))
    command = [sys.executable, "-m", "digitnet", "trials", str(plan), "--quiet"]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = tmp_path / "trials" / "few" / "journal.jsonl"
    while not journal.exists() or len(journal.read_bytes().splitlines()) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    done = digitnet("trials", plan)
    assert done.returncode == 0, done.stderr
    assert "12 of 12 trials are done. Next: digitnet compare trials/few" in done.stdout
    assert "12 trials of about" in done.stderr


@pytest.mark.parametrize(
    ("text", "flags", "code", "sentence"),
    [
        ("[grid]\nfilterz = [[1]]", [], 2, "there is no field 'filterz'. Did you mean 'filters'?"),
        ("seeds = 5000\n[grid]\nseed_ = [1]", [], 2, "there is no field 'seed_'"),
        ("seeds = 6000\n[grid]\nsteps = [1, 2]", [], 2, "has 12,000 trials. If you mean that many, add --yes."),
        ("[grid]\nsteps = [1]", ["--engine", "abacus"], 2, "abacus"),
        ("[grid]\nsteps = [1]", ["--jobs", "0"], 2, "expected a whole number of at least 1, found 0"),
    ],
)
def test_a_bad_plan_or_flag_is_answered_in_one_sentence(
    text: str, flags: list[str], code: int, sentence: str, digitnet: Command, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text(text)
    done = digitnet("trials", "plan.toml", *flags)
    assert done.returncode == code
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "trials").exists()


def test_a_plan_that_is_not_there_is_answered_in_one_sentence(digitnet: Command) -> None:
    done = digitnet("trials", "nowhere.toml")
    assert done.returncode == 2
    assert "nowhere.toml: expected a plan file, found none to read" in done.stderr
