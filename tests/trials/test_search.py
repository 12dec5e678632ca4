"""A search: stopped in any way it goes on as if it had not been, and it never looks at the test images."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st
from optuna.exceptions import TrialPruned
from optuna.study import Study
from optuna.trial import TrialState

from conftest import Command
from digitnet.cli.main import main
from digitnet.engines.engine import Engine, Outcome
from digitnet.engines.make import make_engine
from digitnet.errors import DigitnetError, RunError, StorageError, UsageError
from digitnet.run_folder import Run, ValidationRow, hold
from digitnet.trials.plan import Plan
from digitnet.trials.run import open_folder
from digitnet.trials.search.plan import Search
from digitnet.trials.search.run import SearchFolder, run_search
from digitnet.trials.search.study import choose, open_study, trial_at
from digitnet.trials.search.summary import describe
from digitnet.trials.search.trial import Pruning, try_trial
from digitnet.trials.trial import train_task

BASE = """
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
RANGE = "[range]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }\n"


def search_for(data: Path, trials: int = 14, more: str = "") -> Search:
    return Search.from_toml(BASE.format(data=data, trials=trials) + more)


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


def record(folder: Path) -> tuple[list[object], dict[str, bytes]]:
    """All of a search that must not depend on how often it was stopped."""
    trials = open_study(folder / "optuna.jsonl", prune=True).get_trials()
    kept = [folder / "best.toml", *folder.glob("runs/*/metrics.jsonl")]
    return (
        [(t.number, t.state, t.params, t.value, t.intermediate_values, t.user_attrs) for t in trials],
        {str(file.relative_to(folder)): file.read_bytes() for file in kept},
    )


@pytest.fixture(scope="module")
def whole(drawn_file: Path, tmp_path_factory: pytest.TempPathFactory) -> SearchFolder:
    """A search that never stopped."""
    return run_search(search_for(drawn_file), tmp_path_factory.mktemp("search") / "whole", Here())


def test_every_trial_is_a_run_of_its_own_configuration_that_was_not_judged(whole: SearchFolder) -> None:
    trials = whole.trials()
    assert [trial.number for trial in trials] == list(range(14))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    for trial in trials:
        run = Run(whole.run_path(trial.number))
        assert run.config == whole.search.configure(trial.params)
        assert (run.config.seed, run.config.optimisation.steps) == (5, 24)
        assert not (run.path / "evaluation.json").exists()
        if trial.state is TrialState.COMPLETE:
            assert trial.value == run.summary["validation"]["accuracy"]
            assert "test" not in run.summary
        measured = {row.step: row.validation_accuracy for row in run.history.validation}
        assert trial.intermediate_values == measured


def test_the_first_trial_is_the_start_where_the_ranges_hold_it(whole: SearchFolder, drawn_file: Path) -> None:
    assert whole.trials()[0].params == {"learning_rate": 0.0005, "filters": "3"}
    outside = search_for(drawn_file, more="hidden = { low = 1, high = 9 }")
    study = open_study(whole.path.parent / "outside.jsonl", prune=True)
    assert choose(study, outside).params != outside.start_params


def test_a_pruned_run_is_no_finished_one_and_can_still_be_finished(whole: SearchFolder) -> None:
    pruned = whole.trials(TrialState.PRUNED)[0]
    run = Run(whole.run_path(pruned.number))
    assert not run.is_finished
    assert pruned.last_step is not None
    assert pruned.last_step < 24
    with pytest.raises(RunError, match="the run has not finished"):
        _ = run.summary


def test_a_search_killed_and_started_again_equals_one_never_stopped(whole: SearchFolder, tmp_path: Path) -> None:
    (tmp_path / "wide.toml").write_text(whole.search.text)
    folder = tmp_path / "trials" / "wide"
    stop_when_ended(folder, 4, signal.SIGKILL, cwd=tmp_path)
    assert 4 <= ended(folder) < 14
    run_search(whole.search, folder, Here())
    assert record(folder) == record(whole.path)


@pytest.mark.acceptance
@pytest.mark.timeout(1500)
def test_a_search_stopped_ten_times_in_two_ways_equals_one_never_stopped(
    whole: SearchFolder, digitnet: Command, tmp_path: Path
) -> None:
    (tmp_path / "wide.toml").write_text(whole.search.text)
    folder = tmp_path / "trials" / "wide"
    for count in range(1, 11):
        stop_when_ended(folder, count, signal.SIGKILL if count % 2 else signal.SIGINT, cwd=tmp_path)
    assert digitnet("search", "wide.toml", "--jobs", 1, "--quiet").returncode == 0
    assert record(folder) == record(whole.path)


def stop_when_ended(folder: Path, count: int, number: signal.Signals, cwd: Path) -> None:
    """Search on one worker, and stop it while a trial runs, when so many have ended."""
    command = [sys.executable, "-m", "digitnet", "search", f"{folder.name}.toml", "--jobs", "1", "--quiet"]
    # a shell may have told this process to ignore Ctrl-C, which a child would inherit
    process = subprocess.Popen(
        command, cwd=cwd, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler)
    )
    while ended(folder) < count:
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    assert process.wait() in (130, -signal.SIGKILL)


def ended(folder: Path) -> int:
    """Count the records in Optuna's journal that end a trial."""
    file = folder / "optuna.jsonl"
    return file.read_bytes().count(b'"datetime_complete"') if file.exists() else 0


def test_two_workers_lose_no_trial_and_do_none_twice(drawn_file: Path, tmp_path: Path) -> None:
    search = search_for(drawn_file, trials=9)
    with make_engine("processes", workers=2) as engine:
        folder = run_search(search, tmp_path / "two", engine)
    assert [trial.number for trial in folder.trials()] == list(range(9))
    assert all(trial.state.is_finished() for trial in folder.trials())
    assert ended(folder.path) == 9
    for trial in folder.trials():
        assert Run(folder.run_path(trial.number)).config == search.configure(trial.params)


def test_starting_again_does_nothing_twice(whole: SearchFolder) -> None:
    before = {path: path.stat().st_mtime_ns for path in whole.path.rglob("*") if path.is_file()}
    run_search(whole.search, whole.path, Here())
    assert {path: path.stat().st_mtime_ns for path in whole.path.rglob("*") if path.is_file()} == before


def test_more_trials_go_on_where_fewer_ended(whole: SearchFolder, drawn_file: Path, tmp_path: Path) -> None:
    run_search(search_for(drawn_file, trials=6), tmp_path / "grown", Here())
    grown = run_search(whole.search, tmp_path / "grown", Here())
    assert record(grown.path) == record(whole.path)


def test_a_trial_that_fails_is_recorded_and_stops_no_other(drawn_file: Path, tmp_path: Path) -> None:
    text = BASE.format(data=drawn_file, trials=6)
    text = text.replace("{ low = 1e-4, high = 1e-2, log = true }", "{ choices = [0.001, 1e38] }")
    folder = run_search(Search.from_toml(text), tmp_path / "search", Here())
    failed = folder.trials(TrialState.FAIL)
    assert failed
    assert folder.trials(TrialState.COMPLETE)
    assert len({str(trial.params) for trial in folder.trials()}) == 6  # each combination once
    assert all(trial.params["learning_rate"] == "1e+38" for trial in failed)
    assert all("with a lower --learning-rate" in trial.user_attrs["fault"] for trial in failed)
    assert f"The first failure, trial-{failed[0].number:03d}: The loss became" in describe(folder)


@pytest.mark.parametrize("place", ["digitnet.trials.search.trial.train_task", "optuna.study.Study.tell"])
def test_a_fault_that_every_trial_would_have_stops_the_search_and_costs_no_trial(
    place: str, drawn_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StorageError("runs: could not be written (no space left on device).")

    search = search_for(drawn_file, trials=3)
    monkeypatch.setattr(place, full)
    with pytest.raises(DigitnetError, match="trial-000: runs: could not be written"):
        run_search(search, tmp_path / "search", Here())
    with pytest.raises(RunError, match="expected a trial that ran to its end, found none"):
        describe(SearchFolder(tmp_path / "search", search))
    monkeypatch.undo()
    folder = run_search(search, tmp_path / "search", Here())
    assert [t.state for t in folder.trials()] == [TrialState.COMPLETE] * 3


def test_a_folder_of_another_search_is_refused(whole: SearchFolder, drawn_file: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="belongs to another search"):
        run_search(search_for(drawn_file, more="hidden = { low = 0, high = 9 }"), whole.path, Here())
    (tmp_path / "letter.txt").touch()
    with pytest.raises(RunError, match="expected a new or an empty folder, found files"):
        run_search(whole.search, tmp_path, Here())
    with hold(whole.path), pytest.raises(RunError, match="another process is writing to this folder"):
        run_search(whole.search, whole.path, Here())


def test_compare_of_a_search_says_what_to_do_instead(whole: SearchFolder) -> None:
    with pytest.raises(RunError, match=r"holds a search, .* digitnet trials .*whole/best\.toml"):
        open_folder(whole.path)


def test_the_best_is_written_as_a_plan_over_fresh_seeds(whole: SearchFolder) -> None:
    plan = Plan.from_file(whole.path / "best.toml")
    assert plan.seeds == (0, 1, 2, 3, 4, 6, 7, 8, 9, 10)  # not 5, with which the best was found
    assert plan.pairs == (("best", "start"),)
    start, best = plan.variants
    assert whole.best is not None
    assert whole.best.value == max(trial.value or 0.0 for trial in whole.trials(TrialState.COMPLETE))
    assert start.config.differences(whole.search.start) == ["seed"]
    assert best.config.differences(whole.search.configure(whole.best.params)) == ["seed"]


def test_what_was_found_is_told_in_words(whole: SearchFolder) -> None:
    said = describe(whole)
    assert "14 of 14 trials have ended" in said
    assert f"best, trial-{whole.best.number:03d}" in said if whole.best else False
    assert "0.0005" in said


def test_no_best_is_written_where_nothing_is_better_than_the_start(drawn_file: Path, tmp_path: Path) -> None:
    folder = run_search(search_for(drawn_file, trials=1), tmp_path / "search", Here())
    assert not (folder.path / "best.toml").exists()
    assert describe(folder).splitlines()[-1].startswith("Nothing was better on validation than the start.")


# The study, and pruning


def test_what_is_tried_next_follows_from_the_trials_the_seed_and_the_number(
    whole: SearchFolder, tmp_path: Path
) -> None:
    content = (whole.path / "optuna.jsonl").read_bytes()
    chosen = []
    for name in ("one", "other"):
        (tmp_path / name).write_bytes(content)
        study = open_study(tmp_path / name, prune=True)
        chosen.append([choose(study, whole.search).params for _ in range(3)])
    assert chosen[0] == chosen[1]
    assert len({str(params) for params in chosen[0]}) == 3


def test_a_record_cut_off_anywhere_is_lost_alone(whole: SearchFolder, tmp_path: Path) -> None:
    file = tmp_path / "optuna.jsonl"
    trial = choose(open_study(file, prune=True), whole.search)
    before = file.read_bytes()
    (lost,) = (json.dumps(json.loads(line)) for line in before.splitlines()[1:])
    for end in (1, len(lost) // 2, len(lost) - 1):
        file.write_bytes(before.splitlines(keepends=True)[0] + lost[:end].encode())
        assert open_study(file, prune=True).get_trials() == []
        assert choose(open_study(file, prune=True), whole.search).params == trial.params
        assert [t.params for t in open_study(file, prune=True).get_trials()] == [trial.params]


def test_a_process_killed_while_it_writes_leaves_nobody_waiting(whole: SearchFolder, tmp_path: Path) -> None:
    file = tmp_path / "optuna.jsonl"
    study = open_study(file, prune=True)
    code = (
        "import os, sys; from filelock import FileLock\n"
        f"FileLock({str(tmp_path / '.optuna.jsonl.lock')!r}).acquire(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    began = time.monotonic()
    choose(study, whole.search)
    assert time.monotonic() - began < 15  # Optuna's own lock would have waited for 30 seconds


@pytest.fixture
def judged(whole: SearchFolder, tmp_path: Path) -> Study:
    """A study of five complete trials that read 0.5 at step 10 and 0.8 at step 20, and of one that runs."""
    study = open_study(tmp_path / "judged.jsonl", prune=True)
    for number in range(6):
        trial = trial_at(study, choose(study, whole.search).number)
        if number < 5:
            trial.report(0.5, 10)
            trial.report(0.8, 20)
            study.tell(trial, 0.9)
    return study


def test_a_trial_behind_most_others_is_pruned_though_not_at_its_last_step(judged: Study) -> None:
    prune = Pruning(trial_at(judged, 5), 0, steps=20)
    prune(ValidationRow(10, 0.1, 0.6))
    prune(ValidationRow(20, 0.1, 0.7))  # behind, and at its end already
    with pytest.raises(TrialPruned):
        Pruning(trial_at(judged, 5), 20, steps=40)(ValidationRow(20, 0.1, 0.7))


def test_a_trial_stopped_between_its_report_and_the_verdict_is_asked_about_again(judged: Study) -> None:
    trial_at(judged, 5).report(0.4, 10)
    with pytest.raises(TrialPruned):
        Pruning(trial_at(judged, 5), 10, steps=20)(ValidationRow(10, 0.1, 0.4))


def test_validations_that_a_resumed_run_repeats_are_not_asked_about_again(judged: Study) -> None:
    trial_at(judged, 5).report(0.6, 10)
    trial_at(judged, 5).report(0.7, 20)
    prune = Pruning(trial_at(judged, 5), 20, steps=40)
    prune(ValidationRow(10, 0.1, 0.6))
    with pytest.raises(TrialPruned):
        prune(ValidationRow(20, 0.1, 0.7))


def test_without_pruning_every_trial_runs_to_its_end(judged: Study, tmp_path: Path) -> None:
    study = open_study(tmp_path / "judged.jsonl", prune=False)
    Pruning(trial_at(study, 5), 0, steps=20)(ValidationRow(10, 0.1, 0.0))


def test_a_trial_that_has_ended_is_not_done_again(whole: SearchFolder) -> None:
    before = (whole.path / "optuna.jsonl").read_bytes()
    for trial in (whole.trials(TrialState.PRUNED)[0], whole.trials(TrialState.COMPLETE)[0]):
        assert try_trial(whole.task(trial)) is None
    assert (whole.path / "optuna.jsonl").read_bytes() == before


def test_a_trial_waits_for_the_worker_of_a_killed_parent_to_save(whole: SearchFolder) -> None:
    task = whole.task(whole.trials(TrialState.COMPLETE)[0])
    held = FileLock(Path(task.folder) / ".lock", thread_local=False)
    held.acquire()
    threading.Timer(0.3, held.release).start()
    assert train_task(task).is_finished


# The search file


def test_ranges_become_values_of_their_fields() -> None:
    search = Search.from_toml(
        RANGE
        + "hidden = { low = 0, high = 256, step = 64 }\nwarmup = { low = 0, high = 1, step = 0.1 }\n"
        + "filters = { choices = [[8, 16], [16, 32]] }\nschedule = { choices = ['linear', 'cosine'] }"
    )
    params = {"learning_rate": 0.001, "hidden": 64, "warmup": 0.3, "filters": "8-16", "schedule": "linear"}
    config = search.configure(params)
    assert (config.optimisation.learning_rate, config.model.blog.hidden, config.optimisation.warmup) == (
        0.001,
        64,
        0.3,
    )
    assert (config.model.blog.filters, config.optimisation.schedule) == ((8, 16), "linear")
    assert search.trials == 40
    assert search.prune
    assert search.start_params == {**params, "learning_rate": 0.0005, "hidden": 0, "warmup": 0.0} | {
        "filters": "16-32",
        "schedule": "constant",
    }


def test_title_and_number_of_trials_make_no_other_search() -> None:
    first = Search.from_toml("title = 'a'\ntrials = 3\n" + RANGE)
    assert first == Search.from_toml("title = 'b'\ntrials = 4 # more\n" + RANGE)
    for other in ("seed = 1\n" + RANGE, "prune = false\n" + RANGE, RANGE.replace("1e-4", "1e-3")):
        assert first != Search.from_toml(other)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected a [range] of fields to search, found none. Add one, such as: learning_rate = {"),
        ("range = 3", "expected a [range] of fields to search, found 3"),
        ("trials = 0\n" + RANGE, "trials: expected a whole number of at least 1, found 0"),
        ("trials = true\n" + RANGE, "trials: expected a whole number of at least 1, found True"),
        (
            "[range]\nhidden = { low = 0, high = 4, step = 2 }",
            "trials: expected at most 3, as the ranges hold no more",
        ),
        ("prune = 1\n" + RANGE, "prune: expected true or false, found 1"),
        ("seed = -1\n" + RANGE, "seed: --seed: expected a whole number of at least 0, found -1"),
        ("trails = 3\n" + RANGE, "there is no key 'trails' in a search. Did you mean 'trials'?"),
        ("preset = 'blogg'\n" + RANGE, "There is no preset 'blogg'. Did you mean 'blog'?"),
        ("[base]\nstep = 3\n" + RANGE, "[base]: there is no field 'step'. Did you mean 'steps'?"),
        ("[base]\nseed = 3\n" + RANGE, "[base]: expected fields other than the seed, found a seed"),
        ("[base]\nvalidate_every = 0\n" + RANGE, "expected validations before the last step to judge by"),
        ("[base]\nsteps = 400\n" + RANGE, "found validate_every = 500 and steps = 400"),
        ("[grid]\nsteps = [1, 2]", "this is a plan of listed variants. Run: digitnet trials search"),
        ("[range]\nfilterz = { choices = [[1], [2]] }", "no field 'filterz'. Did you mean 'filters'?"),
        ("[range]\nseed = { low = 0, high = 9 }", "may choose, found seed. The best of many seeds is luck"),
        ("[range]\ndata = { choices = ['a', 'b'] }", "Accuracies on different data can't be compared"),
        ("[range]\nhidden = 3", "[range] hidden: expected { low = ..., high = ... } or { choices = [...] }"),
        ("[range]\nhidden = { lo = 1, high = 3 }", "hidden: there is no key 'lo' in a range. Did you mean 'low'?"),
        ("[range]\nhidden = { high = 3 }", "[range] hidden: expected low and high, or choices, found high = 3"),
        ("[range]\nhidden = {}", "expected low and high, or choices, found an empty range"),
        ("[range]\nhidden = { low = 9, high = 3 }", "expected a low below its high, found low = 9, high = 3"),
        ("[range]\nhidden = { low = 3, high = 3 }", "a single value belongs into [base]"),
        ("[range]\nhidden = { low = 0.5, high = 3 }", "expected whole numbers, found low = 0.5, high = 3"),
        ("[range]\nhidden = { low = 0, high = true }", "expected whole numbers"),
        ("[range]\nhidden = { low = 0, high = 9, log = true }", "expected a low above 0 where log = true"),
        ("[range]\nhidden = { low = 1, high = 9, log = 1 }", "expected log = true or log = false"),
        (
            "[range]\nhidden = { low = 1, high = 9, step = 2, log = true }",
            "expected a step or log = true, found both",
        ),
        ("[range]\nhidden = { low = 1, high = 9, step = 0 }", "expected a step above 0, found step = 0"),
        ("[range]\nhidden = { low = 1, high = 9, step = -2 }", "expected a step above 0, found step = -2"),
        ("[range]\nhidden = { low = 0, high = 250, step = 64 }", "The last one that is reached is 192"),
        ("[range]\nhidden = { low = -1, high = 9 }", "--hidden: expected a whole number of at least 0, found -1"),
        ("[range]\nkernel_size = { low = 3, high = 7 }", "--kernel-size: expected an odd number, found 4"),
        ("[range]\nwarmup = { low = 0.5, high = 1.5 }", "--warmup: expected a share from 0 to 1, found 1.5"),
        ("[range]\nwarmup = { low = 0.0, high = inf }", "numbers of at most 2 to the power of 53"),
        ("[range]\nwarmup = { low = nan, high = 1 }", "numbers of at most 2 to the power of 53"),
        ("[range]\nwarmup = { low = 'a', high = 1 }", "found low = 'a', high = 1"),
        ("[range]\nschedule = { low = 1, high = 2 }", "expected { choices = [...] }, as this field is no number"),
        ("[range]\nschedule = { choices = [] }", "expected a list of two or more different choices, found []"),
        ("[range]\nschedule = { choices = ['linear'] }", "a list of two or more different choices"),
        ("[range]\nhidden = { choices = [1, 1] }", "a list of two or more different choices, found [1, 1]"),
        ("[range]\nhidden = { choices = [1, -1] }", "--hidden: expected a whole number of at least 0, found -1"),
        ("[range]\nhidden = { choices = [1, 2], low = 0 }", "expected choices alone, or low and high"),
        ("[range]\nfilters = { choices = [[8], [8.5]] }", "--filters: expected a list of whole numbers"),
        ("this is no TOML", "search: "),
    ],
)
def test_a_bad_search_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=r"^search: ") as caught:
        Search.from_toml(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4)


@given(
    st.recursive(
        ANYTHING,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["low", "high", "step", "log", "choices", "x"]), inner)
        ),
        max_leaves=8,
    ),
    st.sampled_from(["hidden", "warmup", "filters", "data", "schedule", "prune", "trials", "range", "base"]),
)
def test_whatever_a_key_holds_it_is_read_or_refused_in_a_sentence(value: object, key: str) -> None:
    top = key in ("prune", "trials", "range", "base")
    try:
        text = tomli_w.dumps(
            {"range": {"hidden": {"low": 0, "high": 99}}, **({key: value} if top else {"range": {key: value}})}
        )
    except TypeError:  # TOML has no null
        return
    try:
        search = Search.from_toml(text)
    except UsageError as refusal:
        assert str(refusal).startswith("search: ")
    else:
        assert search.distributions.keys() == search.ranges.keys()


def test_the_shipped_example_is_a_search() -> None:
    path = Path(__file__).parent.parent.parent / "plans" / "search-blog.toml"
    assert Search.from_file(path).trials == 24


def test_names_that_nothing_is_called_by_are_refused_before_anything_begins(
    drawn_file: Path, tmp_path: Path
) -> None:
    search = search_for(drawn_file, more='schedule = { choices = ["linear", "cosin"] }')
    with pytest.raises(UsageError, match=r"There is no schedule 'cosin'\. Did you mean 'cosine'"):
        run_search(search, tmp_path / "search", Here())
    assert not (tmp_path / "search").exists()


# The command


def test_the_last_line_is_the_command_that_judges_the_best(
    whole: SearchFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["search", str(whole.path / "search.toml"), "--out", str(whole.path), "--jobs", "1"]
    assert main(command) == 0
    printed = capsys.readouterr()
    assert "14 of 14 trials have ended" in printed.out
    assert printed.out.splitlines()[-1].endswith(f"digitnet trials {whole.path}/best.toml --out {whole.path}-best")
    assert "14 trials; the start takes about" in printed.err
    assert "14 trials, 14 of them ended before." in printed.err


def test_a_bad_search_file_is_answered_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wide.toml").write_text("[range]\nfilterz = 3")
    assert main(["search", "wide.toml"]) == 2
    assert main(["search", "nowhere.toml"]) == 2
    said = capsys.readouterr().err
    assert "digitnet: wide.toml: [range]: there is no field 'filterz'" in said
    assert "digitnet: nowhere.toml: expected a search file, found none to read" in said
    assert not (tmp_path / "trials").exists()


def test_without_optuna_the_command_says_what_to_install(digitnet: Command, tmp_path: Path) -> None:
    (tmp_path / "optuna.py").write_text("raise ModuleNotFoundError(\"No module named 'optuna'\", name='optuna')")
    done = digitnet("search", "wide.toml", PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr == "digitnet: this needs optuna. Run: pip install 'digitnet[search]'\n"
