"""Adapting to a person's own digits, while the page goes on: `digitnet adapt` in a process of its own.

So the server needs no torch, its answers stay quick, and a person can stop it at any time without a loss.
"""

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitnet.errors import DigitnetError

_PROGRAM = sys.executable, "-m", "digitnet"


class BusyError(DigitnetError):
    """It is under way already, perhaps for another page."""


class AdaptationJob:
    """Adapts a model to the digits in `folder`, once at a time; `adapted` receives the new file."""

    def __init__(self, folder: Path, file: Path, adapted: Callable[[Path], None]) -> None:
        self.folder = folder
        self.file = file
        self._adapted = adapted
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._state: dict[str, Any] = {"state": "idle"}

    @property
    def state(self) -> dict[str, Any]:
        """``idle``, ``running`` with `progress`, ``failed`` with `error`, or ``done`` with `result`."""
        return self._state

    def start(self, model: Path) -> None:
        """Start to adapt a copy of `model`; raise BusyError while another is under way."""
        with self._lock:
            if self._state["state"] == "running":
                raise BusyError("Your digits are being learned already. Wait until that is done.")
            words = [*_PROGRAM, "adapt", self.folder, "--model", model, "--out", self.file, "--format", "json"]
            self._process = subprocess.Popen(
                list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
            )
            self._state = {"state": "running", "progress": "Starting."}
        threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()

    def stop(self) -> None:
        """Stop what is under way; the file that was there stays."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.terminate()
            self._process.wait()

    def _follow(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None and process.stderr is not None
        last = ""
        for line in process.stderr:
            last = line.strip() or last
            self._state = {"state": "running", "progress": last}
        answer = process.stdout.read()
        if process.wait() == 0:
            self._adapted(self.file)
            self._state = {"state": "done", "result": json.loads(answer)}
        else:
            self._state = {"state": "failed", "error": last.removeprefix("digitnet: ") or "It was stopped."}
