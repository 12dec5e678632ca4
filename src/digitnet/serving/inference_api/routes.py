"""The routes for programs: ``/v1`` in digitnet's own form, ``/v2`` by the Open Inference Protocol."""

from collections.abc import Mapping
from typing import Annotated, Any
from weakref import WeakKeyDictionary

import anyio.to_thread
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic_core import to_json

from digitnet.modelfile import DECISIONS
from digitnet.reading.network import Answers, Float32
from digitnet.reading.reader import Reader
from digitnet.serving.inference_api import protocol
from digitnet.serving.inference_api.description import IMAGES, PICTURE, PREDICTIONS, REFUSALS, TENSORS
from digitnet.serving.inference_api.images import parse_images
from digitnet.serving.inference_api.queues import Batcher, PictureQueue
from digitnet.serving.shelf import Model, get_model

_Name = Annotated[str, Path(examples=["reader", "blog"])]


class Answering:
    """Answers images with the model of a name, the images of many requests together."""

    def __init__(self, models: Mapping[str, Model]) -> None:
        self.models = models
        # By reader, since a model that was adapted anew has the name and the path of the one before.
        self._batchers: WeakKeyDictionary[Reader, Batcher] = WeakKeyDictionary()

    async def answer(self, name: str, images: Float32) -> Answers:
        """Answer images ``(n, 28, 28)``, 0 to 255; raises what `get_model` and Batcher raise."""
        model = get_model(self.models, name)
        is_loaded = "reader" in vars(model)  # loading takes long, and a thread for nothing some time, too
        reader = model.reader if is_loaded else await anyio.to_thread.run_sync(lambda: model.reader)
        if reader not in self._batchers:
            self._batchers[reader] = Batcher(reader.network.answer_images)
        return await self._batchers[reader].answer(images)

    async def predict(self, request: Request) -> Response:
        """Answer images of one digit each: JSON, or an array as numpy.save writes it."""
        name = request.query_params.get("model", "reader")
        answers = await self.answer(name, parse_images(await request.body()))
        labels = get_model(self.models, name).reader.info.labels
        content = to_json({"predictions": _to_predictions(answers, labels)})
        return Response(content, media_type="application/json")


def make_reading_router(answering: Answering) -> APIRouter:
    """Make the routes that read a picture, and images of one digit each."""
    router, pictures = APIRouter(prefix="/v1", tags=["digitnet"], responses=REFUSALS), PictureQueue()

    @router.post("/read", openapi_extra=PICTURE)
    async def read_picture(
        request: Request,
        model: str = "reader",
        single: bool = False,
        digits: int | None = None,
        page: int = 1,
        expect: str | None = None,
        min_probability: float | None = None,
    ) -> Any:
        """Read a picture: what `digitnet read --format json` says of it."""
        content = await request.body()

        def read() -> dict[str, Any]:
            reader = get_model(answering.models, model).reader.with_min_probability(min_probability)
            return reader.read(content, single=single, digits=digits, page=page, expect=expect).to_json()

        return await pictures.run(read)

    predict = answering.predict
    router.add_api_route("/predict", predict, methods=["POST"], openapi_extra=IMAGES, responses=PREDICTIONS)
    return router


def make_protocol_router(answering: Answering) -> APIRouter:
    """Make the routes of the Open Inference Protocol."""
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"], responses=REFUSALS)

    @router.get("")
    def describe_server() -> Any:
        """Describe the server."""
        return protocol.describe_server()

    @router.get("/health/live")
    @router.get("/health/ready")
    def is_ready() -> Any:
        """Say that the service runs."""
        return {}

    @router.get("/models/{name}")
    @router.get("/models/{name}/versions/1")
    def describe_model(name: _Name) -> Any:
        """Describe the tensors of a model."""
        model = get_model(answering.models, name)
        return protocol.describe_model(name, len(model.reader.info.labels))

    @router.get("/models/{name}/ready")
    @router.get("/models/{name}/versions/1/ready")
    def is_model_ready(name: _Name) -> Any:
        """Say that a model is loaded."""
        assert get_model(answering.models, name).reader
        return {}

    @router.post("/models/{name}/infer", openapi_extra=TENSORS)
    @router.post("/models/{name}/versions/1/infer", openapi_extra=TENSORS)
    async def infer(request: Request, name: _Name) -> Response:
        """Answer images in JSON, or in binary tensors behind it."""
        length = request.headers.get(protocol.HEADER)
        asked, images = protocol.parse_request(await request.body(), protocol.parse_length(length))
        content, head = protocol.make_reply(asked, name, await answering.answer(name, images))
        if head is None:
            return Response(content, media_type="application/json")
        return Response(content, media_type="application/octet-stream", headers={protocol.HEADER: str(head)})

    return router


def _to_predictions(answers: Answers, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    best = answers.probabilities.argmax(axis=1).tolist()
    rows = answers.probabilities.astype(float).round(6).tolist()
    scores = answers.scores.astype(float).round(4).tolist()
    return [
        {
            "label": labels[label],
            "probability": row[label],
            "decision": DECISIONS[decision],
            "score": score,
            "probabilities": row,
        }
        for label, row, decision, score in zip(best, rows, answers.decisions.tolist(), scores, strict=True)
    ]
