"""Trials: every trial once, whatever interrupts them; each a run folder like any other."""

import contextlib
import csv
import json
import os
import shutil
import signal
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Command
from digitnet.cli.main import main
from digitnet.engines.make import make_engine
from digitnet.errors import RunError
from digitnet.progress import Progress
from digitnet.run_folder import Run, hold
from digitnet.trials.plan import Plan
from digitnet.trials.run import TrialsFolder, open_folder, run_trials
from processes import wait_until

BASE = """
preset = "blog"
seeds = 2
[base]
data = "{data}"
validation_images = 60
steps = {steps}
batch_size = 16
filters = [4]
threads = 1
save_every = 20
[grid]
{grid}
"""


def plan_for(data: Path, grid: str = "kernel_size = [3, 5]", steps: int = 12) -> Plan:
    return Plan.from_toml(BASE.format(data=data, grid=grid, steps=steps))


def outcomes(folder: TrialsFolder) -> dict[str, tuple[object, ...]]:
    """What of each trial must not depend on how it was run."""
    return {
        trial.name: (
            Run(folder.run_path(trial)).summary["test"],
            (folder.run_path(trial) / "metrics.jsonl").read_bytes(),
            (folder.run_path(trial) / "test_logits.npy").read_bytes(),
        )
        for trial in folder.plan.trials()
    }


@pytest.fixture(scope="module")
def local(drawn_file: Path, tmp_path_factory: pytest.TempPathFactory) -> TrialsFolder:
    """Trials that were run on this machine's processes without a break, as a person calls it from Python."""
    folder = tmp_path_factory.mktemp("trials")
    (folder / "plan.toml").write_text(plan_for(drawn_file).text)
    return run_trials(folder / "plan.toml", str(folder / "local"))


def test_every_trial_is_a_finished_run_of_its_own_configuration(local: TrialsFolder) -> None:
    trials = list(local.plan.trials())
    assert len(trials) == 4 == len(local.journal.done)
    for trial in trials:
        run = Run(local.run_path(trial))
        assert run.config == trial.config
        assert local.journal.done[trial.name].summary == run.summary
        assert run.summary["test"]["images"] == 103


def test_starting_again_does_nothing_twice(local: TrialsFolder) -> None:
    before = {path: path.stat().st_mtime_ns for path in local.path.rglob("*") if path.is_file()}
    with make_engine("processes", workers=2) as engine:
        run_trials(local.plan, local.path, engine=engine)
    assert {path: path.stat().st_mtime_ns for path in local.path.rglob("*") if path.is_file()} == before


@pytest.mark.acceptance
def test_a_trial_that_fails_is_recorded_and_stops_no_other(drawn_file: Path, tmp_path: Path) -> None:
    plan = plan_for(drawn_file, grid="learning_rate = [0.001, 1e38]")
    with make_engine("processes", workers=2) as engine:
        folder = run_trials(plan, tmp_path / "trials", engine=engine)
    assert sorted(folder.journal.done) == ["learning_rate=0.001/seed-0", "learning_rate=0.001/seed-1"]
    assert all("lower learning_rate" in str(entry.error) for entry in folder.journal.failed.values())
    assert len(folder.journal.failed) == 2


def test_a_folder_of_another_plan_is_refused_and_of_the_same_with_another_title_is_not(
    local: TrialsFolder, drawn_file: Path, tmp_path: Path
) -> None:
    with make_engine("processes") as engine:
        with pytest.raises(RunError, match="belongs to another plan"):
            run_trials(plan_for(drawn_file, steps=13), local.path, engine=engine)
        titled = Plan.from_toml(f'title = "The same"\n{local.plan.text}')
        run_trials(titled, local.path, engine=engine)
        assert open_folder(local.path).plan.title == "The same"
        run_trials(local.plan, local.path, engine=engine)
        (tmp_path / "letter.txt").touch()
        with pytest.raises(RunError, match="expected a new or an empty folder, found files"):
            run_trials(local.plan, tmp_path, engine=engine)


def test_trials_of_a_preset_that_has_changed_are_not_mixed(local: TrialsFolder, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(local.path, tmp_path / "copy"))
    changed = replace(local.plan, start=local.plan.start.replace(learning_rate=0.5))  # the same words in its file
    with make_engine("processes") as engine, pytest.raises(RunError, match=r"learning_rate=.* \(now 0.5\)"):
        run_trials(changed, copy, engine=engine)


def test_two_processes_do_not_run_one_folder(local: TrialsFolder) -> None:
    with (
        hold(local.path),
        make_engine("processes") as engine,
        pytest.raises(RunError, match="another process is writing to this folder"),
    ):
        run_trials(local.plan, local.path, engine=engine)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"expected a trials folder with a plan\.toml"):
        open_folder(tmp_path)


@pytest.mark.acceptance
@pytest.mark.parametrize("name", ["ray", "dask"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")
def test_a_cluster_gives_what_this_machine_gives_though_a_worker_is_killed(
    name: str, local: TrialsFolder, drawn_file: Path, tmp_path: Path
) -> None:
    plan = plan_for(drawn_file, steps=600)
    with make_engine("processes", workers=2) as engine:
        expected = run_trials(plan, tmp_path / "local", engine=engine)
    with make_engine(name, workers=2) as engine:
        killer = KillOneWorker(tmp_path / name)
        folder = run_trials(plan, tmp_path / name, engine=engine, progress=killer)
    assert killer.killed
    assert not folder.journal.failed
    assert outcomes(folder) == outcomes(expected)


class KillOneWorker(Progress):
    """Kill the process that holds a run, once a checkpoint is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.killed = 0
        self.thread = threading.Thread(target=self.kill, daemon=True)

    def show(self, table: object, line: str = "") -> None:
        if not self.thread.is_alive() and not self.killed:
            self.thread.start()

    def kill(self) -> None:
        manifests = "runs/*/*/checkpoint.json"
        wait_until(lambda: any(self.folder.glob(manifests)))
        lock = (next(self.folder.glob(manifests)).parent / ".lock").stat()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                for file in (process / "fd").iterdir():
                    if (found := file.stat()).st_ino == lock.st_ino and found.st_dev == lock.st_dev:
                        os.kill(int(process.name), signal.SIGKILL)
                        self.killed = int(process.name)
                        return


@pytest.mark.parametrize(
    ("words", "text", "sentence"),
    [
        (["trials"], "[grid]\nfilterz = [[1]]", "digitnet: plan.toml: [grid]: there is no field 'filterz'."),
        (["search"], "[range]\nfilterz = 3", "digitnet: plan.toml: [range]: there is no field 'filterz'."),
        (["trials"], None, "plan.toml: expected a plan file, found none to read"),
        (["trials"], "seeds = 6000\n[grid]\nsteps = [1, 2]", "If you mean that many, add --yes."),
        (["trials", "--jobs", "0"], "[grid]\nsteps = [1]", "expected a whole number of at least 1, found 0"),
    ],
)  # fmt: skip
def test_a_bad_plan_or_flag_is_answered_in_one_sentence(
    words: list[str], text: str | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What else a plan can have wrong is in test_plan.py; what the engine's flags can, in test_bad_input.py."""
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / "plan.toml").write_text(text)
    assert main([words[0], "plan.toml", *words[1:]]) == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "trials").exists()


@pytest.mark.acceptance
def test_compare_prints_writes_and_draws(digitnet: Command, local: TrialsFolder) -> None:
    done = digitnet("compare", local.path)
    assert done.returncode == 0, done.stderr
    assert "Chosen on validation, before the test was looked at: kernel_size=" in done.stdout
    assert done.stdout.splitlines()[-1] == f"Report: {local.path / 'comparison.html'}"
    assert "Next, see the mistakes of one run: digitnet report" in done.stderr
    asked = digitnet("compare", local.path, "--format", "json")
    assert json.loads((local.path / "comparison.json").read_text()) == json.loads(asked.stdout)
    table = digitnet("compare", local.path, "--format", "csv")
    assert len(list(csv.DictReader(table.stdout.splitlines()))) == len(json.loads(asked.stdout)["rows"])
    assert asked.stderr == table.stderr == ""
    assert (local.path / "comparison.html").is_file()
    for figure in ("variants", "differences", "by-kernel_size", "front"):
        assert (local.path / "figures" / f"{figure}.png").read_bytes().startswith(b"\x89PNG")


def test_compare_of_what_has_not_begun_gets_a_sentence(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text(plan_for(drawn_file).text)
    done = digitnet("compare", tmp_path)
    assert done.returncode == 1
    assert "expected finished trials, found none. Run the plan first." in done.stderr
