"""The program of a worker process of this machine: it receives calls through a pipe and sends answers back.

Signals: Ctrl-C in a terminal reaches the whole process group, and so the workers. They ignore it; the caller sends
SIGTERM when it leaves the engine's context. A call that handles SIGINT itself, as training does, gets it at once.
SIGTERM ends a worker, unless its call handles it: training saves its state and raises Interrupted, which ends the
worker.
"""

import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from digitnet.engines.calls import Stopped, answer

READY = b"ready"


def serve(pipe: Connection, grace: float) -> None:
    """Answer calls until the pipe is closed, a signal asks to end, or the parent process has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name != "nt":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # blocked by the parent for the start
    threading.Thread(target=_end_with_parent, args=(grace,), daemon=True).start()
    try:
        pipe.send_bytes(READY)
        while True:
            reply = answer(pipe.recv_bytes())
            sys.stdout.flush()  # output of the call, in case the next one kills this process
            pipe.send_bytes(reply)
    except (EOFError, OSError, Stopped):
        return


def _end_with_parent(grace: float) -> None:
    """End soon after the parent, even if it was killed and could not ask for it.

    A thread that waits for the parent works on every system. Linux's PR_SET_PDEATHSIG depends on the thread that
    started the worker, not on the process.
    """
    parent = multiprocessing.parent_process()
    if parent is None:  # not a worker, but a test that calls `serve`
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
