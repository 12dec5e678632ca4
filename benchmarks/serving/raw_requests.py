"""Damaged requests over raw sockets: what came back, and what did not.

    .venv/bin/python -m benchmarks.serving.raw_requests PORT --count 90000 [--seed 0]

Each is a sound request with one to three damages, or half of one. A client waits until the reply is whole or the
connection is closed. Prints replies by status, and how many got neither within 15 seconds.
"""

import argparse
import asyncio
import io
import json
import random
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.serving.clients import make_request

PATIENCE = 15.0
AT_ONCE = 200

_WORDS = (
    b"", b"\0", b"\r\n", b"\n", b"\xff", b"%00", b"../", b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 400,
    b"[" * 5_000, b'{"images":', b"null", b"\x93NUMPY", b"chunked",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n", b"Upgrade: websocket\r\nConnection: upgrade\r\n", b"a" * 70_000,
)  # fmt: skip


def make_requests(port: int) -> list[bytes]:
    """Write a sound request of each kind."""
    npy = io.BytesIO()
    np.save(npy, np.zeros((2, 28, 28), np.uint8))
    tensor = {"name": "images", "shape": [1, 784], "datatype": "FP32", "data": [0.0] * 784}
    infer = json.dumps({"inputs": [tensor]}).encode()
    host = f"Host: 127.0.0.1:{port}\r\n"

    def post(path: str, body: bytes, extra: str = "") -> bytes:
        return f"POST {path} HTTP/1.1\r\n{host}{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body

    chunked = f"POST /v1/predict HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n".encode()
    part = npy.getvalue()
    return [
        make_request(port),
        post("/v1/predict", part),
        post("/v1/predict?model=blog", part),
        post("/v1/read?digits=4&min_probability=0.5", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        post("/v2/models/reader/infer", infer, "Content-Type: application/json\r\n"),
        post("/v2/models/reader/infer", infer + bytes(784), f"Inference-Header-Content-Length: {len(infer)}\r\n"),
        chunked + f"{len(part):x}\r\n".encode() + part + b"\r\n0\r\n\r\n",
        f"GET /v2/models/reader HTTP/1.1\r\n{host}\r\n".encode(),
        f"GET /metrics HTTP/1.1\r\n{host}\r\n".encode(),
        f"GET /openapi.json HTTP/1.0\r\n{host}\r\n".encode(),
    ]


def damage(request: bytes, chance: random.Random) -> bytes:
    """Damage a request in one to three places."""
    for _ in range(chance.randint(1, 3)):
        # Most of the length is pixels; what is said about them stands before.
        place = chance.randrange(min(len(request), chance.choice((60, 250, len(request)))) + 1)
        before, after = request[:place], request[place:]
        damaged = (
            before + bytes([chance.randrange(256)]) + after[1:],
            before + chance.choice(_WORDS) + after,
            before + after[chance.randrange(1, 40) :],
            before + before[-30:] * chance.randint(1, 5) + after,
            before if chance.random() < 0.1 else request + request,  # cut off, or pipelined
        )
        request = chance.choice(damaged) or b"\r\n"
    return request


async def send(port: int, request: bytes) -> str:
    """Send a request; return the status of the reply, "closed" for none, or "hung"."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return "not connected"
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            while head.startswith(b"HTTP/1.1 100"):
                head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length) if length and not request.startswith(b"HEAD") else 0)
            return head[9:12].decode()
    except TimeoutError:
        return "hung"
    except (OSError, asyncio.IncompleteReadError):
        return "closed"
    finally:
        writer.close()


async def send_all(port: int, count: int, seed: int) -> dict[str, Any]:
    """Send damaged requests, many at a time."""
    chance, sound = random.Random(seed), make_requests(port)
    requests = (damage(chance.choice(sound), chance) for _ in range(count))
    statuses: Counter[str] = Counter()

    async def work() -> None:
        for request in requests:
            statuses[await send(port, request)] += 1

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return dict(sorted(statuses.items()))


def main() -> None:
    """Send, and print what came back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--count", type=int, default=90_000)
    parser.add_argument("--seed", type=int, default=0)
    wanted = parser.parse_args()
    print(json.dumps(asyncio.run(send_all(wanted.port, wanted.count, wanted.seed))))


if __name__ == "__main__":
    main()
