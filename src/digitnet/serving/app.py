"""The application: the page and what programs ask, behind the guard."""

from collections.abc import MutableMapping
from importlib.metadata import version

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp

from digitnet.serving.guard import Guard
from digitnet.serving.inference_api.routes import Answering, make_protocol_router, make_reading_router
from digitnet.serving.observation import Observer
from digitnet.serving.page_api.adaptation import AdaptationJob
from digitnet.serving.page_api.own_digits import OwnDigits
from digitnet.serving.page_api.routes import make_files_router, make_models_router, make_teaching_router
from digitnet.serving.refusals import HANDLERS
from digitnet.serving.shelf import Model

_HOSTS = frozenset({"127.0.0.1", "localhost"})


def make_app(
    models: MutableMapping[str, Model], own: OwnDigits, job: AdaptationJob, hosts: frozenset[str] = _HOSTS
) -> ASGIApp:
    """Make the application that serves the page with these models, the first one chosen; for `hosts` only.

    What a person teaches is kept in `own`, and learned by `job`.
    """
    app = FastAPI(title="digitnet", version=version("digitnet"), docs_url=None, redoc_url=None)  # which need a CDN
    app.exception_handlers.update(HANDLERS)
    for router in (make_files_router(), make_models_router(models), make_teaching_router(models, own, job)):
        app.include_router(router, include_in_schema=False)
    answering, observer = Answering(models), Observer(app)
    for router in (make_reading_router(answering), make_protocol_router(answering)):
        app.include_router(router)
    app.add_api_route("/metrics", lambda: Response(observer.write_metrics(), media_type=CONTENT_TYPE_LATEST))
    return Guard(observer, hosts)
