"""Workers of a Ray cluster: one of this machine for the occasion, or one that is running already."""

import logging
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeAlias

# Read by Ray when it is imported. For each worker that dies it would print a paragraph to standard output, even
# when told not to log to the driver; the outcome says it in a sentence.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "[Ww]orker.*(died|killed)")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
# `ray start` asks for the token wherever there is one; those who connect must say that they will show it (2.60).
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

from digitnet.engines.address import PATIENCE, check_answers, silent
from digitnet.engines.calls import Stopped, answer, first_line
from digitnet.engines.engine import GRACE, Death
from digitnet.engines.environment import thread_variables
from digitnet.errors import DigitnetError

Ticket: TypeAlias = "ray.ObjectRef[bytes]"

# Answers below 100 kB don't go through it at all; Ray's own default is a third of the machine's memory.
_OBJECT_STORE = 200 * 2**20  # bytes

# The call died with its worker, its machine, or the machine that kept its answer.
_DEATHS = (WorkerCrashedError, OutOfMemoryError, NodeDiedError, ObjectLostError)


class RayWorkers:
    """Hands calls to Ray, one for each worker at a time; without an address, Ray starts here and ends here."""

    def __init__(self, count: int | None, threads: int, address: str | None) -> None:
        self.count = count or 0
        self._threads = threads
        self._address = address
        self._opened = False

    def open(self) -> None:
        """Start a cluster, which takes about five seconds, or connect to the running one."""
        if ray.is_initialized():
            raise DigitnetError("This process uses Ray already, and Ray allows one cluster. Run: ray.shutdown()")
        variables = thread_variables(self._threads) | _KEEP_DEVICES
        settings: dict[str, Any] = {"address": self._address}
        if self._address is None:
            settings = {
                "address": "local",  # with none, Ray would take any cluster that runs on this machine
                "num_cpus": self.count * self._threads,
                "object_store_memory": _OBJECT_STORE,
                "include_dashboard": False,
            }
            # Workers look for modules where this process does, as those of the other engines do.
            variables["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        else:
            _check_running(self._address)
        self._opened = True
        try:
            ray.init(
                **settings, runtime_env={"env_vars": variables}, log_to_driver=False, logging_level=logging.ERROR
            )
        except (RayError, OSError, RuntimeError, ValueError) as fault:
            raise silent("Ray", self._address or "this machine", first_line(fault)) from fault
        if not self.count:
            cores = ray.cluster_resources().get("CPU", 1)  # type: ignore[no-untyped-call]
            self.count = max(1, int(cores) // self._threads)
        # Tries are counted by the engine, the same way for all; Ray's own would be endless when memory runs out.
        self._answer = ray.remote(num_cpus=self._threads, max_retries=0)(answer)

    def start(self, call: bytes) -> Ticket:
        """Hand the call to Ray."""
        return self._answer.remote(call)

    def finished(self, tickets: Collection[Ticket]) -> list[tuple[Ticket, bytes | Death]]:
        """Wait for a call to finish."""
        done, _ = ray.wait(list(tickets), num_returns=1)
        return [(ticket, self._collect(ticket)) for ticket in done]

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Interrupt calls as Ctrl-C would, on which training saves its state; after GRACE kill their workers."""
        running = list(tickets)
        try:
            for ticket in running:
                ray.cancel(ticket)
            _, running = ray.wait(running, num_returns=len(running), timeout=GRACE)
        finally:
            for ticket in running:
                ray.cancel(ticket, force=True)

    def close(self) -> None:
        """End the cluster that was started, or let go of the one that was connected to."""
        if self._opened:
            ray.shutdown()

    def _collect(self, ticket: Ticket) -> bytes | Death:
        try:
            return ray.get(ticket)
        except _DEATHS as fault:
            return Death(f"under Ray ({type(fault).__name__})")
        except RayTaskError as fault:
            if isinstance(fault.cause, Stopped):
                return Death("by a signal")
            raise DigitnetError(
                f"A worker of Ray could not begin a call ({first_line(fault.cause)}). "
                "Install the same version of digitnet on every machine of the cluster."
            ) from fault
        except RayError as fault:
            raise DigitnetError(
                f"{self._address or 'Ray'}: the cluster was lost ({first_line(fault)}). Start it again."
            ) from fault


# A call asks Ray for no GPU, as it may not need one; Ray would then hide those that are there.
_KEEP_DEVICES = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def _check_running(address: str) -> None:
    """Raise DigitnetError within seconds unless Ray answers at `address`.

    In a process of its own, because ray.init tries for two minutes when something else listens there, and exits.
    """
    if address == "auto":  # the cluster of this machine, which Ray looks for in a file
        return
    check_answers("Ray", address, greets=False)
    if address.startswith("ray://"):  # Ray's client, which gives up by itself
        return
    command = [sys.executable, "-m", "ray.scripts.scripts", "status", "--address", address]
    try:
        subprocess.run(command, timeout=PATIENCE, capture_output=True, check=True, text=True)
    except subprocess.TimeoutExpired as fault:
        raise silent("Ray", address, f"no answer in {PATIENCE:.0f} seconds") from fault
    except subprocess.CalledProcessError as fault:
        complaint = fault.stderr.strip().splitlines() or ["something else answers there"]
        raise silent("Ray", address, complaint[-1].partition(". ")[0]) from fault
