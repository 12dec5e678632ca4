"""Many pictures: the table is the same whoever reads them, in whatever order, and however often it was stopped."""

import itertools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitnet.cli.main import main
from digitnet.engines.engine import Engine, Outcome
from digitnet.errors import DigitnetError, PictureError, RunError
from digitnet.modelfile import seal
from digitnet.reading.batch import BATCH_SIZE, Batch, read_here, read_with
from digitnet.reading.network import SHIPPED
from digitnet.reading.options import ReadOptions
from digitnet.reading.reader import Reader
from digitnet.reading.result import Result
from digitnet.reading.table import HEADER, hold_file, to_csv
from processes import DIGITNET, PATIENCE, end, run, running, wait_until
from sheets import draw_folder, draw_sheet

SHEETS = 2 * BATCH_SIZE + 7


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of sheets, some of them blank and some broken; do not change it."""
    folder = tmp_path_factory.mktemp("many") / "scans"
    draw_folder(folder, SHEETS)
    return folder


@pytest.fixture(scope="session")
def table(scans: Path) -> bytes:
    """What reading the sheets one by one says about them, when one stands beside their folder."""
    reader, answers = Reader(), list[Result]()
    for path in sorted(scans.iterdir()):
        name = f"scans/{path.name}"
        try:
            answers.append(Result(name, reader.read(path)))
        except PictureError as error:
            answers.append(Result(name, None, str(error).replace(str(path), name)))
    return (HEADER + to_csv(answers)).encode()


def read(scans: Path, out: Path, *flags: object) -> "subprocess.CompletedProcess[str]":
    return run(*DIGITNET, "read", "scans", "--out", out, *flags, cwd=scans.parent)


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def check_ending(done: "subprocess.CompletedProcess[str]", out: Path) -> None:
    """All that is said of a table that is whole: it has its ten or so broken pictures."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == f"{out}: {SHEETS} pictures.\n"
    broken = len(range(4, SHEETS, 10))
    sentence = f"digitnet: {broken} of {SHEETS} pictures could not be read. {out} says why.\n"
    assert done.stderr.endswith(sentence)


@pytest.mark.parametrize(
    "flags",
    [
        ["--jobs", 1],
        ["--jobs", 2],
        pytest.param(["--engine", "ray", "--jobs", 2], marks=pytest.mark.acceptance),
        pytest.param(["--engine", "dask", "--jobs", 2], marks=pytest.mark.acceptance),
    ],
    ids=lambda flags: " ".join(map(str, flags)),
)
def test_the_table_is_what_reading_one_by_one_gives(
    flags: list[object], scans: Path, table: bytes, tmp_path: Path
) -> None:
    done = read(scans, tmp_path / "answers.csv", *flags)
    check_ending(done, tmp_path / "answers.csv")
    assert (tmp_path / "answers.csv").read_bytes() == table


def test_workers_answer_on_standard_output_too(scans: Path, table: bytes) -> None:
    done = run(*DIGITNET, "read", "scans", "--format", "csv", cwd=scans.parent, text=False)
    assert done.returncode == 1
    assert done.stdout == table
    assert done.stderr.count(b".png: expected ") == len(range(4, SHEETS, 10))


@pytest.mark.parametrize("kills", [2, pytest.param(12, marks=pytest.mark.acceptance)])
def test_killed_again_and_again_it_ends_as_if_nothing_had_been(
    kills: int, scans: Path, table: bytes, tmp_path: Path
) -> None:
    out, chance, before = tmp_path / "answers.csv", random.Random(kills), b""
    command = (*DIGITNET, "read", "scans", "--out", out, "--jobs", 2, "--quiet")
    for _ in range(kills):
        target = len(before) + chance.randrange(len(table) // kills)
        with running(*command, cwd=scans.parent) as process:
            wait_until(lambda target=target: size_of(out) >= target or process.poll() is not None)
            time.sleep(chance.random() / 2)
            process.kill()
            process.wait(PATIENCE)
        after = out.read_bytes()
        assert after.startswith(before) and table.startswith(after)
        before = after
    check_ending(read(scans, out, "--jobs", 2, "--quiet"), out)
    assert out.read_bytes() == table


def test_ctrl_c_leaves_a_table_that_the_same_command_continues(scans: Path, table: bytes, tmp_path: Path) -> None:
    out = tmp_path / "answers.csv"
    with running(*DIGITNET, "read", "scans", "--out", out, "--jobs", 1, cwd=scans.parent) as process:
        wait_until(lambda: size_of(out) > len(HEADER), process)
        process.send_signal(signal.SIGINT)
        _, said = end(process)
    assert process.returncode == 130, said
    assert re.search(rf"{out}: stopped after \d+ of {SHEETS} pictures. The same command continues it.\n$", said)
    check_ending(read(scans, out), out)
    assert out.read_bytes() == table


def test_what_the_table_holds_is_not_read_again(scans: Path, table: bytes, tmp_path: Path) -> None:
    copy, out = shutil.copytree(scans, tmp_path / "scans"), tmp_path / "answers.csv"
    check_ending(read(copy, out), out)
    for picture in copy.iterdir():  # read again, none of them would be a picture
        picture.write_bytes(b"")
    check_ending(read(copy, out), out)
    assert out.read_bytes() == table


def write_half(out: Path, pictures: list[str], options: ReadOptions) -> None:
    with hold_file(out, pictures, options) as file:
        file.write([Result(picture, None, "broken") for picture in pictures[: len(pictures) // 2]])


RESULTS = [Result(f"picture\n{number}", None, "an error, " * (number % 3)) for number in range(20)]


@settings(max_examples=30)  # each waits for the disk
@given(
    cuts=st.lists(st.tuples(st.integers(1, 4), st.floats(0, 1), st.floats(0, 1)), max_size=5),
    rest=st.integers(1, 20),
)
def test_whatever_a_crash_takes_from_the_ends_of_the_files_the_table_becomes_the_same(
    cuts: list[tuple[int, float, float]], rest: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each time some batches are written; then both files lose their ends, the table and its progress."""
    out = tmp_path_factory.mktemp("torn") / "answers.csv"
    pictures = [answer.picture for answer in RESULTS]

    def write(batches: int, size: int) -> int:
        with hold_file(out, pictures, ReadOptions()) as file:
            for _ in range(batches):
                file.write(RESULTS[file.pictures : file.pictures + size])
            return file.errors

    for batches, of_table, of_progress in cuts:
        write(batches, 3)
        progress = out.with_name("answers.csv.progress")
        header = progress.read_bytes().index(b"\n") + 1
        os.truncate(out, round(out.stat().st_size * of_table))
        os.truncate(progress, header + round((progress.stat().st_size - header) * of_progress))
    assert write(len(RESULTS), rest) == len(RESULTS)
    assert out.read_text() == HEADER + to_csv(RESULTS)


def other_model(path: Path) -> Path:
    """Write a model that reads as digitnet's own does, and is another file."""
    model = onnx.load(SHIPPED)
    for entry in model.metadata_props:
        if entry.key == "digitnet.info":
            entry.value = json.dumps(json.loads(entry.value) | {"digitnet": "0.0.0"})
        if entry.key == "digitnet.sha256":
            entry.value = "0" * 64
    path.write_bytes(seal(model.SerializeToString()))
    return path


@pytest.mark.parametrize(
    ("flags", "changed"),
    [
        (["--single"], "single"),
        (["--digits", "2"], "digits"),
        (["--expect", "[0-9]"], "expect"),
        (["--min-probability", "0.5"], "min_probability"),
        (["--model", "other.onnx"], "model"),
        (["more"], "pictures, names"),
    ],
)
def test_a_table_that_was_begun_with_something_else_is_refused_and_left_as_it_is(
    flags: list[str],
    changed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_sheet(tmp_path / "scans" / "a.png", "14")
    draw_sheet(tmp_path / "more" / "b.png", "25")
    other_model(tmp_path / "other.onnx")
    assert main(["read", "scans", "--out", "answers.csv"]) == 0
    before = {path.name: path.read_bytes() for path in tmp_path.glob("answers*")}
    capsys.readouterr()
    assert main(["read", "scans", *flags, "--out", "answers.csv"]) == 1
    assert capsys.readouterr().err == (
        f"digitnet: answers.csv: was begun with something else ({changed}). "
        "Name another file with --out, or remove that one.\n"
    )
    assert {path.name: path.read_bytes() for path in tmp_path.glob("answers*")} == before

    (tmp_path / "answers.csv").unlink()
    assert main(["read", "scans", *flags, "--out", "answers.csv"]) == 0


@pytest.mark.parametrize(
    "progress", [None, b"", b"[]\n", b"{}\n[1]\n", b'{}\n["a", 2, 3]\n', b"{}\n\xff\n", b"7\n1\n"]
)
def test_a_file_that_digitnet_did_not_begin_is_refused_and_left_as_it_is(
    progress: bytes | None, tmp_path: Path
) -> None:
    out = tmp_path / "answers.csv"
    out.write_text("name,wage\n")
    if progress is not None:
        (tmp_path / "answers.csv.progress").write_bytes(progress)
    with pytest.raises(RunError, match=r"answers\.csv: (expected a new file|was begun with something else)"):
        write_half(out, ["a", "b"], ReadOptions())
    assert out.read_text() == "name,wage\n"


def test_two_processes_never_write_the_same_table(tmp_path: Path) -> None:
    with (
        hold_file(tmp_path / "answers.csv", ["a"], ReadOptions()),
        pytest.raises(RunError, match="another process is writing it"),
        hold_file(tmp_path / "answers.csv", ["a"], ReadOptions()),
    ):
        raise AssertionError


class Fickle:
    """In the place of an engine: tasks end in any order, and pictures that `kills` names kill their workers."""

    def __init__(self, chance: random.Random, kills: Callable[[str], bool] = lambda picture: False) -> None:
        self.chance = chance
        self.kills = kills

    def run(self, function: Callable[[Batch], Any], tasks: Iterator[Batch]) -> Iterator[Outcome[Batch, Any]]:
        waiting = list(tasks)
        self.chance.shuffle(waiting)
        for task in waiting:
            if any(map(self.kills, task.pictures)):
                yield Outcome(task, None, "The worker died.")
            else:
                yield Outcome(task, function(task), None)


def fickle(seed: int, kills: Callable[[str], bool] = lambda picture: False) -> Engine:
    return cast(Engine, Fickle(random.Random(seed), kills))


@pytest.fixture
def broken(tmp_path: Path) -> list[str]:
    """Names of many pictures, none of which is there, so that they are answered at once."""
    return [str(tmp_path / f"{number}.png") for number in range(2 * BATCH_SIZE + 5)]


@pytest.mark.parametrize("seed", range(5))
def test_answers_come_in_the_order_of_the_list_in_whatever_order_tasks_end(seed: int, broken: list[str]) -> None:
    batches = list(read_with(fickle(seed), broken, ReadOptions()))
    assert list(itertools.chain(*batches)) == list(read_here(broken, ReadOptions()))


def test_a_table_from_before_an_option_existed_is_continued(tmp_path: Path) -> None:
    out, progress = tmp_path / "answers.csv", tmp_path / "answers.csv.progress"
    write_half(out, ["a", "b"], ReadOptions())
    first, rest = progress.read_text().split("\n", 1)
    older = {name: value for name, value in json.loads(first).items() if name != "min_probability"}
    progress.write_text(json.dumps(older) + "\n" + rest)
    with hold_file(out, ["a", "b"], ReadOptions()) as file:
        assert file.pictures == 1


def test_a_picture_that_kills_workers_is_the_only_one_with_an_error(broken: list[str]) -> None:
    killers = {broken[3], broken[BATCH_SIZE + 1], broken[-1]}
    answers = list(itertools.chain(*read_with(fickle(1, killers.__contains__), broken, ReadOptions())))
    here = list(read_here(broken, ReadOptions()))
    assert [a for a in answers if a.picture not in killers] == [a for a in here if a.picture not in killers]
    assert [a.error for a in answers if a.picture in killers] == [
        f"{picture}: could not be read. The worker died." for picture in broken if picture in killers
    ]


def test_workers_that_can_read_nothing_stop_everything(broken: list[str]) -> None:
    with pytest.raises(DigitnetError, match=f"could not read one of {BATCH_SIZE} pictures"):
        list(read_with(fickle(1, lambda picture: True), broken, ReadOptions()))


def test_a_model_that_workers_cannot_open_is_the_error_of_no_picture(
    tmp_path: Path, broken: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = other_model(tmp_path / "other.onnx")
    batches = read_with(fickle(1), broken, ReadOptions(model=model))
    taken = Fickle.run

    def replaced(
        self: Fickle, function: Callable[[Batch], Any], tasks: Iterator[Batch]
    ) -> Iterator[Outcome[Batch, Any]]:
        shutil.copy(SHIPPED, model)
        return taken(self, function, tasks)

    monkeypatch.setattr(Fickle, "run", replaced)
    with pytest.raises(DigitnetError, match=r"other\.onnx: expected the same file for every worker"):
        list(batches)
