"""How many requests are answered at a time."""

import json

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitnet.serving.inference_api.queues import OverloadedError

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
    A request counts from when its body is whole, so slow clients take nobody's place.
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
        has_place = False
        received: list[Message] = []

        async def receive_and_count() -> Message:
            nonlocal has_place
            if received:
                return received.pop()
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body", False) and not has_place:
                if not self._free:
                    self._refused.inc()
                    raise OverloadedError
                self._free -= 1
                has_place = True
            return message

        try:
            # To ask for the body of a client that waits for "100 Continue" would be to let it in.
            if not any(name == b"expect" for name, _ in scope["headers"]):
                received.append(await receive_and_count())
            await self._app(scope, receive_and_count, send)
        except OverloadedError:
            for part in _REFUSAL:
                await send(part)
        finally:
            self._free += has_place
