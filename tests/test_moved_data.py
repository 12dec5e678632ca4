"""A run whose data has moved: a sentence says so, and its new place can be named."""

import shutil
from pathlib import Path

import pytest

from conftest import SHORT, Command
from digitnet.errors import RunError
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run
from digitnet.training.train import train


@pytest.fixture
def on_file(drawn_file: Path, tmp_path: Path) -> Run:
    """A finished run on data of its own, ``data/mine.npz``, in the folder `tmp_path`."""
    place = tmp_path / "data" / "mine.npz"
    place.parent.mkdir()
    shutil.copy(drawn_file, place)
    return train(SHORT.replace(data=str(place), validation_images=5_000), out=tmp_path / "run")


def test_data_that_has_moved_is_asked_for_and_used(on_file: Run, tmp_path: Path) -> None:
    moved = (tmp_path / "data" / "mine.npz").rename(tmp_path / "moved.npz")
    with pytest.raises(
        RunError, match=r"run: was trained on .*mine\.npz, which is gone\. Name its new place with Run\("
    ) as gone:
        evaluate(on_file.path)
    assert "\n" not in str(gone.value)
    assert evaluate(Run(on_file.path, moved)).images == 103


def test_the_command_names_its_flag_for_data_that_has_moved(
    on_file: Run, tmp_path: Path, digitnet: Command
) -> None:
    moved = (tmp_path / "data" / "mine.npz").rename(tmp_path / "moved.npz")
    refused = digitnet("evaluate", on_file.path)
    assert refused.returncode == 1 and refused.stderr.endswith("which is gone. Name its new place with --data.\n")
    for command in ("evaluate", "report", "export"):
        assert digitnet(command, on_file.path, "--data", moved).returncode == 0
    assert digitnet("explain", on_file.path, "3", "--data", moved).returncode == 0


def test_other_data_is_not_taken_for_data_that_has_moved(on_file: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "mine.npz").unlink()
    with pytest.raises(RunError, match="expected fingerprint"):
        evaluate(Run(on_file.path, "mnist"))


def test_a_run_is_resumed_on_data_that_has_moved(on_file: Run, tmp_path: Path) -> None:
    moved = (tmp_path / "data" / "mine.npz").rename(tmp_path / "moved.npz")
    (on_file.path / "summary.json").unlink()
    assert train(out=on_file.path, resume=True, data=str(moved)).is_finished


def test_a_run_on_data_of_a_relative_path_is_evaluated_from_any_folder(
    drawn_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(drawn_file, tmp_path / "mine.npz")
    monkeypatch.chdir(tmp_path)
    run = train(SHORT.replace(data="mine.npz", validation_images=5_000), out=tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert evaluate(run.path).images == 103
