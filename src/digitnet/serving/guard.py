"""What is refused before it reaches a route: foreign hosts and origins, and bodies that are too large.

A page of another site may send requests to this computer's own addresses, by a name that resolves to them (DNS
rebinding) or directly (cross-site requests). Both show in headers that scripts can't set: Host, Origin and
Sec-Fetch-Site (www.w3.org/TR/fetch-metadata).
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 10 * 2**20
"""The most bytes of a request's body."""

MOST_HEADERS = 100
"""Headers of a request; browsers send twenty."""

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """An ASGI application around another that answers what may not reach it, and adds the security headers."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._find_refusal(Headers(scope=scope), scope["method"])
        if refusal is not None:
            status, sentence = refusal
            await JSONResponse({"error": sentence}, status)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, _Limited(receive), send_with_headers)

    def _find_refusal(self, headers: Headers, method: str) -> tuple[int, str] | None:
        if len(headers.raw) > MOST_HEADERS:
            return 431, f"The headers: expected at most {MOST_HEADERS}, found {len(headers.raw):,}."
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if host not in self._hosts:
            return 421, f"Host: expected one of {', '.join(sorted(self._hosts))}, found {host!r}."
        origin = headers.get("origin")
        is_foreign = origin is not None and origin.partition("://")[2] != headers["host"]
        if is_foreign or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            if method in ("GET", "HEAD") and headers.get("sec-fetch-mode") == "navigate":
                return None  # a link on another page may open this one
            return 403, "This service answers its own page and programs only, not the pages of other sites."
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > LARGEST:
            return 413, f"The body: expected at most {LARGEST >> 20} MB. Send a smaller picture."
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
