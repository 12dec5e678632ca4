"""How many requests are answered at a time."""

import json

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_REQUESTS = 64
"""As many as share a call of the network; on one core, more would wait longer than 30 ms or so."""

_CONTENT = json.dumps({"error": "Too many requests wait already. Ask again in a second."}).encode()
_HEADERS = {"Content-Type": "application/json", "Content-Length": str(len(_CONTENT)), "Retry-After": "1"}
_REFUSAL: tuple[Message, Message] = (
    {
        "type": "http.response.start",
        "status": 503,
        "headers": [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()],
    },
    {"type": "http.response.body", "body": _CONTENT},
)


class Admission:
    """An ASGI application around another that refuses requests while too many are answered already.

    It stands first, since under an overload most of the time goes into refusals: these are counted, not logged.
    Requests whose body is still on its way are not among those that count, so slow clients take nobody's place.
    """

    def __init__(self, app: ASGIApp, refused: Counter, most: int = MOST_REQUESTS) -> None:
        self._app = app
        self._refused = refused
        self._free = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        first = await receive()
        received = [first]

        async def receive_again() -> Message:
            return received.pop() if received else await receive()

        if first.get("more_body", False):
            await self._app(scope, receive_again, send)
        elif not self._free:
            self._refused.inc()
            for part in _REFUSAL:
                await send(part)
        else:
            self._free -= 1
            try:
                await self._app(scope, receive_again, send)
            finally:
                self._free += 1
