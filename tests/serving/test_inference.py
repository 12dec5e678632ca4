"""Programs are answered as by the reader itself, in our own form and by the Open Inference Protocol."""

import asyncio
import io
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from servers import Server, serving
from test_service import page_of

from digitnet.data.load import load_dataset
from digitnet.modelfile import DECISIONS
from digitnet.reading.network import SHIPPED, Answers, Network
from digitnet.serving.inference_api.queues import BATCH, Batcher, OverloadedError
from digitnet.serving.inference_api.routes import Answering
from digitnet.serving.shelf import BLOG, Model

UInt8 = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running_server:
        yield running_server


@pytest.fixture(scope="module")
def images() -> UInt8:
    return load_dataset("mnist").validation.images[:100]


def to_npy(array: npt.NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def predict(server: Server, body: bytes, model: str = "reader") -> Any:
    status, _, content = server.ask("POST", f"/v1/predict?model={model}", body)
    assert status == 200, content
    return json.loads(content)["predictions"]


# ---- /v1/predict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["reader", "blog"])
def test_images_are_answered_as_by_the_model_file(server: Server, images: UInt8, model: str) -> None:
    found = predict(server, to_npy(images), model)
    expected = Network(BLOG if model == "blog" else None).answer_images(images.astype(np.float32))
    assert [one["decision"] for one in found] == [DECISIONS[k] for k in expected.decisions]
    assert [one["label"] for one in found] == [str(k) for k in expected.probabilities.argmax(axis=1)]
    np.testing.assert_allclose([one["probabilities"] for one in found], expected.probabilities, atol=2e-6)


def test_json_and_npy_and_each_range_of_pixels_say_the_same(server: Server, images: UInt8) -> None:
    few = images[:3]
    expected = predict(server, to_npy(few))
    for array in (few / 255, few.reshape(3, 784), (few / 255).astype(np.float32)):
        for body in (to_npy(array), json.dumps({"images": array.tolist()}).encode()):
            for one, other in zip(predict(server, body), expected, strict=True):
                assert one["label"] == other["label"]
                assert one["probability"] == pytest.approx(other["probability"], abs=1e-5)


def nested(depth: int) -> bytes:
    return b'{"images": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "expected JSON"),
        (b"hello", "expected JSON"),
        (b"[1, 2]", "expected a JSON object"),
        (b"{}", 'expected a field "images"'),
        (b'{"images": []}', "shape"),
        (b'{"images": [[0, 1], [2]]}', "lists of equal length"),
        (b'{"images": "seven"}', "shape"),
        (b'{"images": null}', "shape"),
        (json.dumps({"images": [[0] * 783]}).encode(), "shape"),
        (json.dumps({"images": [[256] * 784]}).encode(), "expected integers of 0"),
        (b'{"images": [[' + b"NaN," * 783 + b"0]]}", "expected JSON"),
        (b'{"images": [[' + b"1e999," * 783 + b"0]]}", "expected"),
        (nested(100_000), "expected JSON"),
        (to_npy(np.full((1, 28, 28), np.nan)), "expected floats"),
        (to_npy(np.zeros((1, 28, 27), np.uint8)), "shape"),
        (to_npy(np.zeros((0, 28, 28), np.uint8)), "from 1 to"),
        (to_npy(np.zeros((3_000, 28, 28), np.uint8)), "from 1 to"),
        (to_npy(np.zeros((2, 28, 28), np.uint8))[:-100], "numpy.save"),
        (to_npy(np.array([{}], dtype=object)), "numpy.save"),
        (to_npy(np.zeros((10**6, 1), np.uint8))[:200].replace(b"(1000000,", b"(1000000000,"), "numpy.save"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_what_holds_no_images_is_refused_in_a_sentence(server: Server, body: bytes, said: str) -> None:
    status, _, content = server.ask("POST", "/v1/predict", body)
    assert 400 <= status < 500
    sentence = json.loads(content)["error"]
    assert said in sentence
    assert sentence.endswith(".")


def test_an_unknown_model_is_named(server: Server, images: UInt8) -> None:
    status, _, content = server.ask("POST", "/v1/predict?model=reeder", to_npy(images[:1]))
    assert status == 404
    assert "reader" in json.loads(content)["error"]


def test_many_clients_at_once_each_get_their_own_answers(server: Server, images: UInt8) -> None:
    expected = [one["label"] for one in predict(server, to_npy(images))]
    with ThreadPoolExecutor(16) as clients:
        found = list(clients.map(lambda image: predict(server, to_npy(image[None]))[0]["label"], images))
    assert found == expected


def test_a_picture_is_read_with_the_asked_threshold(server: Server) -> None:
    picture = page_of("7")
    sure = json.loads(server.ask("POST", "/v1/read", picture)[2])
    unsure = json.loads(server.ask("POST", "/v1/read?min_probability=1", picture)[2])
    assert (sure["text"], unsure["text"]) == ("7", "?")
    assert server.ask("POST", "/v1/read?min_probability=2", picture)[0] == 400


# ---- Batches ----------------------------------------------------------------------------------------------------


def answer_slowly(seen: list[int], gate: threading.Event) -> Any:
    """Make a network that waits at a gate, and answers each image by its first pixel."""

    def answer(images: npt.NDArray[np.float32]) -> Answers:
        seen.append(len(images))
        assert gate.wait(20)
        first = images[:, 0, 0]
        return Answers(first[:, None], first.astype(np.int64), first, images)

    return answer


def image_of(value: int, count: int = 1) -> npt.NDArray[np.float32]:
    return np.full((count, 28, 28), value, np.float32)


def test_what_arrives_while_the_network_is_at_work_shares_the_next_call() -> None:
    seen: list[int] = []
    gate = threading.Event()

    async def ask() -> list[Answers]:
        batcher = Batcher(answer_slowly(seen, gate))
        first = asyncio.create_task(batcher.answer(image_of(1)))
        while not seen:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(batcher.answer(image_of(k, count=k))) for k in range(2, 10)]
        await asyncio.sleep(0)
        gate.set()
        return list(await asyncio.gather(first, *others))

    answers = asyncio.run(ask())
    assert [one.decisions.tolist() for one in answers] == [[1], *([k] * k for k in range(2, 10))]
    assert seen == [1, sum(range(2, 10))]


def test_more_than_fits_into_a_call_is_split_and_put_together_again() -> None:
    seen: list[int] = []
    gate = threading.Event()
    gate.set()
    images = np.repeat(np.arange(150, dtype=np.float32), 784).reshape(150, 28, 28)
    answers = asyncio.run(Batcher(answer_slowly(seen, gate)).answer(images))
    assert answers.decisions.tolist() == list(range(150))
    assert max(seen) <= BATCH


def test_too_many_that_wait_are_refused_at_once_and_the_others_answered() -> None:
    seen: list[int] = []
    gate = threading.Event()

    async def ask() -> None:
        batcher = Batcher(answer_slowly(seen, gate), most_waiting=3)
        first = asyncio.create_task(batcher.answer(image_of(1)))
        while not seen:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(batcher.answer(image_of(2, count=3)))
        await asyncio.sleep(0)
        with pytest.raises(OverloadedError):
            await batcher.answer(image_of(3))
        gate.set()
        assert (await first).decisions.tolist() == [1]
        assert (await second).decisions.tolist() == [2, 2, 2]
        assert (await batcher.answer(image_of(4))).decisions.tolist() == [4]

    asyncio.run(ask())


def test_a_failure_reaches_those_who_asked_and_no_one_after() -> None:
    calls: list[int] = []

    def answer(images: npt.NDArray[np.float32]) -> Answers:
        calls.append(len(images))
        if len(calls) == 1:
            raise RuntimeError("the network failed")
        return Answers(images[:, 0], np.zeros(len(images), np.int64), images[:, 0, 0], images)

    async def ask() -> None:
        batcher = Batcher(answer)
        with pytest.raises(RuntimeError, match="failed"):
            await batcher.answer(image_of(1))
        assert len((await batcher.answer(image_of(2))).decisions) == 1

    asyncio.run(ask())


def test_a_model_that_took_the_place_of_another_is_the_one_that_answers(images: UInt8, tmp_path: Path) -> None:
    file, models = tmp_path / "adapted.onnx", {}
    given = images[:5].astype(np.float32)

    async def ask() -> list[npt.NDArray[np.float32]]:
        answering, found = Answering(models), []
        for content in (SHIPPED, BLOG):
            file.write_bytes(content.read_bytes())
            models["adapted"] = Model("adapted", file)
            found.append((await answering.answer("adapted", given)).probabilities)
        return found

    for probabilities, own in zip(asyncio.run(ask()), (SHIPPED, BLOG), strict=True):
        np.testing.assert_allclose(probabilities, Network(own).answer_images(given).probabilities, atol=1e-6)


# ---- The Open Inference Protocol --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_binary", [False, True])
def test_tritons_own_client_works_unchanged(server: Server, images: UInt8, is_binary: bool) -> None:
    triton = pytest.importorskip("tritonclient.http")
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    try:
        assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("reader")
        assert client.get_server_metadata()["name"] == "digitnet"
        described = client.get_model_metadata("reader")
        assert described["inputs"] == [{"name": "images", "datatype": "FP32", "shape": [-1, 28, 28]}]
        given = triton.InferInput("images", [5, 28, 28], "FP32")
        given.set_data_from_numpy((images[:5] / 255).astype(np.float32), binary_data=is_binary)
        wanted = [
            triton.InferRequestedOutput(name, binary_data=is_binary) for name in ("probabilities", "decision")
        ]
        result = client.infer("reader", [given], outputs=wanted, request_id="42")
        everything = client.infer("reader", [given])
    finally:
        client.close()
    expected = Network().answer_images(images[:5].astype(np.float32))
    np.testing.assert_allclose(result.as_numpy("probabilities"), expected.probabilities, atol=1e-5)
    np.testing.assert_array_equal(result.as_numpy("decision"), expected.decisions)
    assert result.get_response()["id"] == "42"
    assert result.as_numpy("score") is None
    np.testing.assert_allclose(everything.as_numpy("normalised"), expected.images, atol=1e-3)


def infer(server: Server, request: object, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    status, _, content = server.ask("POST", "/v2/models/reader/infer", json.dumps(request).encode(), headers)
    return status, json.loads(content)


def tensor(**changes: object) -> dict[str, Any]:
    return {"name": "images", "datatype": "UINT8", "shape": [1, 28, 28], "data": [0] * 784, **changes}


def test_a_request_in_json_alone_is_answered_in_json(server: Server, images: UInt8) -> None:
    data = images[0].ravel().tolist()
    status, reply = infer(server, {"id": "a", "inputs": [tensor(data=data)], "outputs": [{"name": "decision"}]})
    assert status == 200
    assert reply["id"] == "a" and reply["model_name"] == "reader"
    assert [one["name"] for one in reply["outputs"]] == ["decision"]
    assert reply["outputs"][0]["data"] == [0]


@pytest.mark.parametrize(
    ("request_of", "headers", "said"),
    [
        ({}, {}, "inputs"),
        ({"inputs": 3}, {}, "inputs"),
        ({"inputs": [tensor(name="pictures")]}, {}, "inputs"),
        ({"inputs": [tensor(), tensor()]}, {}, "inputs"),
        ({"inputs": [tensor(datatype="BYTES")]}, {}, "datatype"),
        ({"inputs": [tensor(datatype=[])]}, {}, "datatype"),
        ({"inputs": [tensor(shape=[1, 28])]}, {}, "shape"),
        ({"inputs": [tensor(shape=[10**9, 28, 28])]}, {}, "shape"),
        ({"inputs": [tensor(shape=[-1, 28, 28])]}, {}, "shape"),
        ({"inputs": [tensor(data=["a"] * 784)]}, {}, "numbers"),
        ({"inputs": [tensor(data=[300] * 784)]}, {}, "0 (paper) to 255"),
        ({"inputs": [tensor(parameters={"binary_data_size": 10})]}, {}, "binary_data_size"),
        ({"inputs": [tensor()], "outputs": [{"name": "label"}]}, {}, "outputs"),
        ({"inputs": [tensor()]}, {"Inference-Header-Content-Length": "99999"}, "Content-Length"),
        ({"inputs": [tensor()]}, {"Inference-Header-Content-Length": "-3"}, "Content-Length"),
        ({"inputs": [tensor()]}, {"Inference-Header-Content-Length": "5"}, "JSON"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_a_sentence(
    server: Server, request_of: object, headers: dict[str, str], said: str
) -> None:
    status, reply = infer(server, request_of, headers)
    assert 400 <= status < 500
    assert said in reply["error"]
