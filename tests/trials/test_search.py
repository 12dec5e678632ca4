"""A search: stopped in any way it continues as if it had not been, and it never opens the test images."""

import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from conftest import Command
from digitnet.cli.main import main
from digitnet.comparing.report import compare
from digitnet.engines.engine import Engine, Outcome
from digitnet.engines.make import make_engine
from digitnet.errors import DigitnetError, RunError, StorageError, UsageError
from digitnet.installation import install_command
from digitnet.run_folder import Run
from digitnet.trials.journal import Entry
from digitnet.trials.plan import Plan
from digitnet.trials.run import TrialsFolder, open_folder, run_trials, search
from digitnet.trials.sampler import choose, importances, is_behind, make_study
from digitnet.trials.status import describe_search
from digitnet.trials.trial import TrialTask, run_trial, train_task
from processes import DIGITNET, PATIENCE, running, wait_until

BASE = """
preset = "blog"
trials = {trials}
seed = 5
[base]
data = "{data}"
validation_images = 60
steps = 24
batch_size = 16
filters = [3]
threads = 1
validate_every = 6
save_every = 5
[range]
learning_rate = {{ low = 1e-4, high = 1e-2, log = true }}
filters = {{ choices = [[2], [3], [2, 4]] }}
"""


def plan_for(data: Path, trials: int = 14, more: str = "") -> Plan:
    return Plan.from_toml(BASE.format(data=data, trials=trials) + more)


class Here(Engine):
    """One worker, which is this process: what is quick to start, and takes tasks as real workers do."""

    def __init__(self) -> None:
        """Need nothing."""

    def run(self, function: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Outcome[Any, Any]]:  # type: ignore[override]
        waiting: Iterator[Any] = iter(tasks)
        task = next(waiting, None)
        while task is not None:
            done, result = task, function(task)
            task = next(waiting, None)  # before the outcome is handed over, as every engine does
            yield Outcome(done, result, None)


def record(folder: Path) -> tuple[dict[str, object], dict[str, bytes]]:
    """All of a search that must not depend on how often it was stopped."""
    kept = [folder / "best.toml", *folder.glob("runs/*/metrics.jsonl")]
    entries = open_folder(folder).journal.entries
    return (
        {name: (e.state, e.accuracy, e.fields, e.validated, e.error) for name, e in entries.items()},
        {str(file.relative_to(folder)): file.read_bytes() for file in kept},
    )


def states(folder: TrialsFolder) -> list[str]:
    return [entry.state for entry in folder.journal.entries.values()]


def in_state(folder: TrialsFolder, state: str) -> list[Entry]:
    return [entry for entry in folder.journal.entries.values() if entry.state == state]


@pytest.fixture(scope="module")
def whole(drawn_file: Path, tmp_path_factory: pytest.TempPathFactory) -> TrialsFolder:
    """A search that never stopped."""
    return search(plan_for(drawn_file), tmp_path_factory.mktemp("search") / "whole", engine=Here())


def test_every_trial_is_a_run_of_its_own_configuration_that_was_not_tested(whole: TrialsFolder) -> None:
    entries = whole.journal.entries
    assert list(entries) == [f"trial-{number:03d}" for number in range(14)]
    assert {entry.state for entry in entries.values()} == {"done", "pruned"}
    for trial in whole.trials():
        run, entry = Run(whole.run_path(trial)), entries[trial.name]
        assert run.config == trial.config
        assert (run.config.seed, run.config.optimisation.steps) == (5, 24)
        assert not (run.path / "evaluation.json").exists()
        assert entry.validated == {row.step: row.validation_accuracy for row in run.history.validation}
        if entry.state == "done":
            assert entry.summary == run.summary
            assert "test" not in run.summary


def test_the_first_trial_is_the_start_where_the_ranges_hold_it(whole: TrialsFolder, drawn_file: Path) -> None:
    assert whole.journal.entries["trial-000"].fields == {"learning_rate": 0.0005, "filters": [3]}
    outside = plan_for(drawn_file, more="hidden = { low = 1, high = 9 }")
    assert choose(outside, []) != outside.start_fields


def test_a_pruned_run_is_no_finished_one_and_can_still_be_finished(whole: TrialsFolder) -> None:
    pruned = in_state(whole, "pruned")[0]
    assert pruned.validated is not None
    assert max(pruned.validated) < 24
    assert not Run(whole.path / "runs" / pruned.trial).is_finished


@pytest.mark.acceptance
def test_a_search_killed_and_started_again_equals_one_never_stopped(whole: TrialsFolder, tmp_path: Path) -> None:
    (tmp_path / "wide.toml").write_text(whole.plan.text)
    folder = tmp_path / "trials" / "wide"
    stop_when_ended(folder, 4, signal.SIGKILL, cwd=tmp_path)
    assert 4 <= ended(folder) < 14
    search(whole.plan, folder, engine=Here())
    assert record(folder) == record(whole.path)


@pytest.mark.acceptance
@pytest.mark.timeout(1500)
def test_a_search_stopped_ten_times_in_two_ways_equals_one_never_stopped(
    whole: TrialsFolder, digitnet: Command, tmp_path: Path
) -> None:
    (tmp_path / "wide.toml").write_text(whole.plan.text)
    folder = tmp_path / "trials" / "wide"
    for count in range(1, 11):
        stop_when_ended(folder, count, signal.SIGKILL if count % 2 else signal.SIGINT, cwd=tmp_path)
    assert digitnet("search", "wide.toml", "--jobs", 1, "--quiet").returncode == 0
    assert record(folder) == record(whole.path)


def stop_when_ended(folder: Path, count: int, number: signal.Signals, cwd: Path) -> None:
    """Search on one worker, and stop it while a trial runs, when so many have ended."""
    with running(*DIGITNET, "search", f"{folder.name}.toml", "--jobs", 1, "--quiet", cwd=cwd) as process:
        wait_until(lambda: ended(folder) >= count, process)
        process.send_signal(number)
        assert process.wait(PATIENCE) == (130 if number == signal.SIGINT else -number)


def ended(folder: Path) -> int:
    """Count the lines of the journal that end a trial."""
    file = folder / "journal.jsonl"
    return file.read_bytes().count(b'"validated"') if file.exists() else 0


@pytest.mark.parametrize("kept", ["choice", "half a line"])
def test_a_search_killed_while_it_writes_continues_as_if_it_had_not_been(
    kept: str, whole: TrialsFolder, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(whole.path, tmp_path / "copy"))
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert b"validated" in lines[15]  # a choice and an ending take turns
    assert b"validated" not in lines[16]
    cut = lines[:17] if kept == "choice" else [*lines[:16], lines[16][:-7]]
    (copy / "journal.jsonl").write_bytes(b"".join(cut))
    for trial in list(copy.glob("runs/*"))[:]:
        if trial.name > "trial-007":
            shutil.rmtree(trial)
    search(whole.plan, copy, engine=Here())
    assert record(copy) == record(whole.path)
    assert sorted((copy / "journal.jsonl").read_bytes().splitlines()[:16]) == sorted(
        line.rstrip() for line in lines[:16]
    )


@pytest.mark.acceptance
def test_two_workers_lose_no_trial_and_do_none_twice(drawn_file: Path, tmp_path: Path) -> None:
    plan = plan_for(drawn_file, trials=9)
    with make_engine("processes", workers=2) as engine:
        folder = search(plan, tmp_path / "two", engine=engine)
    assert list(folder.journal.entries) == [f"trial-{number:03d}" for number in range(9)]
    assert "running" not in states(folder)
    assert ended(folder.path) == 9
    assert all(Run(folder.run_path(trial)).config == trial.config for trial in folder.trials())


def test_more_trials_continue_where_fewer_ended_and_nothing_is_done_twice(
    whole: TrialsFolder, drawn_file: Path, tmp_path: Path
) -> None:
    search(plan_for(drawn_file, trials=6), tmp_path / "grown", engine=Here())
    grown = search(whole.plan, tmp_path / "grown", engine=Here())
    assert record(grown.path) == record(whole.path)
    before = {path: path.stat().st_mtime_ns for path in grown.path.rglob("*") if path.is_file()}
    search(whole.plan, grown.path, engine=Here())
    assert {path: path.stat().st_mtime_ns for path in grown.path.rglob("*") if path.is_file()} == before


def test_a_trial_that_fails_is_recorded_and_stops_no_other(drawn_file: Path, tmp_path: Path) -> None:
    text = BASE.format(data=drawn_file, trials=6)
    text = text.replace("{ low = 1e-4, high = 1e-2, log = true }", "{ choices = [0.001, 1e38] }")
    folder = search(Plan.from_toml(text), tmp_path / "search", engine=Here())
    failed = in_state(folder, "failed")
    assert failed
    assert in_state(folder, "done")
    assert len({str(entry.fields) for entry in folder.journal.entries.values()}) == 6  # each combination once
    assert all((entry.fields or {})["learning_rate"] == 1e38 for entry in failed)
    assert all("with a lower learning_rate" in str(entry.error) for entry in failed)
    assert f"The first failure, {failed[0].trial}: The loss became" in describe_search(folder)


@pytest.mark.parametrize("place", ["digitnet.trials.trial.train_task", "digitnet.trials.journal.Journal.write"])
def test_an_error_that_every_trial_would_meet_stops_the_search_and_costs_no_trial(
    place: str, drawn_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("runs: could not be written (no space left on device).")

    plan = plan_for(drawn_file, trials=3)
    monkeypatch.setattr(place, full)
    with pytest.raises(DigitnetError, match="runs: could not be written"):
        search(plan, tmp_path / "search", engine=Here())
    with pytest.raises(RunError, match="expected a trial that ran to its end, found none"):
        describe_search(open_folder(tmp_path / "search"))
    monkeypatch.undo()
    assert states(search(plan, tmp_path / "search", engine=Here())) == ["done"] * 3


def test_a_search_of_version_0_1_says_what_to_do(whole: TrialsFolder, tmp_path: Path) -> None:
    (tmp_path / "search.toml").write_text(whole.plan.text)
    (tmp_path / "optuna.jsonl").write_text("")
    with pytest.raises(RunError, match=r"a search of digitnet 0.1, .* digitnet trials .*/best\.toml"):
        search(whole.plan, tmp_path, engine=Here())
    with pytest.raises(RunError, match=r"a search of digitnet 0.1, .* digitnet trials .*/best\.toml"):
        compare(tmp_path)


def test_a_search_is_not_compared_and_each_kind_of_plan_has_its_own_command(
    whole: TrialsFolder, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match=r"holds a search, .* digitnet trials .*whole/best\.toml"):
        compare(whole.path)
    with pytest.raises(UsageError, match=r"^plan: samples its variants from ranges\. Run: digitnet search plan"):
        run_trials(whole.plan, tmp_path / "trials")
    with pytest.raises(UsageError, match=r"^plan: lists its variants\. Run: digitnet trials plan"):
        search(Plan.from_toml("[grid]\nsteps = [1, 2]"), tmp_path / "trials")
    assert not (tmp_path / "trials").exists()


def test_the_best_is_written_as_a_plan_over_fresh_seeds(whole: TrialsFolder) -> None:
    plan, best = Plan.from_file(whole.path / "best.toml"), whole.best
    assert plan.seeds == (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)  # not 5, with which the best was found
    assert plan.pairs == (("best", "start"),)
    assert best is not None
    assert best.accuracy == max(entry.accuracy for entry in whole.journal.done.values())
    assert [variant.config for variant in plan.variants] == [
        whole.plan.start,
        whole.plan.sample(best.trial, best.fields or {}).variant.config,
    ]


def test_no_best_is_written_where_nothing_is_better_than_the_start(drawn_file: Path, tmp_path: Path) -> None:
    folder = search(plan_for(drawn_file, trials=1), tmp_path / "search", engine=Here())
    assert not (folder.path / "best.toml").exists()
    assert describe_search(folder).splitlines()[-1].startswith("No trial was better on validation than the start.")


# What Optuna is asked


def test_what_is_tried_next_follows_from_the_trials_the_seed_and_the_number(whole: TrialsFolder) -> None:
    entries = list(whole.journal.entries.values())
    assert choose(whole.plan, entries) == choose(whole.plan, entries)
    chosen = [choose(whole.plan, entries[:count]) for count in range(14)]
    assert chosen == [entry.fields for entry in entries]
    assert len({str(fields) for fields in chosen}) == 14


def test_optuna_gets_a_study_of_all_trials_and_says_what_mattered(whole: TrialsFolder) -> None:
    entries = list(whole.journal.entries.values())
    study = make_study(whole.plan, entries)
    assert whole.best is not None
    assert study.best_value == whole.best.accuracy
    assert [trial.intermediate_values for trial in study.trials] == [entry.validated for entry in entries]
    done = [Entry(f"trial-{k:03d}", made(0.8 + k / 100), fields=entries[k].fields) for k in range(12)]
    shares = importances(whole.plan, done)
    assert shares.keys() == whole.plan.ranges.keys()
    assert sum(shares.values()) == pytest.approx(1)
    assert importances(whole.plan, done[:9]) == {}


def made(accuracy: float) -> dict[str, Any]:
    return {"validation": {"accuracy": accuracy, "loss": 0.1}}


FIVE = [Entry(f"trial-{k:03d}", made(0.9), fields={}, validated={10: 0.5, 20: 0.8}) for k in range(5)]


@pytest.mark.parametrize(
    ("entries", "measured", "behind"),
    [
        (FIVE, {10: 0.6}, False),
        (FIVE, {10: 0.4}, True),
        (FIVE, {10: 0.6, 20: 0.7}, True),
        (FIVE, {10: 0.9, 20: 0.7}, False),  # its best so far counts
        (FIVE[:4], {10: 0.0}, False),  # too few to say
        ([*FIVE[:4], Entry("trial-004", fields={}, validated={10: 0.9})], {10: 0.0}, False),  # one was pruned
    ],
)
def test_a_trial_is_behind_when_its_best_is_below_the_median_at_its_step(
    entries: list[Entry], measured: dict[int, float], behind: bool
) -> None:
    assert is_behind(entries, measured) == behind


def test_without_pruning_every_trial_runs_to_its_end(
    whole: TrialsFolder, drawn_file: Path, tmp_path: Path
) -> None:
    assert "pruned" in states(whole)[:9]
    text = BASE.format(data=drawn_file, trials=9).replace("seed = 5", "seed = 5\nprune = false")
    assert states(search(Plan.from_toml(text), tmp_path / "search", engine=Here())) == ["done"] * 9


def task_of(folder: TrialsFolder, entry: Entry) -> TrialTask:
    return folder.task(folder.plan.sample(entry.trial, entry.fields or {}))


def test_a_trial_that_has_ended_is_not_done_again(whole: TrialsFolder) -> None:
    before = (whole.path / "journal.jsonl").read_bytes()
    for entry in (in_state(whole, "pruned")[0], in_state(whole, "done")[0]):
        assert run_trial(task_of(whole, entry)) == entry
    assert (whole.path / "journal.jsonl").read_bytes() == before


def test_a_trial_waits_for_the_worker_of_a_killed_parent_to_save(whole: TrialsFolder, tmp_path: Path) -> None:
    copy = TrialsFolder(Path(shutil.copytree(whole.path, tmp_path / "copy")), whole.plan)
    task = task_of(copy, in_state(copy, "done")[0])
    (copy.path / "journal.jsonl").unlink()
    held = FileLock(task.run_path / ".lock", thread_local=False)
    held.acquire()
    threading.Timer(0.3, held.release).start()
    assert run_trial(task) == in_state(whole, "done")[0]
    assert train_task(task).is_finished


# The command


def test_the_last_line_is_the_command_that_tests_the_best(
    whole: TrialsFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["search", str(whole.path / "plan.toml"), "--out", str(whole.path), "--jobs", "1"]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "14 of 14 trials have ended" in printed.out
    assert whole.best is not None
    assert f"best, {whole.best.trial}" in printed.out
    assert "0.0005" in printed.out
    assert printed.err.splitlines()[-1].endswith(f"digitnet trials {whole.path}/best.toml --out {whole.path}-best")
    assert "14 trials of about " in printed.err
    assert "14 trials, 14 of them ended before." in printed.err


def test_names_that_nothing_is_called_by_are_refused_before_anything_begins(
    drawn_file: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"schedule: expected one of .*, found 'cosin'\. Did you mean 'cosine'"):
        plan_for(drawn_file, more='schedule = { choices = ["linear", "cosin"] }')
    assert not (tmp_path / "search").exists()


def test_without_optuna_the_command_says_what_to_install(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "optuna.py").write_text("raise ModuleNotFoundError(\"No module named 'optuna'\", name='optuna')")
    (tmp_path / "wide.toml").write_text(plan_for(drawn_file).text)
    done = digitnet("search", "wide.toml", "--quiet", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == f"digitnet: this needs optuna. Run: {install_command('search')}\n"
    assert not (tmp_path / "trials").exists()
