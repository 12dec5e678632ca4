"""Connections that are closed when their request does not arrive in time."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SECONDS = 10.0
"""For a whole request to arrive: otherwise a client that sends byte by byte keeps a connection for ever."""

_ARRIVING = h11.IDLE, h11.SEND_BODY
"""What h11 says of a client whose request is not whole yet."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 by uvicorn and h11, which themselves limit only the time between two requests."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Start the clock with the connection: a client may also send nothing at all."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Start the clock with the first bytes of a further request, and stop it when a request is whole."""
        if self._deadline is None:
            self._deadline = self.loop.call_later(SECONDS, self._give_up)
        super().data_received(data)
        if self.conn.their_state not in _ARRIVING:
            self._stop_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.conn.their_state in _ARRIVING:
            self.transport.close()
