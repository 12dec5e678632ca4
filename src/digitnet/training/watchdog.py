"""End a process that waits for a lost one for ever.

gloo does not always notice that a process of the group was killed: its collective operation then never returns,
and as it runs outside Python, no signal handler runs either. torchrun asks the remaining processes to end by
SIGTERM, and kills them 30 seconds later, without a word to anybody.
"""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

from torch.distributed import Store  # type: ignore[attr-defined]  # of a C++ module

SECONDS = 20.0
"""After SIGTERM, for a process to end by itself."""


class Watchdog:
    """A thread that waits for SIGTERM, and ends this process if it hangs after it and another one is gone."""

    def __init__(self, store: Store, rank: int, size: int, report: Callable[[], None]) -> None:
        self._report = report
        self._left = threading.Event()
        store.set(f"digitnet/process/{rank}", f"{socket.gethostname()} {os.getpid()}")
        others = [store.get(f"digitnet/process/{k}").decode() for k in range(size) if k != rank]
        # Of those on another machine nothing is known; they may be well.
        self._others = [int(pid) for host, pid in map(str.split, others) if host == socket.gethostname()]
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        # Python notes a signal here at once, wherever the main thread is.
        self._before = -1
        if threading.current_thread() is threading.main_thread():  # no other may ask for it
            self._before = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        threading.Thread(target=self._watch, daemon=True).start()

    def leave(self) -> None:
        """Stop watching."""
        self._left.set()
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._before)
        self._writer.close()

    def _watch(self) -> None:
        with self._reader:
            while signal.SIGTERM not in (numbers := self._reader.recv(64)):
                if not numbers:  # the other end was closed
                    return
        if self._left.wait(SECONDS):
            return
        while all(map(_is_alive, self._others)):
            if self._left.wait(1):
                return
        self._report()
        sys.stderr.flush()
        os._exit(1)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
