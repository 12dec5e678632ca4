"""What runs in a worker process of this machine: calls come through a pipe, one after the other, answers go back.

Signals. Ctrl-C in a terminal reaches the whole process group, also the workers. They leave it to the caller, who
sends SIGTERM when it leaves the engine's context; a call that listens to SIGINT itself, as training does, hears it
at once. SIGTERM ends a worker, unless its call listens to it: training saves its state and raises Interrupted, and
with that the worker ends.
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
    """Answer calls until the other end is closed, a signal asks to end, or the parent process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.name != "nt":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # the parent blocked it for the start
    threading.Thread(target=_end_with_parent, args=(grace,), daemon=True).start()
    try:
        pipe.send_bytes(READY)
        while True:
            reply = answer(pipe.recv_bytes())
            sys.stdout.flush()  # what the call printed, in case the next one kills this process
            pipe.send_bytes(reply)
    except (EOFError, OSError, Stopped):
        return


def _end_with_parent(grace: float) -> None:
    """End soon after the parent, however it died: a killed one can't ask for it.

    A thread that waits for the parent works on every system. Linux's PR_SET_PDEATHSIG goes by the thread that
    started the worker, not by the process.
    """
    parent = multiprocessing.parent_process()
    if parent is None:  # this is no worker, but a test that calls `serve`
        return
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
