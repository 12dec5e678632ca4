"""Connections that are closed where a client is too slow, sends headers without end, or there are too many."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

SECONDS = 10.0
"""For a whole request to arrive, and for a client to take what was sent to it: others would stay for ever."""

MOST_CONNECTIONS = 900
"""Below 1,024, the files that a process may usually have open."""

MOST_HEADER_BYTES = 64 * 1024
"""Bytes that come in a row without being part of a body: headers, trailers. httptools itself has no limit."""


class PatientProtocol(HttpToolsProtocol):
    """HTTP/1.1 by uvicorn and httptools, which themselves limit only the time between two requests."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._arrival: asyncio.TimerHandle | None = None  # runs while a request arrives
        self._departure: asyncio.TimerHandle | None = None  # runs while a client does not take its answer
        self._is_arriving = False
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the clock with the connection: a client may also send nothing at all."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self.app = _refuse_connection
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_clock()
        if self._departure is not None:
            self._departure.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come; start the clock for what is missing, and refuse headers without end."""
        self._header_bytes += len(data)
        super().data_received(data)
        if self._header_bytes > MOST_HEADER_BYTES and not self.transport.is_closing():
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers are too long.")
        if self._is_arriving and self._arrival is None:
            self._start_clock()

    def on_message_begin(self) -> None:
        """Note that a request arrives."""
        super().on_message_begin()
        self._is_arriving = True
        self._header_bytes = 0

    def on_headers_complete(self) -> None:
        """Count anew: trailers may follow the body."""
        self._header_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count anew."""
        self._header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock; close where the request was refused before it was whole, which uvicorn forgets."""
        self._is_arriving = False
        self._header_bytes = 0
        self._stop_clock()
        if self.cycle.response_complete:
            self.transport.close()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Start a clock: the client does not take what was sent."""
        super().pause_writing()
        self._departure = self.loop.call_later(SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Stop that clock."""
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP in a sentence like all others."""
        self._refuse(HTTPStatus.BAD_REQUEST, "This is not HTTP/1.1.")

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        content = json.dumps({"error": sentence})
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n"
        self.transport.write(
            f"{head}Content-Length: {len(content)}\r\nConnection: close\r\n\r\n{content}".encode()
        )
        self.transport.close()

    def _start_clock(self) -> None:
        self._arrival = self.loop.call_later(SECONDS, self.transport.close)

    def _stop_clock(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None


async def _refuse_connection(scope: Scope, receive: Receive, send: Send) -> None:
    sentence = {"error": "Too many connections are open. Ask again in a second."}
    await JSONResponse(sentence, 503, {"Retry-After": "1", "Connection": "close"})(scope, receive, send)
