"""The service closes slow connections, counts what it answers, and says nothing about what was in it."""

import http.client
import io
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import numpy as np
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families
from servers import serving
from test_inference import to_npy

from digitnet.serving.connections import SECONDS
from processes import PATIENCE, end

SLOW = [
    b"",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf",
    b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
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


@pytest.mark.parametrize(
    "request_of",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"".join(b"X-%d: a\r\n" % k for k in range(10_000)) + b"\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["nonsense", "no host", "10,000 headers", "a long path"],
)
def test_what_is_no_request_is_refused_and_the_service_goes_on(request_of: bytes) -> None:
    with serving() as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as client:
            try:
                client.sendall(request_of)
                reply = client.recv(4096)
            except ConnectionError:
                reply = b""
            assert reply == b"" or reply.startswith(b"HTTP/1.1 4")
        assert server.ask("GET", "/v2/health/live")[0] == 200


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
