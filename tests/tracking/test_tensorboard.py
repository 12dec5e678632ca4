"""TensorBoard shows a run as metrics.jsonl has it, however often the run was stopped, killed and resumed."""

from pathlib import Path

import pytest
from recorded_run import Curves, failing, interrupting, recorded
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from conftest import SHORT
from digitnet import track
from digitnet.data.dataset import Dataset
from digitnet.errors import Interrupted
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run
from digitnet.training.train import train
from processes import run as run_python


def approximately(curves: Curves) -> Curves:
    """The same curves, to the precision of float32, which event files have."""
    return {name: [(step, pytest.approx(value)) for step, value in points] for name, points in curves.items()}


def read(run: Run) -> EventAccumulator:
    return EventAccumulator(str(run.path)).Reload()


def curves(run: Run) -> Curves:
    """Read every curve of a run with TensorBoard's own reader."""
    events = read(run)
    return {tag: [(point.step, point.value) for point in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


@pytest.fixture
def tracked(drawn: Dataset, tmp_path: Path) -> Run:
    return train(SHORT, dataset=drawn, out=tmp_path / "run", track="tensorboard")


def test_the_curves_are_those_of_the_run_folder(tracked: Run) -> None:
    assert curves(tracked) == approximately(recorded(tracked))


def test_the_test_accuracy_appears_when_it_is_measured(tracked: Run, drawn: Dataset) -> None:
    accuracy = evaluate(tracked, drawn).accuracy
    expected = approximately({**recorded(tracked), "accuracy/test": [(40, accuracy)]})
    assert curves(tracked) == expected
    track(tracked, "tensorboard")
    assert curves(tracked) == expected


def test_the_hyperparameters_are_the_fields_of_the_configuration(tracked: Run) -> None:
    content = read(tracked).SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    values = HParamsPluginData.FromString(content).session_start_info.hparams
    assert values["batch_size"].number_value == 32
    assert values["filters"].string_value == "(4, 8)"
    assert values["schedule"].string_value == "cosine"


def test_a_resumed_run_has_each_point_once(drawn: Dataset, tmp_path: Path) -> None:
    for count, step in enumerate((13, 22, 37)):
        with pytest.raises(Interrupted, match=r"track='tensorboard'\)$"):
            train(
                None if count else SHORT, dataset=drawn, out=tmp_path / "run", resume=count > 0,
                progress=interrupting(step), track="tensorboard",
            )  # fmt: skip
    run = train(dataset=drawn, out=tmp_path / "run", resume=True, track="tensorboard")
    assert curves(run) == approximately(recorded(run))


def test_steps_that_were_rolled_back_vanish_also_where_tensorboard_was_watching(
    drawn: Dataset, tmp_path: Path
) -> None:
    config = SHORT.replace(log_every=1, save_every=20)
    with pytest.raises(ZeroDivisionError):
        train(config, dataset=drawn, out=tmp_path / "run", progress=failing(37), track="tensorboard")
    watching = read(Run(tmp_path / "run"))
    assert [point.step for point in watching.Scalars("loss/training")] == list(range(1, 37))
    with pytest.raises(Interrupted):
        train(dataset=drawn, out=tmp_path / "run", resume=True, progress=interrupting(25), track="tensorboard")
    steps = [point.step for point in watching.Reload().Scalars("loss/training")]
    assert steps == list(range(1, 26))
    assert curves(Run(tmp_path / "run")) == approximately(recorded(Run(tmp_path / "run")))


def test_a_run_that_was_resumed_without_it_is_completed_afterwards(drawn: Dataset, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        train(SHORT, dataset=drawn, out=tmp_path / "run", progress=interrupting(22), track="tensorboard")
    run = train(dataset=drawn, out=tmp_path / "run", resume=True)
    assert curves(run) != approximately(recorded(run))
    track(run, "tensorboard")
    assert curves(run) == approximately(recorded(run))


def test_tensorflow_is_not_loaded_where_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('loaded')")
    done = run_python(
        "-c",
        "import sys; sys.path.insert(0, '.'); from digitnet.tracking.tensorboard import SummaryWriter as Writer; "
        "Writer('logs')",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(list((tmp_path / "logs").iterdir())) == 1
