"""Clusters that were started elsewhere: an engine connects to them, works, and leaves them running."""

import contextlib
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import errands
import pytest

import processes
from digitnet.engines.make import make_engine

pytestmark = pytest.mark.acceptance  # each cluster is started as an administrator would, and takes seconds

# A Ray cluster asks those who connect for its token; this one is only for the cluster of this test.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(__file__).parent),
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_TOKEN": secrets.token_hex(16),
}

RAY_HEAD = """
import logging, time, ray
context = ray.init(address="local", num_cpus=2, include_dashboard=False, logging_level=logging.ERROR)
print("cluster at", context.address_info["gcs_address"], flush=True)
time.sleep(600)
"""

CALLER = """
import itertools, sys
from pathlib import Path
import errands
from digitnet.engines.make import make_engine

name, address, notes = sys.argv[1], sys.argv[2], Path(sys.argv[3])
with make_engine(name, address=address) as engine:
    print(engine.workers)
    print(sorted((o.task, o.result) for o in engine.run(errands.square, range(30))))
    tasks = [(notes, 99 * (number == 2), "exit", number) for number in range(10)]
    print(sorted((o.task[-1], (o.error or "")[:29]) for o in engine.run(errands.note_and_die, tasks)))
    for outcome in engine.run(errands.square_late, itertools.count()):
        break
"""


@contextlib.contextmanager
def program(*arguments: str, says: str) -> Iterator[str]:
    """Run Python with `arguments`, wait for a line with `says`, yield what its group matched, and end it."""
    with processes.running(*arguments, stderr=subprocess.STDOUT, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        said = next(filter(None, (re.search(says, line) for line in process.stdout)), None)
        assert said is not None, f"{process.args!r} ended without saying {says}"
        yield said[1]
        process.terminate()
        processes.end(process)


@pytest.fixture(params=["ray", "dask"])
def cluster(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """A cluster of two workers in processes of its own: the name of its engine and its address."""
    with ExitStack() as running:
        if request.param == "ray":
            address = running.enter_context(program("-c", RAY_HEAD, says=r"cluster at (\S+)"))
        else:
            options = ("--dashboard-address", "127.0.0.1:0")
            scheduler = ("-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", *options)
            address = running.enter_context(program(*scheduler, says=r"Scheduler at: *(\S+)"))
            worker = ("-m", "distributed.cli.dask_worker", address, "--nworkers", "2", "--nthreads", "1", *options)
            running.enter_context(program(*worker, says="(Starting established connection)"))
        yield request.param, address


def test_a_running_cluster_gives_what_this_machine_gives_and_runs_on(
    cluster: tuple[str, str], tmp_path: Path
) -> None:
    with make_engine("processes", workers=2) as engine:
        here = sorted((outcome.task, outcome.result) for outcome in engine.run(errands.square, range(30)))
    for number in range(2):  # the second caller finds the cluster that the first has left
        done = processes.run("-c", CALLER, *cluster, tmp_path / f"notes{number}", env=ENVIRONMENT)
        assert done.returncode == 0, done.stderr
        workers, squares, deaths = done.stdout.splitlines()
        assert int(workers) in (1, 2)  # the second may not have joined yet
        assert squares == str(here)
        died = "The worker died with this tas"
        assert deaths == str([(number, died if number == 2 else "") for number in range(10)])
