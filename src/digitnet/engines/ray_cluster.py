"""Workers of a Ray cluster: a temporary one on this machine, or one that runs already."""

import logging
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeAlias

# Ray reads these when it is imported. For each worker that dies, it would print a paragraph to standard output, in
# spite of log_to_driver=False; the outcome has a sentence about it.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "[Ww]orker.*(died|killed)")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports
# If there is a token, `ray start` requires it; a client must declare that it will send it (ray 2.60).
if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ) or (Path.home() / ".ray" / "auth_token").exists():
    os.environ.setdefault("RAY_AUTH_MODE", "token")

import ray
from ray.exceptions import (
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayError,
    RayTaskError,
    WorkerCrashedError,
)

from digitnet.engines.address import TIMEOUT, check_answers, silent
from digitnet.engines.calls import Stopped, answer, first_line
from digitnet.engines.engine import GRACE, Death
from digitnet.engines.environment import thread_variables
from digitnet.errors import DigitnetError

Ticket: TypeAlias = "ray.ObjectRef[bytes]"

# Results below 100 kB don't use the object store; Ray's default is a third of the machine's memory.
_OBJECT_STORE = 200 * 2**20  # bytes

# The call died with its worker, its machine, or the machine that stored its result.
_DEATHS = (WorkerCrashedError, OutOfMemoryError, NodeDiedError, ObjectLostError)


class RayWorkers:
    """Sends calls to Ray, one at a time for each worker; without an address, it starts a cluster here."""

    def __init__(self, count: int, threads: int, address: str | None) -> None:
        self.count = count  # 0: as many as the running cluster has room for
        self._threads = threads
        self._address = address
        self._opened = False

    def open(self) -> None:
        """Start a cluster, which takes about five seconds, or connect to the running one."""
        if ray.is_initialized():
            raise DigitnetError("This process uses Ray already, and Ray allows one cluster. Run: ray.shutdown()")
        # A call requests no GPU from Ray, as it may not need one; by default, Ray would then hide all GPUs.
        variables = thread_variables(self._threads) | {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
        settings: dict[str, Any] = {"address": self._address}
        if self._address is None:
            settings = {
                "address": "local",  # without it, Ray would use any cluster that runs on this machine
                "num_cpus": self.count * self._threads,
                "object_store_memory": _OBJECT_STORE,
                "include_dashboard": False,
            }
            # Workers search modules where this process does, as with the other engines.
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        else:
            _check_running(self._address)
        self._opened = True
        try:
            ray.init(
                **settings, runtime_env={"env_vars": variables}, log_to_driver=False, logging_level=logging.ERROR
            )
        except (RayError, OSError, RuntimeError, ValueError) as error:
            raise silent("Ray", self._address or "this machine", first_line(error)) from error
        if not self.count:
            cores = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]
            self.count = max(1, int(cores) // self._threads)
        # The engine counts tries, in the same way for all; Ray's would be endless when memory runs out.
        self._answer = ray.remote(num_cpus=self._threads, max_retries=0)(answer)

    def start(self, call: bytes) -> Ticket:
        """Send the call to Ray."""
        return self._answer.remote(call)

    def finished(self, tickets: Collection[Ticket]) -> list[tuple[Ticket, bytes | Death]]:
        """Wait for a call to finish."""
        done, _ = ray.wait(list(tickets), num_returns=1)
        return [(ticket, self._collect(ticket)) for ticket in done]

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Interrupt calls as Ctrl-C would, at which training saves its state; after GRACE, kill their workers."""
        running = list(tickets)
        try:
            for ticket in running:
                ray.cancel(ticket)
            _, running = ray.wait(running, num_returns=len(running), timeout=GRACE)
        finally:
            for ticket in running:
                ray.cancel(ticket, force=True)

    def close(self) -> None:
        """Stop the cluster that was started here, or disconnect from a running one."""
        if self._opened:
            ray.shutdown()

    def _collect(self, ticket: Ticket) -> bytes | Death:
        try:
            return ray.get(ticket)
        except _DEATHS as error:
            return Death(f"under Ray ({type(error).__name__})")
        except RayTaskError as error:
            if isinstance(error.cause, Stopped):
                return Death("by a signal")
            raise DigitnetError(
                f"A worker of Ray could not begin a call ({first_line(error.cause)}). "
                "Install the same version of digitnet on every machine of the cluster."
            ) from error
        except RayError as error:
            raise DigitnetError(
                f"{self._address or 'Ray'}: the cluster was lost ({first_line(error)}). Start it again."
            ) from error


def _check_running(address: str) -> None:
    """Raise DigitnetError within seconds unless Ray answers at `address`.

    In another process, because ray.init tries for two minutes if something else listens there, and exits.
    """
    if address == "auto":  # the cluster of this machine, whose address Ray reads from a file
        return
    check_answers("Ray", address, greets=False)
    if address.startswith("ray://"):  # Ray's client has a timeout of its own
        return
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        subprocess.run(command, timeout=TIMEOUT, capture_output=True, check=True, text=True)
    except subprocess.TimeoutExpired as error:
        raise silent("Ray", address, f"no answer in {TIMEOUT:.0f} seconds") from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["something else answers there"]
        raise silent("Ray", address, lines[-1].partition(". ")[0]) from error
