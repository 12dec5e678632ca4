"""Workers of a Dask cluster: a temporary one on this machine, or one that runs already.

Dask runs a call in a thread of its worker, where no signal arrives, so an abandoned call can't save its state. On
a running cluster it continues to its end; a cluster that was started here is stopped nevertheless. A result stays
with its worker until it is fetched; if the worker dies before that, Dask repeats the call.
"""

import logging
from collections.abc import Collection
from concurrent.futures import CancelledError
from contextlib import ExitStack
from typing import TypeAlias

import dask
from distributed import Client, Future, LocalCluster, wait
from distributed.scheduler import KilledWorker

from digitnet.engines.address import TIMEOUT, check_answers, silent
from digitnet.engines.calls import Stopped, answer, first_line
from digitnet.engines.engine import Death
from digitnet.engines.environment import environment, thread_variables
from digitnet.errors import DigitnetError

Ticket: TypeAlias = "Future[bytes]"


class DaskWorkers:
    """Sends calls to Dask, one for each thread of a worker; without an address, it starts a cluster here."""

    def __init__(self, count: int, threads: int, address: str | None) -> None:
        self.count = count  # 0: as many as the running cluster has room for
        self._threads = threads
        self._address = address
        self._opened = ExitStack()

    def open(self) -> None:
        """Start a cluster, which takes about two seconds, or connect to the running one."""
        if self._address is None:
            self._opened.enter_context(environment(thread_variables(self._threads)))
            where = self._opened.enter_context(_start(self.count))
        else:
            check_answers(
                "Dask", self._address, greets="://" not in self._address or self._address.startswith("tcp")
            )
            where = self._address
        try:
            client = Client(where, timeout=TIMEOUT, set_as_default=False)  # type: ignore[no-untyped-call]
        except (OSError, ValueError) as error:
            raise silent("Dask", self._address or "this machine", first_line(error)) from error
        self._client = self._opened.enter_context(client)
        if not self.count:
            self.count = max(1, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]

    def start(self, call: bytes) -> Ticket:
        """Send the call to Dask; not `pure`, or two equal calls would be done once."""
        future: Ticket = self._client.submit(answer, call, pure=False)
        return future

    def finished(self, tickets: Collection[Ticket]) -> list[tuple[Ticket, bytes | Death]]:
        """Wait for a call to finish.

        A finished call is pending again if its worker dies before the result is fetched: Dask repeats it.
        """
        found: list[tuple[Ticket, bytes | Death]] = []
        while not found:
            with self._client.as_current():  # the only way to tell `wait` the client
                done = wait(list(tickets), return_when="FIRST_COMPLETED").done  # type: ignore[no-untyped-call]
            found = [(ticket, self._collect(ticket)) for ticket in done if ticket.status != "pending"]
        return found

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Cancel calls that have not begun; one that runs continues, see above."""
        self._client.cancel(list(tickets))

    def close(self) -> None:
        """Stop the cluster that was started here, or disconnect from a running one."""
        self._opened.close()

    def _collect(self, ticket: Ticket) -> bytes | Death:
        error: BaseException | None = None
        try:
            return ticket.result()  # waits if the call has just become pending again
        except CancelledError:
            pass  # its cluster is gone
        except Exception as raised:
            error = raised
        if isinstance(error, KilledWorker):  # Dask has retried as often as its scheduler allows
            return Death("under Dask (KilledWorker)", times=error.allowed_failures + 1)
        if isinstance(error, Stopped):
            return Death("by a signal")
        if error is not None:
            raise DigitnetError(
                f"A worker of Dask could not begin a call ({first_line(error)}). "
                "Install the same version of digitnet on every machine of the cluster."
            )
        raise DigitnetError(
            f"{self._address or 'Dask'}: the cluster was lost. Start it again, and repeat the command."
        )


def _start(count: int) -> LocalCluster:
    """Start a quiet cluster on this machine whose workers run one call at a time."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):  # the engine counts tries
        return LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # any free port; by default it takes 8787
            silence_logs=logging.CRITICAL,
            memory_limit=0,  # or Dask kills a worker that uses more than its share of memory
        )
