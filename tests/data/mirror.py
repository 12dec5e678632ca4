"""A web server with real TLS that hands over the small data set, well or badly."""

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from small import CONTENTS

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@dataclass
class Mirror:
    """What a test knows of its server."""

    address: str
    answers: dict[str, Answer] = field(default_factory=dict)  # by file name; "" is for all others
    requests: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)  # ends the answers that never end


def send(
    handler: BaseHTTPRequestHandler,
    body: bytes,
    code: int = 200,
    kind: str = "application/gzip",
    length: int | None = None,
    **headers: str,
) -> None:
    """Answer with a body; `length` is what the header claims."""
    handler.send_response(code)
    for name, value in {**headers, "Content-Type": kind, "Content-Length": str(length or len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def send_well(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    """Answer as a good mirror does."""
    send(handler, gzip.compress(content))


def send_status(code: int) -> Answer:
    """Answer with an error."""
    return lambda handler, content: send(handler, b"no", code, "text/plain")


@contextmanager
def serve(folder: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool = True) -> Iterator[Mirror]:
    """Run a server on localhost that is trusted through SSL_CERT_FILE."""
    authority = trustme.CA()
    certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(certificate)
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(folder / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
    monkeypatch.setenv("NO_PROXY", "localhost")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.removeprefix("/").removesuffix(".gz")
            mirror.requests.append(name)
            answer = mirror.answers.get(name, mirror.answers.get("", send_well))
            answer(self, CONTENTS.get(name, b""))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 64

        def finish_request(self, request: Any, client_address: Any) -> None:
            with certificate.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)  # type: ignore[arg-type]

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # clients that hang up are what these tests are about

    with Server(("localhost", 0), Handler) as server:
        mirror = Mirror(f"https://localhost:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield mirror
        finally:
            mirror.closing.set()
            server.shutdown()
            thread.join()
