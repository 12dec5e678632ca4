"""Connections that are closed where a client is too slow, sends headers without end, or there are too many."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

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
        self._is_refused = False
        self._raw_bytes = 0  # that came in a row and were no body
        self._field_bytes = 0  # of the address and the headers

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the clock with the connection: a client may also send nothing at all."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so pause_writing tells of every byte that is not taken
        self._start_clock()
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open.", "Retry-After: 1\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_clock()
        if self._departure is not None:
            self._departure.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come; start the clock for what is missing, and refuse headers without end."""
        self._raw_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._raw_bytes > MOST_HEADER_BYTES:
            self._refuse_headers()
        # A line end between two requests is none of these, but ends uvicorn's own clock.
        is_idle = self.cycle is None or self.cycle.response_complete
        if self._arrival is None and (self._is_arriving or (is_idle and self.timeout_keep_alive_task is None)):
            self._start_clock()

    def on_message_begin(self) -> None:
        """Note that a request arrives."""
        super().on_message_begin()
        self._is_arriving = True
        self._raw_bytes = self._field_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Count the address."""
        self._field_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header or a trailer; those beyond the limit are not kept."""
        self._field_bytes += len(name) + len(value)
        if self._field_bytes <= MOST_HEADER_BYTES:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Refuse headers that are too long; count anew, since trailers may follow the body."""
        if self._field_bytes > MOST_HEADER_BYTES:
            self._refuse_headers()
            return
        self._raw_bytes = self._field_bytes = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count anew."""
        self._raw_bytes = 0
        if not self._is_refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop the clock; close where the request was refused before it was whole, which uvicorn forgets."""
        self._is_arriving = False
        self._raw_bytes = 0
        self._stop_clock()
        if self._is_refused:
            return
        if self.cycle.response_complete:
            self.transport.close()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Start a clock: the client does not take what was sent."""
        super().pause_writing()
        self._watch_departure(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Stop that clock."""
        if self._departure is not None:
            self._departure.cancel()
            self._departure = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP in a sentence like all others."""
        self._refuse(HTTPStatus.BAD_REQUEST, "This is not HTTP/1.1.")

    def _watch_departure(self, size: int) -> None:
        """End the connection unless fewer than `size` bytes wait for the client after SECONDS."""

        def look() -> None:
            left = self.transport.get_write_buffer_size()
            if left >= size:
                self.transport.abort()
            else:
                self._watch_departure(left)

        self._departure = self.loop.call_later(SECONDS, look)

    def _refuse_headers(self) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"Headers: over {MOST_HEADER_BYTES >> 10} KB.")

    def _refuse(self, status: HTTPStatus, sentence: str, headers: str = "") -> None:
        self._is_refused = True
        content = json.dumps({"error": sentence})
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: application/json\r\n{headers}"
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
