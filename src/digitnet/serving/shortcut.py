"""A short way to the routes that are asked a thousand times a second."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from digitnet.serving.refusals import find_handler

Endpoint = Callable[[Request], Awaitable[Response]]


class Shortcut:
    """An ASGI application around another that answers some routes by their endpoints alone.

    FastAPI's layers take longer than an image of 28 x 28 pixels does. It still has the routes, to describe them.
    """

    def __init__(self, app: ASGIApp, endpoints: dict[tuple[str, str], Endpoint]) -> None:
        self._app = app
        self._endpoints = endpoints  # by method and path
        self._routes = {(method, path): Route(path, found) for (method, path), found in endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        key = scope.get("method", ""), scope.get("path", "")
        if key not in self._endpoints:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._routes[key]  # as FastAPI notes it
        request = Request(scope, receive)
        try:
            response = await self._endpoints[key](request)
        except Exception as error:
            handle = find_handler(error)
            if handle is None:
                raise
            response = await handle(request, error)
        await response(scope, receive, send)
