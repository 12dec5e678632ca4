"""Adapting to a person's own digits, while the page goes on: `digitnet adapt` in a process of its own.

So the server needs no torch, its answers stay quick, and a person can stop it at any time without a loss.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitnet.errors import DigitnetError
from digitnet.files import sweep

_PROGRAM = sys.executable, "-P", "-m", "digitnet"  # -P: never a module of the folder that one happens to be in
_ERROR = "digitnet: "
"""What the program's sentence about a failure begins with."""


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
        """``idle``; ``running`` and `progress`; ``failed`` and `error`; or ``done``, `result` and `model`."""
        return self._state

    def start(self, name: str, model: Path) -> None:
        """Start to adapt a copy of `model`, whose name is `name`; raise BusyError while another is under way."""
        with self._lock:
            if self._state["state"] == "running":
                raise BusyError("Your digits are being learned already. Wait until that is done.")
            words = [*_PROGRAM, "adapt", self.folder, "--model", model, "--out", self.file, "--format", "json"]
            self._process = subprocess.Popen(
                list(map(str, words)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, "PYTHONIOENCODING": "utf-8"},
            )
            self._state = {"state": "running", "progress": "Starting."}
        threading.Thread(target=self._follow, args=(self._process, name), daemon=True).start()

    def stop(self) -> None:
        """Stop what is under way; the file that was there stays."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                self._process.terminate()
            self._process.wait()
            sweep(self.file.parent)

    def _follow(self, process: subprocess.Popen[str], name: str) -> None:
        error = ""
        try:
            assert process.stdout is not None and process.stderr is not None
            for line in process.stderr:
                if line.startswith(_ERROR):
                    error = line.removeprefix(_ERROR).strip()
                elif line.strip():
                    self._state = {"state": "running", "progress": line.strip()}
            answer = process.stdout.read()
            if process.wait() == 0:
                result = json.loads(answer)
                self._adapted(self.file)
                self._state = {"state": "done", "result": result, "model": name}
                return
        except (ValueError, OSError) as failure:
            error = error or str(failure)
        self._state = {"state": "failed", "error": error or "It ended before it was done. Try again."}
