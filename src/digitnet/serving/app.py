"""The application: what programs ask, and the page where it is wanted, behind the guard."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from digitnet.serving.access import Access, LocalAccess
from digitnet.serving.admission import Admission
from digitnet.serving.guard import Guard
from digitnet.serving.inference_api.protocol import HEADER
from digitnet.serving.inference_api.routes import Answering, make_protocol_router, make_reading_router
from digitnet.serving.observation import Observer
from digitnet.serving.refusals import HANDLERS
from digitnet.serving.shelf import Model
from digitnet.serving.shortcut import Shortcut


def make_app(
    models: Mapping[str, Model],
    access: Access | None = None,
    page: Sequence[APIRouter] = (),
    origins: Sequence[str] = (),
) -> ASGIApp:
    """Make the application that answers programs with these models, for whom `access` lets in.

    `page` are the routes of the page, none for programs alone. Pages of the sites `origins` may ask, too (CORS).
    """
    # Its pages of the routes need a CDN; there is one of our own.
    app = FastAPI(
        title="digitnet", version=version("digitnet"), docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.exception_handlers.update(HANDLERS)
    for router in page:
        app.include_router(router, include_in_schema=False)
    answering = Answering(models)
    for router in (make_reading_router(answering), make_protocol_router(answering)):
        app.include_router(router)
    short = Shortcut(app, {("POST", "/v1/predict"): answering.predict})
    observer = Observer(Guard(short, access or LocalAccess(tuple(origins))))

    @app.get("/metrics", tags=["Operation"])
    def count_requests() -> Response:
        """Count and time the requests of programs, for Prometheus."""
        return Response(observer.write_metrics(), media_type=CONTENT_TYPE_LATEST)

    admission = Admission(observer, observer.refused)
    return _allow(admission, origins) if origins else admission


def _allow(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let browsers pass what pages of these sites ask, and what they are answered."""
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", HEADER],
        expose_headers=["Retry-After", "X-Request-ID", HEADER],
        allow_private_network=True,
    )
