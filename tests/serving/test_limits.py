"""The service closes slow connections, counts what it answers, and says nothing about what was in it."""

import asyncio
import http.client
import io
import json
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import numpy as np
import psutil
import pytest
from PIL import Image
from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families
from servers import serving
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from test_inference import to_npy

from benchmarks.serving.__main__ import run_schemathesis
from benchmarks.serving.raw_requests import send_all
from digitnet.serving.access import LocalAccess
from digitnet.serving.admission import Admission
from digitnet.serving.connections import SECONDS
from digitnet.serving.guard import Guard
from digitnet.serving.inference_api.queues import OverloadedError, PictureQueue
from processes import PATIENCE, end, wait_until

SLOW = [
    b"",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    b"GET /v2/health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n\r\n",  # a line end more
]


@pytest.mark.acceptance
def test_clients_that_never_finish_are_cut_off_while_others_are_answered() -> None:
    body = to_npy(np.zeros((1, 28, 28), np.uint8))
    with serving() as server, ExitStack() as clients:
        begin = time.monotonic()
        slow = []
        for number in range(40):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            slow.append(clients.enter_context(client))
            client.sendall(SLOW[number % len(SLOW)])
        assert server.ask("POST", "/v1/predict", body)[0] == 200
        for client in slow:
            with suppress(ConnectionError):
                while client.recv(4096):  # until it is closed
                    pass
        assert SECONDS - 1 < time.monotonic() - begin < PATIENCE
        assert server.ask("POST", "/v1/predict", body)[0] == 200
        server.process.terminate()
        assert "Traceback" not in end(server.process)[1]


@pytest.mark.acceptance
def test_a_connection_is_used_for_many_requests_longer_than_the_limit_for_one() -> None:
    with serving() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        connection.connect()
        own = connection.sock
        begin = time.monotonic()
        while time.monotonic() - begin < SECONDS + 2:
            connection.request("GET", "/v2/health/live")
            reply = connection.getresponse()
            reply.read()
            assert reply.status == 200
            time.sleep(1)
        assert connection.sock is own  # it was not opened again
        connection.close()


GET = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def many_headers(count: int) -> bytes:
    return b"".join(b"X-%d: a\r\n" % k for k in range(count)) + b"\r\n"


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"421"),
        (
            GET + many_headers(10_000),
            b"431",
        ),
        (GET + many_headers(101), b"431"),
        (GET + b"X-Long: " + b"a" * 70_000 + b"\r\n\r\n", b"431"),
        (POST + b"Content-Length: " + b"0" * 5_000 + b"1\r\n\r\na", b"413"),
        (b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", b"421"),
        (b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", None),
        (GET + b"X-Endless: " + b"a" * 2**21, None),
        (
            b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"1\r\na\r\n0\r\n" + b"".join(b"X-%d: a\r\n" % k for k in range(100_000)),
            None,
        ),
    ],
    ids=[
        "nonsense", "no host", "10,000 headers", "101 headers", "a long header", "a length of 5,001 digits",
        "another host that waits for 100 Continue", "a long path", "an endless header", "endless trailers",
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_service_goes_on(request_of: bytes, status: bytes | None) -> None:
    with serving() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
            try:
                client.sendall(request_of)
                reply = client.recv(4096)
            except ConnectionError:
                reply = b""
        if status is None:  # what is still on its way when the connection is closed may destroy the reply
            assert reply == b"" or reply.startswith(b"HTTP/1.1 4")
        else:
            assert reply.startswith(b"HTTP/1.1 " + status)
        assert server.ask("GET", "/v2/health/live")[0] == 200


def test_what_is_not_http_is_refused_as_json_and_not_logged_as_text() -> None:
    with serving() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
            client.sendall(b"nonsense\r\n\r\n")
            reply = client.recv(4096)
        assert "HTTP" in json.loads(reply.partition(b"\r\n\r\n")[2])["error"]
        server.process.terminate()
        assert "WARNING" not in end(server.process)[1]


@pytest.mark.acceptance
def test_a_client_that_does_not_take_its_answers_is_cut_off() -> None:
    body = to_npy(np.zeros((2_048, 28, 28), np.uint8))
    request = b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    with serving() as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(PATIENCE)
        client.connect(("127.0.0.1", server.port))
        served = psutil.Process(server.process.pid)
        with suppress(ConnectionError):
            for _ in range(20):  # more than the buffers of the system hold
                client.sendall(request)
        wait_until(lambda: not served.net_connections("tcp4")[1:], server.process)  # it listens still
        assert server.ask("GET", "/v2/health/live")[0] == 200


@pytest.mark.acceptance
def test_a_client_that_leaves_little_of_its_answers_is_cut_off_too() -> None:
    request = b"GET /v2/models/reader HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with serving(stderr=subprocess.DEVNULL) as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(1)
        client.connect(("127.0.0.1", server.port))
        served = psutil.Process(server.process.pid)
        with suppress(ConnectionError, TimeoutError):
            while True:  # until nothing more is taken, since nothing more can be sent back
                client.sendall(request * 100)
        wait_until(lambda: not served.net_connections("tcp4")[1:], server.process)
        assert server.ask("GET", "/v2/health/live")[0] == 200


def test_a_body_in_several_parts_takes_a_place_when_it_is_whole() -> None:
    async def main() -> None:
        gate, seen = asyncio.Event(), []

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            parts = [await receive(), await receive()]
            seen.append(b"".join(part["body"] for part in parts))
            await gate.wait()
            await JSONResponse({})(scope, receive, send)

        admission = Admission(answer, Counter("refused", "Refused", registry=None), most=1)
        first = asyncio.create_task(ask(admission, b"a", b"b"))
        while not seen:
            await asyncio.sleep(0)
        assert (await ask(admission, b"c", b"d"))[0] == 503
        gate.set()
        assert (await first)[0] == 200 and seen == [b"ab"]
        assert (await ask(admission, b"e", b"f"))[0] == 200

    asyncio.run(main())


@pytest.mark.acceptance
def test_damaged_requests_are_answered_or_closed_and_never_an_error_of_the_service() -> None:
    with serving(stderr=subprocess.DEVNULL) as server:
        found = asyncio.run(send_all(server.port, 2_000, seed=7))
        assert found["200"] and found["400"]
        assert set(found) <= {"200", "400", "401", "403", "404", "405", "413", "421", "422", "431", "closed"}
        assert server.ask("GET", "/v2/health/live")[0] == 200


@pytest.mark.acceptance
def test_what_schemathesis_makes_of_the_description_is_no_error_of_the_service() -> None:
    with serving(stderr=subprocess.DEVNULL) as server:
        found = run_schemathesis(server.port, 30)
    assert found["requests"] > 300
    assert found["server_errors"] == 0 and found["exit_code"] == 0


async def ask(app: ASGIApp, *parts_of_body: bytes) -> tuple[int, dict[str, str], bytes]:
    """Post to an application; return status, headers and body of the reply."""
    messages: list[Message] = []
    waiting = list(parts_of_body or [b""])

    async def receive() -> Message:
        return {"type": "http.request", "body": waiting.pop(0), "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        messages.append(message)

    headers = [(b"host", b"127.0.0.1")]
    await app({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    start, *parts = messages
    replied = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], replied, b"".join(part["body"] for part in parts)


def test_requests_beyond_the_places_are_refused_before_anything_is_done_for_them() -> None:
    async def main() -> None:
        gate, seen = asyncio.Event(), []

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            seen.append((await receive())["body"])
            await gate.wait()
            await JSONResponse({})(scope, receive, send)

        admission = Admission(answer, Counter("refused", "Refused", registry=None), most=2)
        admitted = [asyncio.create_task(ask(admission, b"%d" % k)) for k in range(2)]
        while len(seen) < 2:
            await asyncio.sleep(0)
        status, headers, content = await ask(admission, b"2")
        assert (status, headers["retry-after"]) == (503, "1")
        assert "error" in json.loads(content) and seen == [b"0", b"1"]
        gate.set()
        assert [(await reply)[0] for reply in admitted] == [200, 200]
        assert (await ask(admission, b"3"))[0] == 200

    asyncio.run(main())


def test_what_takes_too_long_is_told_so() -> None:
    async def main() -> None:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(PATIENCE)

        status, headers, content = await ask(Guard(answer, LocalAccess(), seconds=0.05))
        assert status == 503 and headers["retry-after"]
        assert "0.05 seconds" in json.loads(content)["error"]

    asyncio.run(main())


def test_a_picture_that_is_being_read_keeps_its_place_although_nobody_waits() -> None:
    async def main() -> None:
        queue, gate = PictureQueue(most_waiting=2), threading.Event()
        first = asyncio.create_task(queue.run(gate.wait))
        second = asyncio.create_task(queue.run(gate.wait))
        await asyncio.sleep(0.05)
        first.cancel()
        with pytest.raises(OverloadedError):
            await queue.run(gate.wait)
        gate.set()
        assert await second
        while True:  # until the thread of the first has noticed
            with suppress(OverloadedError):
                assert await queue.run(gate.wait)
                break
            await asyncio.sleep(0.01)

    asyncio.run(main())


def test_what_is_answered_is_counted_and_logged_without_its_content() -> None:
    with serving() as server:
        number = server.ask("POST", "/v1/predict", to_npy(np.zeros((1, 28, 28), np.uint8)))[1]["x-request-id"]
        server.ask("POST", "/v1/predict", b"secret")
        server.ask("GET", "/v2/models/secret")
        server.ask("GET", "/api/models/")
        status, headers, content = server.ask("GET", "/metrics")
        assert status == 200 and headers["content-type"].startswith("text/plain")
        families = {family.name: family for family in text_string_to_metric_families(content.decode())}
        counts = {
            (sample.labels["route"], sample.labels["status"]): sample.value
            for sample in families["digitnet_requests"].samples
            if sample.name.endswith("_total")
        }
        assert counts == {
            ("/v1/predict", "200"): 1,
            ("/v1/predict", "400"): 1,
            ("/v2/models/{name}", "404"): 1,
        }
        server.process.terminate()
        _, error = end(server.process)
    assert "secret" not in error
    lines = [json.loads(line) for line in error.splitlines() if line.startswith("{")]
    logged = [(line["route"], str(line["status"])) for line in lines]
    assert logged == list(counts)
    assert lines[0]["id"] == number


def test_the_description_of_the_service_names_its_routes() -> None:
    with serving() as server:
        described = server.ask_json("GET", "/openapi.json")
    assert {"/v1/read", "/v1/predict", "/v2/models/{name}/infer"} <= described["paths"].keys()
    assert not any(path.startswith("/api") for path in described["paths"])


def test_what_was_accepted_is_answered_before_it_ends() -> None:
    picture = io.BytesIO()
    Image.new("L", (4_000, 3_000), 200).save(picture, "PNG")
    with serving() as server, ThreadPoolExecutor(4) as clients:
        server.ask("POST", "/v1/read", picture.getvalue())  # the first one loads what it needs
        replies = [clients.submit(server.ask, "POST", "/v1/read", picture.getvalue()) for _ in range(4)]
        time.sleep(0.3)
        begin = time.monotonic()
        server.process.terminate()
        assert [reply.result()[0] for reply in replies] == [200] * 4
        end(server.process)
        assert server.process.returncode == 0
        assert time.monotonic() - begin < 10
