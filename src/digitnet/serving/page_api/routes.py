"""The routes of the page: its files, and what it asks."""

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from digitnet.serving.page_api.adaptation import AdaptationJob
from digitnet.serving.page_api.answers import Lesson, Question, Seen, Wanted, answer, describe_model, normalise
from digitnet.serving.page_api.description import make_description_router
from digitnet.serving.page_api.nearest import TrainingImages
from digitnet.serving.page_api.own_digits import Format, OwnDigits
from digitnet.serving.refusals import refuse
from digitnet.serving.shelf import Model, get_model
from digitnet.serving.static import FILES

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def make_page_routers(
    models: MutableMapping[str, Model], own: OwnDigits, job: AdaptationJob
) -> tuple[APIRouter, ...]:
    """Make the routes of the page with these models, the first one chosen.

    What a person teaches is kept in `own`, and learned by `job`.
    """
    return (
        _make_files_router(),
        make_description_router(),
        _make_models_router(models),
        _make_teaching_router(models, own, job),
    )


def _make_files_router() -> APIRouter:
    """Make the routes of the page's own files."""
    router = APIRouter()

    @router.get("/")
    def read_page() -> Response:
        return _send(FILES["index.html"])

    @router.get("/page/{name}")
    def read_file(name: str) -> Response:
        return _send(FILES[name]) if name in FILES else refuse(404, f"There is no file {name!r}.")

    return router


def _make_models_router(models: Mapping[str, Model]) -> APIRouter:
    """Make the routes that answer about drawings with these models, the first one chosen."""
    router = APIRouter(prefix="/api")
    training_images = TrainingImages()

    @router.get("/models/")
    def list_names() -> list[str]:
        return list(models)

    @router.get("/models/{name}")
    def read_model(name: str) -> Any:
        return describe_model(get_model(models, name))

    @router.get("/models/{name}/mistakes")
    def read_mistakes(name: str) -> Any:
        return get_model(models, name).mistakes

    @router.post("/models/{name}/answers")
    def read_answers(name: str, question: Question) -> Any:
        return answer(get_model(models, name).reader, question)

    @router.post("/nearest")
    def find_nearest(seen: Seen) -> Any:
        return training_images.find_nearest(seen.image.array[0, :, :, 0], seen.rival)

    return router


def _make_teaching_router(models: Mapping[str, Model], own: OwnDigits, job: AdaptationJob) -> APIRouter:
    """Make the routes that keep what a person teaches in `own`, and let `job` learn from it."""
    router = APIRouter(prefix="/api")

    @router.get("/own")
    def count_own() -> Any:
        return {"folder": str(own.folder), "counts": own.count()}

    @router.post("/own")
    def keep_own(lesson: Lesson) -> Any:
        name = own.keep(normalise(get_model(models, "reader").reader, lesson.crop), lesson.label)
        return {"name": name, **count_own()}

    @router.delete("/own/{label}/{name}")
    def take_back_own(label: str, name: str) -> Any:
        own.take_back(label, name)
        return count_own()

    @router.get("/own/digits.{format}")
    def download_own(format: Format) -> Response:
        name = f"own-digits.{'idx.zip' if format == 'idx' else format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(own.pack(format), media_type="application/octet-stream", headers=headers)

    @router.get("/adaptation")
    def read_adaptation() -> Any:
        return job.state

    @router.post("/adaptation")
    def start_adaptation(wanted: Wanted) -> Any:
        job.start(wanted.model, get_model(models, wanted.model).path)
        return job.state

    return router


def _send(file: Path) -> Response:
    return FileResponse(file, media_type=_TYPES[file.suffix], headers={"Cache-Control": "no-cache"})
