"""Workers that are processes of this machine, each with a pipe of its own.

Not concurrent.futures, loky or joblib: their pools share queues, so one worker that dies breaks the calls of all
(BrokenProcessPool). A pool of one for each worker costs threads, and has no public way to ask a worker to end
before it is killed. A pipe for each worker needs neither threads nor locks: a death is the end of file on its
pipe and affects no other.
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

# A fork would copy the locks of the caller's threads in any state, and torch's might then hang.
_CONTEXT = multiprocessing.get_context("spawn")


class Worker:
    """A process that does one call after another."""

    def __init__(self, threads: int) -> None:
        self.pipe, theirs = _CONTEXT.Pipe()
        # Not a daemon, which could not start processes of its own.
        self.process = _CONTEXT.Process(target=serve, args=(theirs, GRACE), name="digitnet worker")
        with environment(thread_variables(threads)), _interrupts_blocked():
            self.process.start()
        theirs.close()  # so that only the worker has this end, and its death closes the pipe
        self.ready = False
        self.busy = False

    def receive(self) -> bytes | None:
        """Receive the answer to the call, or None if it only reports ready; raise EOFError if it died."""
        try:
            message = self.pipe.recv_bytes()
        except OSError as error:  # it died during a message
            raise EOFError from error
        if not self.ready:
            self.ready = True
            return None
        self.busy = False
        return message


class ProcessWorkers:
    """Starts workers when there are calls for them, up to `count`."""

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
        with suppress(OSError):  # it died while idle, which `finished` will notice
            worker.pipe.send_bytes(call)
        return worker

    def finished(self, tickets: Collection[Worker]) -> list[tuple[Worker, bytes | Death]]:
        """Wait for a message or a death; raise DigitnetError when a worker can't start."""
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
        """Send SIGTERM, at which training saves its state; after GRACE, or at a second Ctrl-C, send SIGKILL."""
        try:
            for worker in tickets:
                if worker.busy:
                    worker.process.terminate()
                worker.pipe.close()  # which ends an idle one
            deadline = time.monotonic() + GRACE
            for worker in tickets:
                worker.process.join(max(0.0, deadline - time.monotonic()))
        finally:
            for worker in tickets:
                worker.process.kill()
            for worker in tickets:
                worker.process.join()
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
                f"A worker process could not start (exit code {exit_code}); its output says why. "
                "A script that uses an engine must do so under: if __name__ == '__main__':"
            )
        return Death(_cause(exit_code))


def _cause(exit_code: int | None) -> str:
    if exit_code is None:
        return "by closing its pipe"
    if exit_code < 0:
        return f"by {signal.Signals(-exit_code).name}"
    return f"with exit code {exit_code}"


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT, so that a new process ignores Ctrl-C until `serve` sets its handler.

    A signal mask, because the new process inherits it, and because the caller gets a Ctrl-C afterwards.
    """
    if os.name == "nt":
        yield
        return
    resource_tracker.ensure_running()  # or the first start does it, and resets the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
