"""What holds for every tracker: it is optional, asked for by name, and follows one process."""

import sys
from pathlib import Path

import pytest

from conftest import SHORT
from digitnet.cli.main import main
from digitnet.cli.options import Tracker
from digitnet.data.dataset import Dataset
from digitnet.errors import UsageError
from digitnet.installation import install_command
from digitnet.run_folder import Run
from digitnet.tracking.track import TRACKERS, track
from digitnet.training.train import train
from processes import run as run_python


def test_the_command_line_offers_every_tracker() -> None:
    assert Tracker.__args__ == tuple(TRACKERS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", TRACKERS)
def test_a_missing_package_is_one_sentence_before_anything_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, f"digitnet.tracking.{name}", raising=False)
    for module in [module for module in sys.modules if module.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--track", name]) == 1
    assert capsys.readouterr().err == f"digitnet: this needs {name}. Run: {install_command(name)}\n"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_tracker_is_refused_before_anything_is_written(drawn: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'tensorboard'"):
        train(SHORT, dataset=drawn, out=tmp_path / "run", track="tensorbord")
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_being_trained_is_not_sent_from_outside(finished: Run) -> None:
    with finished.locked(), pytest.raises(Exception, match="another process is writing"):
        track(finished, "tensorboard")


def test_training_without_a_tracker_loads_none() -> None:
    done = run_python(
        "-c", "import sys, digitnet.training.train; print(*{'mlflow', 'tensorboard'} & {*sys.modules})"
    )
    assert done.stdout == "\n", done.stderr


def test_the_command_sends_finished_runs(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["track", str(finished.path), str(finished.path), "--to", "tensorboard"]) == 0
    assert len(list(finished.path.glob("events.out.tfevents.*"))) == 2
