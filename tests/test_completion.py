"""A shell completes commands, flags, choices and files."""

import shutil
import subprocess
from pathlib import Path

import pytest

from digitnet.cli.completion import SHELLS
from digitnet.cli.main import COMMANDS, main
from digitnet.presets import PRESETS

BASH = shutil.which("bash") or ""
COMPLETE = """
source ./script
compopt() { echo "asked for: $*"; }  # the real one works only while somebody types
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
$(complete -p digitnet | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shell")


def complete(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """Let bash complete the last of the words after ``digitnet``."""
    if not (folder / "script").exists():
        assert main(["--print-completion", "bash"]) == 0
        (folder / "script").write_text(capsys.readouterr().out, encoding="utf-8")
    done = subprocess.run(
        [BASH, "--norc", "-c", COMPLETE, "bash", "digitnet", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.skipif(not BASH, reason="there is no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tr"], ["track", "train", "trials"]),
        (["data", "f"], ["fetch"]),
        (["train", "b"], ["best", "blog"]),
        (["train", "--st"], ["--steps"]),
        (["train", "blog", "--st"], ["--steps"]),
        (["train", "blog", "--steps", "10", "--qu"], ["--quiet"]),
        (["train", "--device", ""], ["auto", "cpu", "cuda", "mps"]),
        (["track", "runs/fast-001", "--to", "m"], ["mlflow"]),
        (["serve", "--allow"], ["--allow-origin"]),
    ],
)
def test_bash_completes(
    words: list[str], expected: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sorted(complete(folder, capsys, *words)) == expected


@pytest.mark.skipif(not BASH, reason="there is no bash")
def test_bash_offers_all_commands_and_presets_and_only_what_is_accepted(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {name.split()[0] for name in COMMANDS} <= set(complete(folder, capsys, ""))
    assert set(PRESETS) <= set(complete(folder, capsys, "train", ""))
    assert "--named" not in complete(folder, capsys, "train", "--n")
    assert sorted(complete(folder, capsys, "train", "--track", "")) == ["mlflow", "tensorboard"]


@pytest.mark.skipif(not BASH, reason="there is no bash")
@pytest.mark.parametrize(
    "words", [["read", "pho"], ["evaluate", "ru"], ["train", "--out", "ru"], ["train", "mine"]]
)
def test_bash_completes_files_where_a_file_may_stand(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert complete(folder, capsys, *words) == ["asked for: -o default", ""]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_completes_files_and_offers_no_none(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--print-completion", shell]) == 0
    script = capsys.readouterr().out
    assert "or ['__TYRO_COMPLETE_FILES__']" in script
    assert "'None'" not in script
    assert "--no-files" not in script


def test_another_shell_is_answered_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--print-completion", "tcsh"]) == 2
    assert "Known: bash, fish, zsh." in capsys.readouterr().err
