"""Serve until interrupted: the socket, the address, the browser, the processes."""

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from digitnet.errors import UsageError
from digitnet.serving.access import TokenAccess, check_origins
from digitnet.serving.address import LOCAL, announce, listen
from digitnet.serving.app import make_app
from digitnet.serving.connections import PatientProtocol
from digitnet.serving.page_api.adaptation import AdaptationJob
from digitnet.serving.page_api.own_digits import OwnDigits
from digitnet.serving.page_api.routes import make_page_routers
from digitnet.serving.shelf import ADAPTED, add_adapted, list_models
from digitnet.wording import answering

TOKEN = "DIGITNET_TOKEN"
"""The environment variable with the token; an argument would show in the list of processes."""

SHORTEST_TOKEN = 16
"""Characters."""


def serve(named: Path | None, port: int, own: Path, *, browser: bool, origins: tuple[str, ...] = ()) -> None:
    """Serve programs and the page on this computer until SIGINT or SIGTERM; open the page in the browser.

    The digits that a person names are kept in the folder `own`. Pages of the sites `origins` may ask, too.

    Raises ModelError for a model that can't be used, UsageError for a port that can't be had, and for what is no
    origin.
    """
    check_origins(origins)
    models, digits = list_models(named, own_digits=own), OwnDigits(own.absolute())
    listener = listen(LOCAL, port)
    address = announce(listener)
    sys.stderr.write("Your drawing never leaves this computer. Press Ctrl+C to stop.\n")
    job = AdaptationJob(digits.folder, digits.folder / ADAPTED, lambda file: add_adapted(models, file))
    app = make_app(models, page=make_page_routers(models, digits, job), origins=origins)
    if browser:
        threading.Timer(0.1, webbrowser.open, [address]).start()
    gc.freeze()  # otherwise each full collection goes through all that was imported, for tens of milliseconds
    try:
        with listener, answering("server"):
            _Server(_configure(app)).run([listener])
    finally:
        job.stop()


def serve_programs(
    named: Path | None, host: str, port: int, workers: int = 1, origins: tuple[str, ...] = ()
) -> None:
    """Serve programs at the address `host` by `workers` processes, without the page, until SIGINT or SIGTERM.

    Anybody but this computer needs the token of the environment variable DIGITNET_TOKEN.

    Raises ModelError for a model that can't be used, UsageError for a missing token, an address that can't be had,
    and what is no origin.
    """
    check_origins(origins)
    token = None if host == LOCAL else _read_token(host)
    make = partial(_make_programs_app, named, token, origins)
    app = make()  # so a model that can't be used is refused before anything starts
    listener = listen(host, port)
    announce(listener)
    sys.stderr.write(f"Programs only, {workers} {'process' if workers == 1 else 'processes'}. Ctrl+C stops.\n")
    with listener, answering("server"), tempfile.TemporaryDirectory() as counts:
        if workers == 1:
            _Server(_configure(app)).run([listener])
            return
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = counts  # where all processes count together
        config = _configure(make, workers)
        Multiprocess(config, [listener]).run()


def _make_programs_app(named: Path | None, token: str | None, origins: tuple[str, ...]) -> ASGIApp:
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    app = make_app(list_models(named), None if token is None else TokenAccess(token), origins=origins)
    gc.freeze()
    return app


def _follow(parent: multiprocessing.process.BaseProcess) -> None:
    """End this process when the one that started it is gone, killed perhaps."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _configure(app: ASGIApp | partial[ASGIApp], workers: int = 1) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=isinstance(app, partial),
        workers=workers,
        http=PatientProtocol,
        loop="asyncio",  # uvloop, where it is installed, was no quicker
        lifespan="off",
        log_level="error",
        access_log=False,
        proxy_headers=False,
        timeout_graceful_shutdown=8,
        ws="none",
    )


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


def _read_token(host: str) -> str:
    token = os.environ.get(TOKEN, "")
    if len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable() and " " not in token:
        return token
    raise UsageError.mismatch(
        f"--host {host}",
        expected=f"a token of at least {SHORTEST_TOKEN} characters in the environment variable {TOKEN}",
        found=f"one of {len(token)} characters, or with others than plain ones" if token else "none",
        remedy=f"Make one: export {TOKEN}=$(openssl rand -hex 32)",
    )
