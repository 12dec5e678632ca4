"""Workers that are processes of this machine, each at the end of a pipe of its own.

Not concurrent.futures, loky or joblib: a pool of theirs shares its queues, so one worker that dies breaks the
calls of all (BrokenProcessPool); a pool of one for each worker costs threads, and has no public way to ask a
worker to end before it is killed. A pipe for each worker needs neither threads nor locks: a death is the end of
file on one pipe, and touches no other.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker

from digitnet.engines.engine import GRACE, Death
from digitnet.engines.environment import environment, thread_variables
from digitnet.engines.worker import serve
from digitnet.errors import DigitnetError

# A fork would copy the caller's threads' locks in whatever state they are: torch's may hang in the copy.
_CONTEXT = multiprocessing.get_context("spawn")


class Worker:
    """A process that does one call after the other."""

    def __init__(self, threads: int) -> None:
        self.pipe, theirs = _CONTEXT.Pipe()
        # No daemon: a call may start processes of its own.
        self.process = _CONTEXT.Process(target=serve, args=(theirs, GRACE), name="digitnet worker")
        with environment(thread_variables(threads)), _deaf_to_interrupts():
            self.process.start()
        theirs.close()  # now only the worker has that end, so that its death closes it
        self.ready = False
        self.busy = False

    def receive(self) -> bytes | None:
        """Take the answer to the call, or None when it only said that it is ready; raise EOFError if it died."""
        try:
            message = self.pipe.recv_bytes()
        except OSError as fault:  # it died in the middle of a message
            raise EOFError from fault
        if not self.ready:
            self.ready = True
            return None
        self.busy = False
        return message


class ProcessWorkers:
    """Starts a worker when there is a call for it, up to as many as there may be."""

    def __init__(self, count: int, threads: int) -> None:
        self.count = count
        self._threads = threads
        self._workers: list[Worker] = []

    def open(self) -> None:
        """Nothing to do."""

    def start(self, call: bytes) -> Worker:
        """Send the call to a worker that is free, or to a new one."""
        worker = next((worker for worker in self._workers if not worker.busy), None)
        if worker is None:
            worker = Worker(self._threads)
            self._workers.append(worker)
        worker.busy = True
        with suppress(OSError):  # it died while it was idle, which `finished` will find
            worker.pipe.send_bytes(call)
        return worker

    def finished(self, tickets: Collection[Worker]) -> list[tuple[Worker, bytes | Death]]:
        """Wait for a message or a death; raise DigitnetError when a worker can't even start."""
        found: list[tuple[Worker, bytes | Death]] = []
        ready = set(connection.wait([worker.pipe for worker in tickets]))
        for worker in [worker for worker in tickets if worker.pipe in ready]:
            try:
                message = worker.receive()
            except EOFError:
                found.append((worker, self._bury(worker)))
            else:
                if message is not None:
                    found.append((worker, message))
        return found

    def abandon(self, tickets: Collection[Worker]) -> None:
        """Send SIGTERM, on which training saves its state; after GRACE send SIGKILL."""
        end(tickets)
        self._workers = [worker for worker in self._workers if worker not in tickets]

    def close(self) -> None:
        """End every worker, in the same way."""
        self.abandon(self._workers)

    def _bury(self, worker: Worker) -> Death:
        worker.process.join(GRACE)
        exit_code = worker.process.exitcode
        self.abandon([worker])
        if not worker.ready and exit_code is not None and exit_code > 0:
            raise DigitnetError(
                f"A worker process could not start (exit code {exit_code}); what it printed says why. "
                "A script that uses an engine must do so under: if __name__ == '__main__':"
            )
        return Death(_cause(exit_code))


def end(workers: Collection[Worker]) -> None:
    """Ask workers to end; kill those that have not after GRACE, or when a second Ctrl-C comes."""
    try:
        for worker in workers:
            if worker.busy:
                worker.process.terminate()
            worker.pipe.close()  # which ends one that is idle
        patience = time.monotonic() + GRACE
        for worker in workers:
            worker.process.join(max(0.0, patience - time.monotonic()))
    finally:
        for worker in workers:
            worker.process.kill()
        for worker in workers:
            worker.process.join()


def _cause(exit_code: int | None) -> str:
    if exit_code is None:
        return "by closing its pipe"
    if exit_code < 0:
        return f"by {signal.Signals(-exit_code).name}"
    return f"with exit code {exit_code}"


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Start a process so that Ctrl-C does nothing to it until `serve` has decided about it.

    A mask, because the new process inherits it, and because the caller still gets the Ctrl-C that came meanwhile.
    """
    if os.name == "nt":
        yield
        return
    resource_tracker.ensure_running()  # else the first start does so, and lifts the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
