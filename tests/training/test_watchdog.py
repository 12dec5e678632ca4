"""A process that hangs outside Python, and waits for one that is gone, ends with a sentence."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from processes import PATIENCE, end, running

# A mutex that is locked twice: like gloo's wait for a message, no signal interrupts it.
HANGING = """
import ctypes, sys
from torch.distributed import FileStore
from digitnet.training import watchdog

watchdog.SECONDS = 0.5
store = FileStore(sys.argv[1], 2)
store.set("digitnet/process/1", sys.argv[2])
dog = watchdog.Watchdog(store, 0, 2, lambda: sys.stderr.write("One has ended.\\n"))
import signal; signal.signal(signal.SIGTERM, lambda *_: None)
print("waits", flush=True)
mutex, c = ctypes.create_string_buffer(64), ctypes.CDLL(None)
c.pthread_mutex_lock(mutex); c.pthread_mutex_lock(mutex)
"""


def start_another(seconds: int) -> "subprocess.Popen[bytes]":
    """Start the other process of the group, which is there for so long."""
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"])


def name_of(process: "subprocess.Popen[bytes]") -> str:
    """Name a process as the group's store does."""
    return f"{socket.gethostname()} {process.pid}"


def test_it_ends_after_sigterm_when_another_one_is_gone(tmp_path: Path) -> None:
    gone = start_another(0)
    gone.wait(PATIENCE)
    with running("-c", HANGING, tmp_path / "store", name_of(gone)) as process:
        assert process.stdout is not None and process.stdout.readline() == "waits\n"
        process.terminate()
        _, error = end(process)
    assert process.returncode == 1 and error == "One has ended.\n"


def test_it_goes_on_while_all_are_there(tmp_path: Path) -> None:
    other = start_another(1_000)
    try:
        with running("-c", HANGING, tmp_path / "store", name_of(other)) as process:
            assert process.stdout is not None and process.stdout.readline() == "waits\n"
            process.terminate()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(3)
    finally:
        other.kill()
        other.wait()
