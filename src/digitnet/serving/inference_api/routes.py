"""The routes for programs: ``/v1`` in digitnet's own form, ``/v2`` by the Open Inference Protocol."""

import json
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import anyio.to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response

from digitnet.modelfile import DECISIONS
from digitnet.reading.network import Answers, Float32
from digitnet.reading.reader import Reader
from digitnet.serving.inference_api import protocol
from digitnet.serving.inference_api.batching import Batcher
from digitnet.serving.inference_api.images import parse_images
from digitnet.serving.shelf import Model, get_model


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


def make_reading_router(answering: Answering) -> APIRouter:
    """Make the routes that read a picture, and images of one digit each."""
    router = APIRouter(prefix="/v1")

    @router.post("/read")
    async def read_picture(
        request: Request,
        model: str = "reader",
        single: bool = False,
        digits: int | None = None,
        expect: str | None = None,
        min_probability: float | None = None,
    ) -> Any:
        content = await request.body()

        def read() -> dict[str, Any]:
            reader = get_model(answering.models, model).reader.with_min_probability(min_probability)
            return reader.read(content, single=single, digits=digits, expect=expect).to_json()

        return await anyio.to_thread.run_sync(read)

    @router.post("/predict")
    async def predict(request: Request, model: str = "reader") -> Response:
        images = parse_images(await request.body())
        answers = await answering.answer(model, images)
        labels = get_model(answering.models, model).reader.info.labels
        # These are plain values already; FastAPI would go through each of them again.
        content = json.dumps({"predictions": _to_predictions(answers, labels)})
        return Response(content, media_type="application/json")

    return router


def make_protocol_router(answering: Answering) -> APIRouter:
    """Make the routes of the Open Inference Protocol."""
    router = APIRouter(prefix="/v2")

    @router.get("")
    def describe_server() -> Any:
        return protocol.describe_server()

    @router.get("/health/live")
    @router.get("/health/ready")
    def is_ready() -> Any:
        return {}

    @router.get("/models/{name}")
    @router.get("/models/{name}/versions/1")
    def describe_model(name: str) -> Any:
        model = get_model(answering.models, name)
        return protocol.describe_model(name, len(model.reader.info.labels))

    @router.get("/models/{name}/ready")
    @router.get("/models/{name}/versions/1/ready")
    def is_model_ready(name: str) -> Any:
        assert get_model(answering.models, name).reader
        return {}

    @router.post("/models/{name}/infer")
    @router.post("/models/{name}/versions/1/infer")
    async def infer(request: Request, name: str) -> Response:
        length = request.headers.get(protocol.HEADER)
        asked, images = protocol.parse_request(await request.body(), protocol.parse_length(length))
        content, head = protocol.make_reply(asked, name, await answering.answer(name, images))
        if head is None:
            return Response(content, media_type="application/json")
        return Response(content, media_type="application/octet-stream", headers={protocol.HEADER: str(head)})

    return router


def _to_predictions(answers: Answers, labels: tuple[str, ...]) -> list[dict[str, Any]]:
    best = answers.probabilities.argmax(axis=1)
    return [
        {
            "label": labels[label],
            "probability": round(float(row[label]), 6),
            "decision": DECISIONS[decision],
            "score": round(float(score), 4),
            "probabilities": [round(value, 6) for value in row.tolist()],
        }
        for label, row, decision, score in zip(
            best, answers.probabilities, answers.decisions, answers.scores, strict=True
        )
    ]
