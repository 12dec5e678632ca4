"""What is refused before it reaches a route, what takes too long, and the headers of each reply."""

import asyncio

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitnet.serving.access import Access, Refusal

LARGEST = 10 * 2**20
"""The most bytes of a request's body."""

MOST_HEADERS = 100
"""Headers of a request; browsers send twenty."""

SECONDS_TO_ANSWER = 30.0
"""For a request to be answered, with its time in a queue."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class Guard:
    """An ASGI application around another that answers what may not reach it, and adds the security headers."""

    def __init__(self, app: ASGIApp, access: Access, seconds: float = SECONDS_TO_ANSWER) -> None:
        self._app = app
        self._access = access
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal is_started
            if message["type"] == "http.response.start":
                is_started = True
                message["headers"] = [*message.get("headers", ()), *_RAW_HEADERS]
            await send(message)

        headers = Headers(scope=scope)
        refusal = self._access.find_refusal(scope, headers) or _find_excess(headers)
        if refusal is None:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._app(scope, _Limited(receive), send_with_headers)
                return
            except TimeoutError:
                if is_started:
                    raise
                refusal = Refusal(
                    503, f"This took longer than {self._seconds:g} seconds.", (("Retry-After", "10"),)
                )
        response = JSONResponse({"error": refusal.sentence}, refusal.status, dict(refusal.headers))
        await response(scope, receive, send_with_headers)


def _find_excess(headers: Headers) -> Refusal | None:
    if len(headers.raw) > MOST_HEADERS:
        return Refusal(431, f"The headers: expected at most {MOST_HEADERS}, found {len(headers.raw):,}.")
    length = headers.get("content-length", "0")
    if not length.isdigit() or len(length) > 19 or int(length) > LARGEST:
        return Refusal(413, f"The body: expected at most {LARGEST >> 20} MB. Send a smaller picture.")
    return None


class TooLargeError(Exception):
    """The body went on after the limit."""


class _Limited:
    """Receives a body of at most LARGEST bytes, also where no header says its length."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._received = 0

    async def __call__(self) -> Message:
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > LARGEST:
            raise TooLargeError
        return message
