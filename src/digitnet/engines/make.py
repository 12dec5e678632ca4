"""Engines by name: ``make_engine("processes", workers=4)``."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from digitnet.engines.engine import Engine, Workers
from digitnet.engines.processes import ProcessWorkers
from digitnet.errors import UsageError, look_up
from digitnet.installation import install_command

DEFAULT_TRIES = 3


def make_engine(
    name: str = "processes",
    *,
    workers: int | None = None,
    threads: int | None = None,
    address: str | None = None,
    tries: int = DEFAULT_TRIES,
) -> Engine:
    """Make the engine `name` (processes, ray or dask), which starts when it is entered as a context manager.

    `workers` is the number of calls at once: by default one for each core, or as many as the running cluster at
    `address` has room for. `threads` is the number of threads of each: by default its share of the cores, or one
    on a running cluster (Dask's running workers keep theirs). If workers die, a call is tried `tries` times.

    Raises UsageError when the name is unknown, the engine is not installed or a number is out of range. Entering
    the context raises DigitnetError when no cluster answers at `address`.
    """
    make_workers = look_up("engine", name, ENGINES)
    for what, number in (("workers", workers), ("threads", threads), ("tries", tries)):
        if number is not None and (type(number) is not int or number < 1):
            expected = "a whole number of at least 1"
            raise UsageError.mismatch(what, expected=expected, found=repr(number), remedy="Choose another.")
    if address is None:  # this machine, whose cores are divided
        workers = workers or max(1, cores() // (threads or 1))
        threads = threads or max(1, cores() // workers)
    return Engine(make_workers(workers or 0, threads or 1, address), tries)


def cores() -> int:
    """Count the cores that this process may use; a container's CPU quota is not considered."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processes(workers: int, threads: int, address: str | None) -> Workers[Any]:
    if address is not None:
        raise UsageError(
            f"The engine processes runs on this machine and takes no address ({address}). Choose ray or dask."
        )
    return ProcessWorkers(workers, threads)


def _ray(workers: int, threads: int, address: str | None) -> Workers[Any]:
    _require("ray", package="ray")
    from digitnet.engines.ray_cluster import RayWorkers

    return RayWorkers(workers, threads, address)


def _dask(workers: int, threads: int, address: str | None) -> Workers[Any]:
    _require("dask", package="distributed")
    from digitnet.engines.dask_cluster import DaskWorkers

    return DaskWorkers(workers, threads, address)


def _require(engine: str, *, package: str) -> None:
    if find_spec(package) is None:
        raise UsageError(
            f"The engine {engine} is not installed (no package {package!r}). Run: {install_command('cluster')}"
        )


ENGINES: dict[str, Callable[[int, int, str | None], Workers[Any]]] = {
    "processes": _processes,
    "ray": _ray,
    "dask": _dask,
}
"""Each makes the workers of one engine; 0 of them are as many as the running cluster has room for."""
