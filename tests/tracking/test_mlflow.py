"""MLflow has one run for each run folder, with every measurement once and the status that it ended with."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mlflow_server import serving
from recorded_run import Calling, Curves, interrupting, recorded

from conftest import SHORT
from digitnet import track
from digitnet.data.dataset import Dataset
from digitnet.errors import Interrupted, TrackingError
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run
from digitnet.tracking.mlflow import MLflowTracker
from digitnet.training.train import train
from processes import run as run_python


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow")


@pytest.fixture(autouse=True)
def in_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)  # mlflow.db is made there, once


@pytest.fixture
def client() -> Any:
    return MLflowTracker().client


def runs(client: Any) -> list[Any]:
    """Every run that MLflow has, the newest first."""
    experiment = client.get_experiment_by_name("digitnet")
    return list(client.search_runs([experiment.experiment_id]))


def curves(client: Any, run_id: str) -> Curves:
    names = client.get_run(run_id).data.metrics
    return {name: sorted((m.step, m.value) for m in client.get_metric_history(run_id, name)) for name in names}


def test_mlflow_has_what_the_run_folder_has(drawn: Dataset, tmp_path: Path, client: Any) -> None:
    run = train(SHORT, dataset=drawn, out=tmp_path / "short-001", track="mlflow")
    logged = runs(client)[0]
    assert logged.info.run_name == "short-001"
    assert logged.info.status == "FINISHED"
    assert curves(client, logged.info.run_id) == recorded(run)
    assert logged.data.params["filters"] == "(4, 8)"
    assert logged.data.params["learning_rate"] == "0.003"
    assert logged.data.tags["dataset"] == "mnist"
    assert not any("git" in tag.split(".") for tag in logged.data.tags)
    assert {file.path for file in client.list_artifacts(logged.info.run_id)} == {"config.toml", "summary.json"}

    accuracy = evaluate(run, drawn).accuracy
    track(run, "mlflow")  # sends nothing twice
    assert curves(client, logged.info.run_id) == {**recorded(run), "accuracy/test": [(40, accuracy)]}
    assert client.get_run(logged.info.run_id).info.status == "FINISHED"


def test_a_resumed_run_is_continued_and_has_each_point_once(drawn: Dataset, tmp_path: Path, client: Any) -> None:
    before = len(runs(client))
    out = tmp_path / "run"
    with pytest.raises(Interrupted, match=r"track='mlflow'\)$"):
        train(SHORT, dataset=drawn, out=out, progress=interrupting(25), track="mlflow")
    assert runs(client)[0].info.status == "KILLED"
    for file in out.glob("checkpoint*"):  # so that the steps are taken again
        file.unlink()
    with pytest.raises(Interrupted):
        train(dataset=drawn, out=out, resume=True, progress=interrupting(33))  # not tracked
    run = train(dataset=drawn, out=out, resume=True, track="mlflow")
    assert len(runs(client)) == before + 1
    assert runs(client)[0].info.status == "FINISHED"
    assert curves(client, runs(client)[0].info.run_id) == recorded(run)


def test_a_run_that_fails_is_marked_as_failed(drawn: Dataset, tmp_path: Path, client: Any) -> None:
    def fail(row: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        train(SHORT, dataset=drawn, out=tmp_path / "run", track="mlflow", on_validation=fail)
    assert runs(client)[0].info.status == "FAILED"


def test_a_run_that_was_deleted_in_mlflow_is_sent_anew(finished: Run, client: Any) -> None:
    track(finished, "mlflow")
    first = runs(client)[0].info.run_id
    client.delete_run(first)
    track(finished, "mlflow")
    assert runs(client)[0].info.run_id != first
    assert curves(client, runs(client)[0].info.run_id) == recorded(finished)


@pytest.fixture
def own_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/own.db")
    yield tmp_path / "own.db"


def test_a_database_that_breaks_costs_one_remark_and_nothing_of_the_run(
    drawn: Dataset, finished: Run, tmp_path: Path, own_database: Path
) -> None:
    notes = Calling(12, lambda: own_database.write_bytes(b"broken" * 10_000))
    run = train(SHORT, dataset=drawn, out=tmp_path / "run", track="mlflow", progress=notes)
    evaluate(run, drawn)
    remarks = [text for text in notes.messages if "track" in text]
    assert len(remarks) == 1
    assert remarks[0].startswith("mlflow: the run could not be tracked (")
    assert remarks[0].endswith(f"digitnet track {run.path} --to mlflow")
    assert run.history == finished.history
    with pytest.raises(TrackingError, match="mlflow: the run could not be tracked"):
        track(run, "mlflow")
    own_database.unlink()


def test_a_failure_after_ctrl_c_names_its_own_cause(drawn: Dataset, tmp_path: Path, own_database: Path) -> None:
    def break_and_interrupt() -> None:
        own_database.write_bytes(b"broken" * 10_000)
        signal.raise_signal(signal.SIGINT)

    notes = Calling(12, break_and_interrupt)
    with pytest.raises(Interrupted):
        train(SHORT, dataset=drawn, out=tmp_path / "run", track="mlflow", progress=notes)
    (remark,) = [text for text in notes.messages if "track" in text]
    assert "not a database" in remark
    own_database.unlink()


def test_a_server_that_dies_costs_one_remark_and_gets_the_rest_when_it_is_back(
    drawn: Dataset,
    finished: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("digitnet.tracking.mlflow._PAUSE", 0)  # so that some of it arrives
    with serving(tmp_path) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")

        def die() -> None:
            server.shutdown()
            server.server_close()

        notes = Calling(22, die)
        run = train(SHORT, dataset=drawn, out=tmp_path / "run", track="mlflow", progress=notes)
    accuracy = evaluate(run, drawn).accuracy
    remarks = [text for text in notes.messages if "track" in text]
    assert len(remarks) == 1
    assert "Connection refused" in remarks[0]
    assert run.history == finished.history

    with serving(tmp_path) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.server_port}")
        client = MLflowTracker().client
        run_id = run.read_json("mlflow.json")["run_id"]
        assert [step for step, _ in curves(client, run_id)["loss/training"]] == [10, 20]
        track(run, "mlflow")
        assert curves(client, run_id) == {**recorded(run), "accuracy/test": [(40, accuracy)]}
        assert client.get_run(run_id).info.status == "FINISHED"
    assert capsys.readouterr().out == ""  # MLflow would print where to look at the run


def test_a_server_that_is_not_there_is_reported_before_anything_is_trained(
    drawn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(TrackingError, match="mlflow: the run could not be tracked"):
        train(SHORT, dataset=drawn, out=tmp_path / "run", track="mlflow")
    assert not (tmp_path / "run").exists()


def test_mlflow_prints_nothing_and_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    ours = "from digitnet.tracking.mlflow import MLflowTracker; MLflowTracker(); "
    asks = "from mlflow.telemetry import get_telemetry_client; print(get_telemetry_client())"
    kept = {name: value for name, value in os.environ.items() if name not in _TELEMETRY_IS_OFF}
    for number, program in enumerate((ours + asks, asks)):
        home = tmp_path / str(number)
        home.mkdir()
        done = run_python("-c", program, cwd=home, env={**kept, "HOME": str(home)})
        assert done.returncode == 0, done.stderr
        assert (done.stdout == "None\n") == (number == 0)
        assert (not (home / ".config").exists()) == (number == 0)
        assert done.stderr == ""


_TELEMETRY_IS_OFF = ("CI", "DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "PYTEST_CURRENT_TEST")
