"""The command line as a person meets it: answers, sentences, exit codes."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Command, assert_equal
from digitnet.cli.main import COMMANDS, main
from digitnet.config import FIELDS
from digitnet.data.dataset import Dataset
from digitnet.installation import install_command
from digitnet.presets import PRESETS
from digitnet.run_folder import Run
from digitnet.training.train import train
from digitnet.wording import flag
from processes import DIGITNET, PATIENCE, count_lines, end, running, wait_until

FAST = ["--steps", "6", "--filters", "2", "--batch-size", "8", "--validation-images", "60", "--threads", "1"]


def commands_named(said: str) -> list[str]:
    """The commands that the last lines of standard error name."""
    return [line.partition(": ")[2] for line in said.splitlines() if line.startswith("Next, ")]


@pytest.mark.acceptance
def test_train_answers_on_standard_output_and_shows_progress_on_standard_error(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    done = digitnet("train", "blog", "--data", drawn_file, "--log-every", 2, *FAST)
    assert done.returncode == 0, done.stderr
    verdict, report = done.stdout.splitlines()
    assert verdict.startswith("Test accuracy 0.") and "of 103 images read wrongly." in verdict
    assert report == "Report: runs/blog-001/report.html"
    assert (tmp_path / "runs/blog-001/report.html").is_file()
    assert "step      2   training accuracy" in done.stderr
    assert "step      6   validation accuracy" in done.stderr

    quiet = digitnet("train", "blog", "--data", drawn_file, "--quiet", *FAST)
    assert quiet.stderr == ""
    assert quiet.stdout.splitlines()[1] == "Report: runs/blog-002/report.html"

    asked = digitnet("evaluate", "runs/blog-002", "--format", "json")
    assert json.loads(asked.stdout)["images"] == 103
    assert asked.stderr == ""
    judged, reported = digitnet("evaluate", "runs/blog-002"), digitnet("report", "runs/blog-002")
    assert judged.stdout.splitlines()[0] == quiet.stdout.splitlines()[0]
    assert reported.stdout == "runs/blog-002/report.html\n"

    assert commands_named(judged.stderr) == ["digitnet report runs/blog-002", "digitnet export runs/blog-002"]
    explain, change = commands_named(reported.stderr)
    assert explain.startswith("digitnet explain runs/blog-002 ")
    assert change.startswith("digitnet train blog ")
    assert commands_named(done.stderr)[0] == explain.replace("002", "001")
    assert len(commands_named(done.stderr)) == 2
    assert {command.split()[1] for command in commands_named(done.stderr + judged.stderr)} <= set(COMMANDS)

    explained = digitnet("explain", "runs/blog-002", 7)
    assert commands_named(explained.stderr) == ["digitnet report runs/blog-002"]
    assert "without another square of its ink" in explained.stderr
    sentence, page = explained.stdout.splitlines()
    assert re.fullmatch(r"Read as \d, [\d.]+%(, but labelled \d)?; the rival is \d, [\d.]+%\.", sentence)
    assert page == "Page: runs/blog-002/explain-7.html"
    assert (tmp_path / "runs/blog-002/explain-7.html").is_file()
    for_programs = digitnet("explain", "runs/blog-002", 7, "--format", "json")
    assert for_programs.stderr == ""
    answer = json.loads(for_programs.stdout)
    assert sentence.startswith(f"Read as {answer['answer']}, ")
    assert answer["page"] == "runs/blog-002/explain-7.html"
    outside = digitnet("explain", "runs/blog-002", 103)
    assert (outside.returncode, outside.stdout) == (2, "")
    assert "from 0 to 102, found 103" in outside.stderr


def test_data_commands_say_how_to_go_on(
    drawn_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "a copy.npz"
    assert main(["data", "convert", str(drawn_file), str(copy), "--to", "npz"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{copy}\n"
    assert commands_named(printed.err) == [f"digitnet train --data '{copy}'"]

    assert main(["data", "show", str(copy), "--validation-images", "60"]) == 0
    assert commands_named(capsys.readouterr().err) == [f"digitnet train --data '{copy}' --validation-images 60"]
    assert main(["data", "show", str(copy), "--validation-images", "60", "--format", "json"]) == 0
    assert commands_named(capsys.readouterr().err) == []


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.acceptance)]
)
def test_a_signal_saves_and_exits_with_its_code_and_resume_ends_as_if_nothing_had_been(
    number: signal.Signals, code: int, digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    flags = [word for pair in _flags().items() for word in pair]
    out = tmp_path / "run"
    command = [*DIGITNET, "train", "blog", "--data", drawn_file, "--out", out]
    # what it says fills a pipe of one page, so that it can't reach its end before the signal reaches it
    with running(*command, *flags, pipesize=4096, cwd=tmp_path) as process:
        wait_until(lambda: count_lines(out / "metrics.jsonl") >= 5, process)
        process.send_signal(number)
        _, said = end(process)
    assert process.returncode == code, said
    assert f"Stopped by {number.name} after step" in said
    assert f"digitnet train --resume --out {out}" in said
    assert "Traceback" not in said
    resumed = digitnet("train", "--resume", "--out", out)
    assert resumed.returncode == 0, resumed.stderr
    whole = train(Run(out).config, out=tmp_path / "whole")
    assert_equal(Run(out), whole)


def _flags() -> dict[str, object]:
    return {
        "--steps": 800, "--filters": 4, "--batch-size": 16, "--validation-images": 60, "--log-every": 1,
        "--save-every": 100, "--validate-every": 200, "--threads": 1, "--augment": "gentle",
    }  # fmt: skip


BAD_COMMANDS: list[tuple[list[object], int, str]] = [
    (["trian"], 2, "Did you mean 'train'?"),
    (["data", "fech"], 2, "Did you mean 'data fetch'?"),
    (["data"], 2, "Known: data convert, data fetch, data show."),
    (["train", "blogg"], 2, "'blog'"),
    (["train", "--data", "mnits"], 2, "'mnist'"),
    (["train", "--data", "nowhere/at/all"], 2, "nowhere/at/all"),
    (["train", "--steps", "0"], 2, "--steps"),
    (["train", "--steps", "many"], 2, "--steps"),
    (["train", "--stepz", "3"], 2, "--stepz"),
    (["train", "--seed", "-1"], 2, "--seed"),
    (["train", "--seed", "banana"], 2, "--seed"),
    (["train", "--seed", str(2**63)], 2, "--seed"),
    (["train", "--device", "cuda"], 1, "--device cuda"),
    (["train", "--device", "abacus"], 2, "--device"),
    (["train", "--network", "blogg"], 2, "'blog'"),
    (["train", "--augment", "gentel"], 2, "'gentle'"),
    (["train", "--preprocessing", "deskw"], 2, "'deskew'"),
    (["train", "--tta", "4"], 2, "--tta"),
    (["train", "--schedule", "cosin"], 2, "'cosine'"),
    (["train", "--out", "/dev/null/run", "--steps", "1"], 1, "/dev/null/run"),
    (["train", "--resume"], 1, "unfinished"),
    (["train", "--resume", "--out", "nowhere"], 1, "nowhere"),
    (["evaluate", "nowhere"], 1, "nowhere"),
    (["report", "nowhere"], 1, "nowhere"),
    (["explain", "nowhere", "3"], 1, "nowhere"),
    (["explain", "nowhere"], 2, "PICTURE|INDEX"),
    (["data", "show", "nowhere"], 2, "nowhere"),
    (["data", "fetch", "mnits"], 2, "'mnist'"),
]
"""Words, the exit code, and what its sentence names; how it reads is for the test of whatever raises it."""


@pytest.mark.parametrize(("words", "code", "named"), BAD_COMMANDS, ids=lambda value: str(value)[:40])
def test_what_a_person_gets_wrong_is_answered_in_one_sentence(
    words: list[object], code: int, named: str, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    try:
        found = main([str(word) for word in words])
    except SystemExit as exit:  # tyro's own
        found = int(exit.code or 0)
    printed = capfd.readouterr()
    assert found == code
    assert named in " ".join(printed.err.split())
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not (tmp_path / "runs").exists()


@pytest.mark.acceptance
def test_a_finished_folder_and_a_damaged_one_are_answered_in_one_sentence(
    digitnet: Command, finished: Run, drawn_file: Path, tmp_path: Path
) -> None:
    run = shutil.copytree(finished.path, tmp_path / "run")
    again = digitnet("train", "blog", "--data", drawn_file, "--out", run, *FAST)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith(f"digitnet: {run}: ")

    (run / "summary.json").unlink()
    other = digitnet("train", "--resume", "--out", run, "--steps", 7)
    assert other.returncode == 1 and "--steps 40 (not 7)" in other.stderr
    whole = digitnet("train", "fast", "--resume", "--out", run)
    assert whole.returncode == 1 and "--network blog (not fast)" in whole.stderr

    (run / "config.toml").write_text("steps = 'many'")
    damaged = digitnet("train", "--resume", "--out", run)
    assert damaged.returncode == 1 and f"{run / 'config.toml'}: " in damaged.stderr
    assert "Traceback" not in again.stderr + other.stderr + damaged.stderr


@pytest.mark.acceptance
def test_an_unfinished_run_is_not_judged(digitnet: Command, finished: Run, tmp_path: Path) -> None:
    run = shutil.copytree(finished.path, tmp_path / "run")
    (run / "summary.json").unlink()
    for command in (["evaluate", run], ["report", run], ["explain", run, 3]):
        done = digitnet(*command)
        assert done.returncode == 1
        assert "--resume" in done.stderr


@pytest.mark.acceptance
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="mounting a tiny disk takes root")
def test_a_full_disk_is_a_sentence_and_the_run_goes_on_when_there_is_room(
    digitnet: Command, drawn_file: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True).returncode:
        pytest.skip("this system does not let a test mount a disk")
    try:
        full = digitnet("train", "blog", "--data", drawn_file, "--out", disk / "run", *FAST, "--filters", 32, 64)
        assert full.returncode == 1
        assert f"digitnet: {disk / 'run'}" in full.stderr
        assert "Traceback" not in full.stderr
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        resumed = digitnet("train", "--resume", "--out", disk / "run")
        assert resumed.returncode == 0, resumed.stderr
    finally:
        subprocess.run(["umount", disk], check=True)


def test_without_torch_the_sentence_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in [name for name in sys.modules if name.startswith("digitnet.training.train")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--steps", "1"]) == 1
    assert f"this needs torch. Run: {install_command('train')}" in capsys.readouterr().err


def test_the_overview_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in COMMANDS)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("digitnet 0.")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main([*name.split(), "--help"])
    assert exit.value.code == 0
    printed = capsys.readouterr().out
    assert (COMMANDS[name].__doc__ or "").splitlines()[0] in printed
    assert f"\n    digitnet {name}" in printed  # an example, on a line of its own
    assert "None" not in printed


def test_every_field_of_the_configuration_is_a_flag_and_every_preset_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    printed = capsys.readouterr().out
    assert all(flag(name) in printed for name in FIELDS)
    assert set(PRESETS) <= set(re.split(r"\W+", printed.partition("\n\n")[0]))  # in the usage


def test_the_reader_of_our_output_may_leave_early(finished: Run, drawn: Dataset) -> None:
    command = f"{sys.executable} -m digitnet evaluate --help | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""


def test_the_test_images_stay_closed_when_asked(
    drawn_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", drawn_file, "--validation-images", 60, "--steps", 20, "--batch-size", 32, "--no-test"]
    assert main(["train", *map(str, words), "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("Validation accuracy ")
    assert commands_named(printed.err) == [f"digitnet evaluate {tmp_path / 'run'}"]
    assert "test" not in Run(tmp_path / "run").summary
    assert not (tmp_path / "run" / "test_logits.npy").exists()


@pytest.mark.parametrize("old", [["--views", "1"], ["--prepare=scale"], ["--not-digits", "0"]])
def test_a_renamed_flag_of_train_keeps_its_old_name_with_a_warning(
    old: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *old, "--data", "nothing", "--out", str(tmp_path / "run")]) == 2
    printed = capsys.readouterr().err
    assert old[0].partition("=")[0] in printed
    assert "There is no data set 'nothing'" in printed


def test_a_tilde_that_the_shell_left_is_the_home_folder(
    drawn_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    assert main(["data", "convert", str(drawn_file), "~/drawn.npz", "--to", "npz"]) == 0
    assert (tmp_path / "home" / "drawn.npz").is_file()
    assert not (tmp_path / "~").exists()
