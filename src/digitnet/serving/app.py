"""The routes: the page, what it asks, and reading a picture."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from digitnet.errors import DigitnetError, StorageError, nearest
from digitnet.serving.adaptation import AdaptationJob, BusyError
from digitnet.serving.answers import Lesson, Question, Seen, Wanted, answer, describe_model, normalise
from digitnet.serving.guard import LARGEST, Guard, TooLargeError
from digitnet.serving.nearest import TrainingImages
from digitnet.serving.own_digits import Format, OwnDigits
from digitnet.serving.shelf import Model, find_model
from digitnet.serving.static import FILES

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HOSTS = frozenset({"127.0.0.1", "localhost"})


def make_app(
    models: MutableMapping[str, Model], own: OwnDigits, job: AdaptationJob, hosts: frozenset[str] = _HOSTS
) -> ASGIApp:
    """Make the application that serves the page with these models, the first one chosen; for `hosts` only.

    What a person teaches is kept in `own`, and learned by `job`.
    """
    app = FastAPI(title="digitnet", openapi_url=None)
    app.exception_handlers.update(_HANDLERS)
    training_images = TrainingImages()

    @app.get("/")
    def read_page() -> Response:
        return _send(FILES["index.html"])

    @app.get("/page/{name}")
    def read_file(name: str) -> Response:
        return _send(FILES[name]) if name in FILES else _refuse(404, f"There is no file {name!r}.")

    @app.get("/api/models/")
    def list_names() -> list[str]:
        return list(models)

    @app.get("/api/models/{name}")
    def read_model(name: str) -> Any:
        return describe_model(_find(models, name))

    @app.get("/api/models/{name}/mistakes")
    def read_mistakes(name: str) -> Any:
        return _find(models, name).mistakes

    @app.post("/api/models/{name}/answers")
    def read_answers(name: str, question: Question) -> Any:
        return answer(_find(models, name).reader, question)

    @app.post("/api/nearest")
    def find_nearest(seen: Seen) -> Any:
        return training_images.find_nearest(seen.image.array[0, :, :, 0], seen.rival)

    @app.get("/api/own")
    def count_own() -> Any:
        return {"folder": str(own.folder), "counts": own.count()}

    @app.post("/api/own")
    def keep_own(lesson: Lesson) -> Any:
        name = own.keep(normalise(_find(models, "reader").reader, lesson.crop), lesson.label)
        return {"name": name, **count_own()}

    @app.delete("/api/own/{label}/{name}")
    def take_back_own(label: str, name: str) -> Any:
        own.take_back(label, name)
        return count_own()

    @app.get("/api/own/digits.{format}")
    def download_own(format: Format) -> Response:
        name = f"own-digits.{'idx.zip' if format == 'idx' else format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(own.pack(format), media_type="application/octet-stream", headers=headers)

    @app.get("/api/adaptation")
    def read_adaptation() -> Any:
        return job.state

    @app.post("/api/adaptation")
    def start_adaptation(wanted: Wanted) -> Any:
        job.start(_find(models, wanted.model).path)
        return job.state

    @app.post("/v1/read")
    async def read_picture(
        request: Request,
        model: str = "reader",
        single: bool = False,
        digits: int | None = None,
        expect: str | None = None,
    ) -> Any:
        content = await request.body()
        reader = _find(models, model).reader

        def read() -> dict[str, Any]:
            return reader.read(content, single=single, digits=digits, expect=expect).to_json()

        return await anyio.to_thread.run_sync(read)

    return Guard(app, hosts)


def _find(models: Mapping[str, Model], name: str) -> Model:
    model = find_model(models, name)
    if model is None:
        raise _UnknownModelError(f"There is no model {name!r}. {nearest(name, models)}")
    return model


class _UnknownModelError(Exception):
    pass


def _send(file: Path) -> Response:
    return FileResponse(file, media_type=_TYPES[file.suffix], headers={"Cache-Control": "no-cache"})


def _refuse(status: int, sentence: str) -> Response:
    return JSONResponse({"error": sentence}, status)


async def _say_what_is_wrong(request: Request, error: Exception) -> Response:
    statuses: dict[type[Exception], int] = {StorageError: 507, BusyError: 409}
    return _refuse(statuses.get(type(error), 400), str(error))


async def _say_what_is_unknown(request: Request, error: Exception) -> Response:
    return _refuse(404, str(error))


async def _say_what_is_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("body", "query"))
    return _refuse(422, f"{where or 'The request'}: {first['msg']}.")


async def _say_it_is_too_large(request: Request, error: Exception) -> Response:
    return _refuse(413, f"The body: expected at most {LARGEST >> 20} MB. Send a smaller picture.")


async def _say_what_http_says(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    too_large = isinstance(error.__cause__, TooLargeError)  # as FastAPI reports it while it reads JSON
    return (
        await _say_it_is_too_large(request, error) if too_large else _refuse(error.status_code, f"{error.detail}.")
    )


_HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _say_what_http_says,
    DigitnetError: _say_what_is_wrong,
    _UnknownModelError: _say_what_is_unknown,
    RequestValidationError: _say_what_is_invalid,
    TooLargeError: _say_it_is_too_large,
}
