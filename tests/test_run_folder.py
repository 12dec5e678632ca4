"""Run folders: making, reading, locking, and refusing damaged or foreign files with a sentence."""

import dataclasses
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import BLOG
from digitnet.data.dataset import Dataset
from digitnet.errors import DataError, DigitnetError, RunError
from digitnet.presets import to_command
from digitnet.run_folder import (
    History,
    Run,
    TrainingRow,
    ValidationRow,
    create,
    create_next,
    find_unfinished,
    next_free,
)
from processes import running

CONFIG = BLOG.replace(steps=10, filters=(4, 8), validation_images=60)

FEW = settings(max_examples=40, deadline=None)  # each example makes a folder


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A new run folder."""
    return create(tmp_path / "run", CONFIG, {"data_fingerprint": "d" * 64})


def finish(run: Run) -> None:
    run.write_json("summary.json", {"steps": 10})


def assert_sentence(error: BaseException, place: Path) -> None:
    """Assert that `error` begins with the place, ends with a full stop, and shows no Python."""
    text = str(error)
    assert text.startswith(f"{place}: ")
    assert text.endswith(".")
    assert not re.search(r"__\w+__|Traceback|[a-z]Error\b|<class|has no attribute", text), text


# --- making ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("there_already", [False, True])
def test_a_new_run_holds_its_configuration_and_environment(there_already: bool, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    if there_already:
        path.mkdir(parents=True)
    run = create(path, CONFIG, {"machine": "é"})
    assert Run(path).config == run.config == CONFIG
    assert run.environment == {"machine": "é"}
    assert not run.is_finished


@pytest.mark.parametrize("name", ["config.toml", "notes.txt", "film.part", "folder/file"])
def test_a_folder_with_files_is_refused_and_left_as_it_was(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(RunError, match=r"expected a new or an empty folder.* out.* resume=True") as caught:
        create(tmp_path, CONFIG, {})
    assert_sentence(caught.value, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
    assert file.read_text() == "mine"


def test_files_left_by_a_killed_create_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text('{"machine": "before"}')
    (tmp_path / ".config.toml.77-0a1b2c3d.part").write_text("steps = ")
    run = create(tmp_path, CONFIG, {"machine": "now"})
    assert run.config == CONFIG
    assert run.environment == {"machine": "now"}
    with run.locked():
        assert {path.name for path in tmp_path.iterdir()} - {".lock"} == {"config.toml", "environment.json"}


def test_a_file_in_the_way_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("mine")
    with pytest.raises(RunError, match="expected a new or an empty folder"):
        create(tmp_path / "run", CONFIG, {})
    assert (tmp_path / "run").read_text() == "mine"


@pytest.mark.parametrize("name", ["x" * 300, "file/run"])
def test_an_invalid_path_gets_a_sentence(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DigitnetError) as made:
        create(tmp_path / name, CONFIG, {})
    assert_sentence(made.value, tmp_path / name)
    with pytest.raises(RunError) as opened:
        Run(tmp_path / name)
    assert_sentence(opened.value, tmp_path / name)


# --- reading ---------------------------------------------------------------------------------------------------


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"found none in it\. Name a folder that `digitnet train` made\.") as caught:
        Run(tmp_path)
    assert_sentence(caught.value, tmp_path)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="found no such folder") as caught:
        Run(str(tmp_path / "nowhere"))
    assert_sentence(caught.value, tmp_path / "nowhere")


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"steps =", b"steps = 0", b"stepz = 1", b"steps = 'many'", b"filters = [0]", b"\x00"]
)
def test_a_damaged_configuration_gets_a_sentence(content: bytes, run: Run) -> None:
    file = run.path / "config.toml"
    file.write_bytes(content)
    with pytest.raises(RunError, match=r"can't be read.* Restore the file") as caught:
        _ = Run(run.path).config
    assert_sentence(caught.value, file)


def test_a_run_of_an_older_version_that_can_not_be_read_names_the_command_that_trains_it_anew(run: Run) -> None:
    file = run.path / "config.toml"
    file.write_text(f"ema_decay = 0.9\n{file.read_text()}")
    with pytest.raises(RunError, match="no longer exists") as caught:
        _ = Run(run.path).config
    assert str(caught.value).startswith(f"{file}: ema_decay")
    assert str(caught.value).endswith(f": {to_command(CONFIG)}")


def test_a_removed_configuration_gets_a_sentence(run: Run) -> None:
    opened = Run(run.path)
    (run.path / "config.toml").unlink()
    with pytest.raises(RunError) as caught:
        _ = opened.config
    assert_sentence(caught.value, run.path / "config.toml")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"null", b'"a"', b"\xff", b'{"steps": 1}{'])
@pytest.mark.parametrize("name", ["summary.json", "environment.json"])
def test_a_damaged_json_file_gets_a_sentence(name: str, content: bytes, run: Run) -> None:
    (run.path / name).write_bytes(content)
    with pytest.raises(RunError) as caught:
        _ = run.summary if name == "summary.json" else run.environment
    assert_sentence(caught.value, run.path / name)


def test_a_folder_in_place_of_a_file_gets_a_sentence(run: Run) -> None:
    (run.path / "summary.json").mkdir()
    with pytest.raises(RunError) as caught:
        _ = run.summary
    assert_sentence(caught.value, run.path / "summary.json")


def test_the_summary_of_an_unfinished_run_says_how_to_resume(run: Run) -> None:
    with pytest.raises(RunError, match=r"has not finished.*resume=True") as caught:
        _ = run.summary
    assert_sentence(caught.value, run.path / "summary.json")


def test_a_run_is_finished_when_it_has_a_summary(run: Run) -> None:
    finish(run)
    assert run.is_finished
    assert run.summary == {"steps": 10}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@FEW
@given(st.dictionaries(st.text(), json_values, max_size=4))
def test_json_is_read_back_as_written(content: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = create(Path(folder), CONFIG, {})
        run.write_json("evaluation.json", content)
        assert run.read_json("evaluation.json") == content


numbers = st.floats(allow_nan=False)
training_rows = st.builds(TrainingRow, st.integers(0), numbers, numbers, numbers, numbers, numbers)
validation_rows = st.builds(ValidationRow, st.integers(0), numbers, numbers)


@FEW
@given(st.lists(training_rows | validation_rows, max_size=8))
def test_metrics_are_read_back_as_recorded(rows: list[TrainingRow | ValidationRow]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run = create(Path(folder), CONFIG, {})
        lines = [json.dumps(dataclasses.asdict(row)) + "\n" for row in rows]
        (run.path / "metrics.jsonl").write_text("".join(lines))
        assert run.history == History(
            tuple(row for row in rows if isinstance(row, TrainingRow)),
            tuple(row for row in rows if isinstance(row, ValidationRow)),
        )


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"7\n",
        b"null\n",
        b"[]\n",
        b'"loss"\n',
        b"{}\n",
        b'{"loss": 1}\n',
        b'{"step": 1, "validation_loss": 1, "validation_accuracy": 1, "more": 1}\n',
        b'{"step": 1, "validation_loss": 1, "validation_accuracy": 1}\n{"step": 2, "valid',
    ],
)
def test_damaged_metrics_get_a_sentence(content: bytes, run: Run) -> None:
    file = run.path / "metrics.jsonl"
    file.write_bytes(content)
    with pytest.raises(RunError, match="can't be read") as caught:
        _ = run.history
    assert_sentence(caught.value, file)


def test_missing_metrics_get_a_sentence(run: Run) -> None:
    with pytest.raises(RunError) as caught:
        _ = run.history
    assert_sentence(caught.value, run.path / "metrics.jsonl")


@FEW
@given(st.binary(max_size=60), st.sampled_from(["config.toml", "metrics.jsonl", "summary.json"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        create(Path(folder), CONFIG, {})
        (Path(folder) / name).write_bytes(content)
        run = Run(folder)
        try:
            _ = (run.config, run.history) if name != "summary.json" else run.summary
        except RunError as error:
            assert str(error).startswith(folder)


# --- matching --------------------------------------------------------------------------------------------------


def test_a_run_accepts_its_own_configuration(run: Run) -> None:
    assert run.check_config(dataclasses.replace(CONFIG)) == CONFIG


def test_another_configuration_is_refused_by_the_fields_that_differ(run: Run) -> None:
    asked = CONFIG.replace(steps=20, learning_rate=0.5)
    with pytest.raises(RunError) as caught:
        run.check_config(asked)
    assert_sentence(caught.value, run.path)
    sentence = str(caught.value)
    assert "steps=10 (not 20)" in sentence
    assert "learning_rate=0.0005 (not 0.5)" in sentence
    assert set(re.findall(r"\b(\w+)=", sentence)) == {"steps", "learning_rate"}


def test_other_data_is_refused_by_both_fingerprints_and_another_split_by_its_size(
    run: Run, drawn: Dataset
) -> None:
    assert run.check_data(drawn) is drawn
    with pytest.raises(DataError, match="drawn: expected 60 validation images"):
        run.check_data(dataclasses.replace(drawn, validation=drawn.test))
    other = dataclasses.replace(drawn, fingerprint="e" * 64)
    with pytest.raises(RunError, match=f"expected fingerprint {'d' * 64}, found {'e' * 64}"):
        run.check_data(other)


# --- locking ---------------------------------------------------------------------------------------------------

LOCK = """
import sys
from digitnet.errors import DigitnetError
from digitnet.run_folder import Run
try:
    with Run(sys.argv[1]).locked():
        print("locked", flush=True)
        sys.stdin.readline()
except DigitnetError as error:
    print(type(error).__name__, error, flush=True)
"""


@contextmanager
def locked_by_another_process(run: Run) -> Iterator[str]:
    """Let a second process lock a run until it is killed; yield its output: "locked", or the error."""
    with running("-c", LOCK, run.path, stdin=subprocess.PIPE) as process:
        assert process.stdout
        yield process.stdout.readline().strip()


def test_a_run_is_locked_by_one_process_at_a_time(run: Run) -> None:
    with run.locked(), locked_by_another_process(run) as second:
        assert second.startswith("RunError")
    with locked_by_another_process(run) as second:
        assert second == "locked"
        with pytest.raises(RunError, match="another process is writing to this folder") as caught:
            run.locked().__enter__()
        assert_sentence(caught.value, run.path)
    with run.locked(), locked_by_another_process(run) as second:
        assert second.startswith("RunError")


def test_the_lock_ends_with_its_block(run: Run) -> None:
    with run.locked() as lock, locked_by_another_process(run) as second:
        assert second.startswith("RunError")
    with locked_by_another_process(run) as second:
        assert second == "locked"
    del lock


def test_the_lock_ends_with_an_exception_in_its_block(run: Run) -> None:
    with pytest.raises(ZeroDivisionError) as caught, run.locked():
        _ = 1 / 0
    with locked_by_another_process(run) as second:
        assert second == "locked"
    assert caught.value


def test_a_killed_process_holds_no_lock(run: Run) -> None:
    with locked_by_another_process(run) as second:
        assert second == "locked"
    with run.locked() as lock:
        assert lock


def test_locking_removes_the_temporary_files_of_a_killed_process_and_a_refused_lock_does_not(run: Run) -> None:
    part = run.path / ".metrics.jsonl.1-00000000.part"
    with run.locked():
        part.touch()
        with locked_by_another_process(run) as second:
            assert second.startswith("RunError")
        assert part.exists()
    with run.locked():
        assert not part.exists()
    assert (run.path / "config.toml").exists()


def test_a_lock_that_cannot_be_taken_gets_a_sentence(run: Run) -> None:
    (run.path / ".lock").unlink()
    (run.path / ".lock").mkdir()
    with pytest.raises(DigitnetError) as caught:
        run.locked().__enter__()
    assert_sentence(caught.value, Path(str(caught.value).partition(":")[0]))
    assert str(run.path) in str(caught.value)


# --- choosing --------------------------------------------------------------------------------------------------


def test_a_new_run_takes_the_next_free_name(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        assert create_next(tmp_path / "runs", "blog", CONFIG, {}).path == tmp_path / "runs" / f"blog-00{number}"
    assert create_next(tmp_path / "runs", "other", CONFIG, {}).path.name == "other-001"


def test_concurrent_runs_get_their_own_folders(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        runs = list(pool.map(lambda _: create_next(tmp_path, "blog", CONFIG, {}), range(32)))
    assert sorted(run.path.name for run in runs) == [f"blog-{number:03d}" for number in range(1, 33)]


def test_resuming_takes_the_newest_unfinished_run(tmp_path: Path) -> None:
    for age, name in enumerate(["newest-but-finished", "b", "a", "c"]):
        run = create(tmp_path / "runs" / name, CONFIG, {})
        os.utime(run.path / "config.toml", (1e9 - age, 1e9 - age))
        if "finished" in name:
            finish(run)
    (tmp_path / "runs" / "no-run").mkdir()
    assert find_unfinished(tmp_path / "runs").path == tmp_path / "runs/b"


@pytest.mark.parametrize("finished_runs", [0, 1])
def test_resuming_without_an_unfinished_run_gets_a_sentence(finished_runs: int, tmp_path: Path) -> None:
    for number in range(finished_runs):
        finish(create(tmp_path / f"runs/blog-{number}", CONFIG, {}))
    with pytest.raises(RunError, match=r"expected an unfinished run to resume, found none.* with out") as caught:
        find_unfinished(tmp_path / "runs")
    assert_sentence(caught.value, (tmp_path / "runs").resolve())


others = st.sampled_from(["", "x", "tiny-007", "1.5", "-3", "²", "1_0", " 4", "٣"])


@FEW
@given(st.sampled_from(["blog", "blog-b", "b", "[ab]", "a*b"]), st.sets(st.integers(0, 2_000)), st.sets(others))
def test_the_next_free_name_is_new_and_numbered_above_all_others(
    name: str, taken: set[int], odd: set[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for end in [*(f"{number:03d}" for number in taken), *odd]:
            (Path(folder) / f"{name}-{end}").mkdir()
        (Path(folder) / "blog-b-5000").mkdir()
        path = next_free(Path(folder), name)
        assert not path.exists()
        assert path.parent == Path(folder)
        assert re.fullmatch(re.escape(name) + r"-\d{3,}", path.name)
        assert int(path.name[len(name) + 1 :]) > max(taken, default=0)


def test_the_next_free_name_needs_no_folder(tmp_path: Path) -> None:
    assert next_free(tmp_path / "nowhere", "blog") == tmp_path / "nowhere" / "blog-001"
