"""A server that speaks MLflow's protocol, with MLflow's own store behind it: its own server needs 600 MB more."""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from google.protobuf.json_format import MessageToDict, ParseDict
from mlflow.entities import Metric, Param, RunStatus, RunTag
from mlflow.exceptions import MlflowException
from mlflow.protos import service_pb2

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of SQLAlchemy, about MLflow
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore


@contextmanager
def serving(folder: Path) -> Iterator[ThreadingHTTPServer]:
    """Serve a store in a folder, on any free port, until the block ends."""
    store = SqlAlchemyStore(f"sqlite:///{folder}/server.db", str(folder / "artifacts"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            self.answer(address.path, dict(parse_qsl(address.query)))

        def do_POST(self) -> None:
            self.answer(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def answer(self, path: str, asked: dict[str, Any]) -> None:
            try:
                status, said = 200, answer(store, path.partition("/mlflow/")[2], asked)
            except MlflowException as error:
                status, said = error.get_http_status_code(), json.loads(error.serialize_as_json())
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def answer(store: SqlAlchemyStore, route: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Answer a request; raise MlflowException for what the store refuses and for other routes."""
    run_id = asked.get("run_id", "")
    if route == "experiments/get-by-name":
        experiment = store.get_experiment_by_name(asked["experiment_name"])
        if experiment is None:
            raise MlflowException("no such experiment", service_pb2.databricks__pb2.RESOURCE_DOES_NOT_EXIST)
        return {"experiment": _plain(experiment)}
    if route == "experiments/create":
        return {"experiment_id": store.create_experiment(asked["name"])}
    if route == "runs/create":
        message = ParseDict(asked, service_pb2.CreateRun(), ignore_unknown_fields=True)
        tags = [RunTag.from_proto(tag) for tag in message.tags]
        run = store.create_run(message.experiment_id, message.user_id, message.start_time, tags, message.run_name)
        return {"run": _plain(run)}
    if route == "runs/get":
        return {"run": _plain(store.get_run(run_id))}
    if route == "runs/update":
        message = ParseDict(asked, service_pb2.UpdateRun(), ignore_unknown_fields=True)
        status = RunStatus.to_string(message.status)
        info = store.update_run_info(run_id, RunStatus.from_string(status), message.end_time, message.run_name)
        return {"run_info": _plain(info)}
    if route == "runs/log-batch":
        message = ParseDict(asked, service_pb2.LogBatch(), ignore_unknown_fields=True)
        metrics, params = map(Metric.from_proto, message.metrics), map(Param.from_proto, message.params)
        store.log_batch(run_id, list(metrics), list(params), [])
        return {}
    if route == "metrics/get-history":
        return {"metrics": [_plain(metric) for metric in store.get_metric_history(run_id, asked["metric_key"])]}
    raise MlflowException(f"no route {route}", service_pb2.databricks__pb2.ENDPOINT_NOT_FOUND)


def _plain(entity: Any) -> dict[str, Any]:
    return MessageToDict(entity.to_proto(), preserving_proto_field_name=True)
