"""The description of the routes for programs, to read and to try in a browser: Swagger UI, from this computer."""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from digitnet.serving.refusals import refuse

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>digitnet for programs</title>
<link rel="icon" href="page/icon.svg">
<link rel="stylesheet" href="docs/swagger-ui.css">
<div id="routes"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
"""

_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#routes", deepLinking: true});'

_TYPES = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript"}


def make_description_router() -> APIRouter:
    """Make the routes of the page that shows ``/openapi.json``."""
    router = APIRouter()

    @router.get("/docs")
    def read_page() -> HTMLResponse:
        return HTMLResponse(_PAGE)

    @router.get("/docs/start.js")
    def read_start() -> Response:
        return Response(_START, media_type="text/javascript")

    @router.get("/docs/{name}")
    def read_file(name: str) -> Response:
        if name not in _TYPES:
            return refuse(404, f"There is no file {name!r}.")
        content = files("fastapi_offline").joinpath("static", name).read_bytes()  # FastAPI itself names a CDN
        return Response(content, media_type=_TYPES[name])

    return router
