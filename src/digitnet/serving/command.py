"""Serve the page until it is interrupted: the socket, the address, the browser."""

import contextlib
import errno
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from digitnet.errors import UsageError
from digitnet.serving.app import make_app
from digitnet.serving.connections import PatientProtocol
from digitnet.serving.page_api.adaptation import AdaptationJob
from digitnet.serving.page_api.own_digits import OwnDigits
from digitnet.serving.shelf import ADAPTED, add_adapted, list_models

HOST = "127.0.0.1"
"""This computer alone."""


def serve(named: Path | None, port: int, own: Path, *, browser: bool) -> None:
    """Serve the page on this computer, and open it in the browser, until SIGINT or SIGTERM.

    The digits that a person names are kept in the folder `own`.

    Raises ModelError for a model that can't be used, UsageError for a port that can't be had.
    """
    models, digits = list_models(named, own_digits=own), OwnDigits(own.absolute())
    listener = _listen(port)
    address = f"http://{HOST}:{listener.getsockname()[1]}/"  # localhost may be ::1, another program's
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    sys.stderr.write("Your drawing never leaves this computer. Press Ctrl+C to stop.\n")
    job = AdaptationJob(digits.folder, digits.folder / ADAPTED, lambda file: add_adapted(models, file))
    config = uvicorn.Config(
        make_app(models, digits, job),
        http=PatientProtocol,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    if browser:
        threading.Timer(0.1, webbrowser.open, [address]).start()
    try:
        with listener:
            _Server(config).run([listener])
    finally:
        job.stop()


class _Server(uvicorn.Server):
    """A server that ends with exit code 0 when it is asked to stop: that is how every serving ends."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop gracefully at SIGINT and SIGTERM; uvicorn's own raises them again afterwards."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(port: int) -> socket.socket:
    # The protocol is named, since asyncio sets TCP_NODELAY only then; without it an answer takes 40 ms longer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(128)
        return listener
    except (OSError, OverflowError) as error:
        listener.close()
        found = "it in use" if getattr(error, "errno", None) == errno.EADDRINUSE else str(error).lower()
        raise UsageError.mismatch(
            f"--port {port}",
            expected="a free port",
            found=found,
            remedy="Name another, or 0 for any that is free.",
        ) from error
