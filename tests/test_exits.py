"""Where output can't be written, a command says so in one sentence, and what it made is kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digitnet.run_folder import Run
from processes import DIGITNET, run
from sheets import draw_sheet

FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")

SHORT = ["blog", "--steps", "2", "--hidden", "0"]


def call(*words: str, folder: Path, redirection: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    line = f'exec "$@" {redirection}'
    return subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, *DIGITNET, *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [["data", "show", "mnist"], ["read", "7.png"], ["train", "--help"], ["--help"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_under_the_answer_is_one_sentence(words: list[str], unbuffered: str, tmp_path: Path) -> None:
    draw_sheet(tmp_path / "7.png", "7")
    ended = call(*words, folder=tmp_path, redirection="> /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if not line.startswith("Next, ")]
    assert said == [
        "digitnet: Standard output: can't be written (no space left on device), so the answer is lost. "
        "Send it to a place that can hold it."
    ]


@pytest.mark.parametrize("words", [["data", "show", "mnist"], ["read", "7.png"], ["train", *SHORT]])
def test_a_closed_standard_output_is_one_sentence(words: list[str], tmp_path: Path) -> None:
    draw_sheet(tmp_path / "7.png", "7")
    ended = call(*words, folder=tmp_path, redirection=">&-")
    assert ended.returncode == 1
    assert ended.stderr == "digitnet: Standard output is closed, so an answer has nowhere to go. Open it.\n"


@pytest.mark.parametrize("redirection", ["> /dev/full 2> /dev/full", "2> /dev/full", "2>&-"])
def test_a_run_is_whole_whatever_becomes_of_the_output(redirection: str, tmp_path: Path) -> None:
    ended = call("train", *SHORT, "--out", "run", folder=tmp_path, redirection=redirection)
    assert ended.returncode == ("> /dev/full 2" in redirection)
    run = Run(tmp_path / "run")
    assert run.is_finished and "test" in run.summary and (run.path / "report.html").is_file()


def test_a_reader_that_has_seen_enough_is_no_failure(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        ended = run(*DIGITNET, "train", "--help", stdout=closed, stderr=subprocess.PIPE, capture_output=False)
    assert (ended.returncode, ended.stderr) == (0, "")
