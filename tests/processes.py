"""Processes as the tests start, watch and end them: one way for all, patient enough for a busy machine."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

if (
    signal.getsignal(signal.SIGINT) == signal.SIG_IGN
):  # as a shell's programs in the background, and their children
    signal.signal(signal.SIGINT, signal.default_int_handler)

PATIENCE = 240.0  # seconds; only what hangs takes so long, however busy the machine is
DIGITNET = ("-m", "digitnet")
Process = subprocess.Popen[str]


def run(*words: object, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run Python with `words` to its end; `options` are those of `subprocess.run`."""
    options = {"capture_output": True, "text": True, "timeout": PATIENCE, **options}
    return subprocess.run(_command(words), **options)


@contextmanager
def running(*words: object, **options: Any) -> Iterator[Process]:
    """Run Python with `words` beside the test; at the end of the block it is killed, and all that it started.

    `options` are those of `subprocess.Popen`; by default both outputs are pipes of text.
    """
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    process: Process = subprocess.Popen(_command(words), **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
        process.communicate()


def end(process: Process) -> tuple[str, str]:
    """Wait until a process has ended; return what it has written to its two outputs."""
    out, error = process.communicate(timeout=PATIENCE)
    return out or "", error or ""


def wait_until(is_so: Callable[[], object], process: Process | None = None) -> None:
    """Wait until something is so; fail when it takes too long, or when `process`, which brings it about, ends."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"{process.args!r} ended with {process.returncode}: {end(process)}")
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def count_lines(file: Path) -> int:
    """Count the whole lines of a file; none where there is no file."""
    return file.read_bytes().count(b"\n") if file.exists() else 0


def is_alive(number: int) -> bool:
    """Say whether a process runs; one that is dead and not yet waited for does not."""
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children(number: int) -> list[psutil.Process]:
    """List the processes that a process has started, the oldest first."""
    return sorted(psutil.Process(number).children(), key=psutil.Process.create_time)


def _command(words: tuple[object, ...]) -> list[str]:
    return [sys.executable, *map(str, words)]
