"""What is counted and logged of the requests of programs: never what is in them."""

import os
import sys
import time
import uuid

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OBSERVED = "/v1/", "/v2"
_BUCKETS = 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0  # seconds


class Observer:
    """An ASGI application around another that counts, times and logs the requests of programs.

    A log line is a JSON object on standard error. Each request has an ID, which its reply carries as X-Request-ID.
    The page's questions, one for each movement of the pen, are left out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._registry = CollectorRegistry()
        names = ["route", "status"]
        self._count = Counter("digitnet_requests", "Requests of programs", names, registry=self._registry)
        self.refused = Counter("digitnet_requests_refused", "Requests of an overload", registry=self._registry)
        """Those that are refused before they come here."""
        self._seconds = Histogram(
            "digitnet_request_seconds", "Time to answer", ["route"], registry=self._registry, buckets=_BUCKETS
        )

    def write_metrics(self) -> bytes:
        """Write everything that was counted, by all processes if there are several, in the form of Prometheus."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # the library's own switch
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]  # the library has no types
        return generate_latest(together)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(_OBSERVED):
            await self._app(scope, receive, send)
            return
        begin, number, status = time.perf_counter(), uuid.uuid4().hex, 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", number.encode())]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            seconds = time.perf_counter() - begin
            route = getattr(scope.get("route"), "path", "other")  # not the path, of which there are any number
            self._count.labels(route, status).inc()
            self._seconds.labels(route).observe(seconds)
            line = {
                "id": number,
                "method": scope["method"],
                "route": route,
                "status": status,
                "seconds": round(seconds, 6),
            }
            sys.stderr.write(to_json({"time": round(time.time(), 3), **line}).decode() + "\n")
