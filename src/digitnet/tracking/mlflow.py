"""Log a run to MLflow: to the server that MLFLOW_TRACKING_URI names, else to mlflow.db in the current folder."""

import os
import time
import warnings
from collections.abc import Mapping

# MLflow reports its use to its makers, unless this is set before it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")  # it writes to standard error
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # where the answers of digitnet go
# A server that is gone would otherwise be asked for minutes, while the training waits.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException

from digitnet.errors import TrackingError
from digitnet.run_folder import Run
from digitnet.tracking.tracker import Status, Tracker, measured, parameters

_EXPERIMENT = "digitnet"
_FILE = "mlflow.json"
_PAUSE = 1.0  # seconds between two requests, so that a distant server does not slow the training down


class MLflowTracker(Tracker):
    """Logs a run to MLflow, once however often it is resumed: the run folder keeps the ID of MLflow's run.

    What MLflow has is not sent again. MLflow can't delete measurements, so those of steps that are taken again
    stay; they are the same.
    """

    name = "mlflow"

    def __init__(self) -> None:
        if "MLFLOW_TRACKING_URI" not in os.environ and not os.access(".", os.W_OK):
            raise TrackingError(  # MLflow would try for minutes
                "mlflow.db: can't be written into the current folder. Run it in another, or name a server with "
                "MLFLOW_TRACKING_URI."
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of libraries that MLflow imports for its database
            self.client = MlflowClient()
            experiment = self.client.get_experiment_by_name(_EXPERIMENT)
        self.experiment = experiment.experiment_id if experiment else self.client.create_experiment(_EXPERIMENT)

    def begin(self, run: Run) -> None:
        """Continue the run in MLflow, or create it, and send what is missing there."""
        self.run = run
        self.id = self._find() or self._create()
        self.client.update_run(self.id, status="RUNNING")
        self.pending: list[Metric] = []
        self.sent_at = time.monotonic()
        names = self.client.get_run(self.id).data.metrics
        self.known = {(name, m.step) for name in names for m in self.client.get_metric_history(self.id, name)}
        for step, values in measured(run):
            self.log(step, values)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Send the values, together with those of the last second."""
        now = int(time.time() * 1_000)
        new = {name: value for name, value in values.items() if (name, step) not in self.known}
        self.known |= {(name, step) for name in new}
        self.pending += [Metric(name, value, now, step) for name, value in new.items()]
        if time.monotonic() - self.sent_at >= _PAUSE:
            self._send()

    def end(self, status: Status) -> None:
        """Send the rest, with config.toml and summary.json, and set the status."""
        self._send()
        for name in ("config.toml", "summary.json"):
            if (self.run.path / name).exists():
                self.client.log_artifact(self.id, str(self.run.path / name))
        self.client.set_terminated(self.id, status)

    def _send(self) -> None:
        self.client.log_batch(self.id, metrics=self.pending)
        self.pending = []
        self.sent_at = time.monotonic()

    def _find(self) -> str | None:
        """Find the run in MLflow by its ID; None if this server never had it, or it was deleted there."""
        if not (self.run.path / _FILE).exists():
            return None
        run_id = str(self.run.read_json(_FILE).get("run_id"))
        try:
            known = self.client.get_run(run_id).info
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return run_id if known.lifecycle_stage == "active" else None

    def _create(self) -> str:
        environment = self.run.environment
        tags = {
            "dataset": self.run.config.images.data,
            "data_fingerprint": environment["data_fingerprint"],
            "command": environment["command"],
            "digitnet": environment["versions"]["digitnet"],
        }
        created = self.client.create_run(self.experiment, tags=tags, run_name=self.run.path.resolve().name)
        run_id: str = created.info.run_id
        self.run.write_json(_FILE, {"run_id": run_id})
        values = parameters(self.run.config)
        self.client.log_batch(run_id, params=[Param(name, str(value)) for name, value in values.items()])
        return run_id
