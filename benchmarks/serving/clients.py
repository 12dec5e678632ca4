"""Clients of ``/v1/predict`` in a process of their own: as fast as they can, or at random times.

    .venv/bin/python -m benchmarks.serving.clients PORT --connections 64 --seconds 10 [--rate 500]

Prints what came back as JSON: the rate of answers, replies by status, and how long the answered ones waited.
"""

import argparse
import asyncio
import gc
import json
import time
from collections import Counter, deque
from typing import Any

import numpy as np

from digitnet.data.load import load_dataset


def make_request(port: int) -> bytes:
    """Write a request that asks about one image of MNIST, in JSON."""
    image = load_dataset("mnist").validation.images[0].reshape(1, -1)
    body = json.dumps({"images": (image / 255).round(3).tolist()}).encode()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Client(asyncio.Protocol):
    """A keep-alive connection that asks one question at a time."""

    def __init__(self) -> None:
        self._content = b""
        self._reply: asyncio.Future[int] | None = None
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def ask(self, request: bytes) -> "asyncio.Future[int]":
        """Send a request; the status of the reply comes."""
        self._reply = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self._reply

    def data_received(self, data: bytes) -> None:
        """Take the reply when it is whole."""
        self._content += data
        head, found, body = self._content.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length and self._reply is not None:
            self._content = b""
            self._reply.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        """Say that no reply will come."""
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(ConnectionResetError())


async def connect(port: int) -> Client:
    """Open a connection."""
    _, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", port)
    return client


async def ask_without_pause(port: int, connections: int, seconds: float) -> dict[str, Any]:
    """Ask again on each connection as soon as the answer is there."""
    request = make_request(port)
    clients = [await connect(port) for _ in range(connections)]
    waits: list[float] = []
    statuses: Counter[int] = Counter()
    begin = time.perf_counter()

    async def ask(client: Client) -> None:
        while (asked := time.perf_counter()) < begin + seconds:
            statuses[await client.ask(request)] += 1
            waits.append(time.perf_counter() - asked)

    await asyncio.gather(*map(ask, clients))
    return _summarise(statuses, waits, time.perf_counter() - begin)


async def ask_at_random(port: int, connections: int, seconds: float, rate: float) -> dict[str, Any]:
    """Ask at random times (Poisson), whether or not earlier requests were answered.

    Waits count from the intended moment, also where all connections are busy.
    """
    request = make_request(port)
    free = deque([await connect(port) for _ in range(connections)])
    late: deque[float] = deque()  # intended moments that wait for a connection
    waits: list[float] = []
    statuses: Counter[int] = Counter()
    done = asyncio.Event()
    moments = np.random.default_rng(0).exponential(1 / rate, int(rate * seconds)).cumsum().tolist()

    def ask(client: Client, intended: float) -> None:
        def take(reply: "asyncio.Future[int]") -> None:
            status = reply.result()
            statuses[status] += 1
            if status == 200:
                waits.append(time.perf_counter() - intended)
            if late:
                ask(client, late.popleft())
            else:
                free.append(client)
            if statuses.total() == len(moments):
                done.set()

        client.ask(request).add_done_callback(take)

    begin = time.perf_counter()
    for moment in moments:
        if (pause := begin + moment - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        elif len(late) % 16 == 0:
            await asyncio.sleep(0)  # replies are taken also when the sender is behind
        if free:
            ask(free.popleft(), begin + moment)
        else:
            late.append(begin + moment)
    await done.wait()
    return {"asked_per_second": rate} | _summarise(statuses, waits, time.perf_counter() - begin)


def _summarise(statuses: Counter[int], waits: list[float], seconds: float) -> dict[str, Any]:
    return {
        "seconds": seconds,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "answers_per_second": statuses[200] / seconds,
        **{f"p{100 * share:g}_ms": 1000 * float(np.quantile(waits, share)) for share in (0.5, 0.99)},
    }


def main() -> None:
    """Ask, and print what came back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=0.0)
    wanted = parser.parse_args()
    gc.disable()  # a collection in the client would be taken for a wait of the service
    if wanted.rate:
        asking = ask_at_random(wanted.port, wanted.connections, wanted.seconds, wanted.rate)
    else:
        asking = ask_without_pause(wanted.port, wanted.connections, wanted.seconds)
    print(json.dumps(asyncio.run(asking)))


if __name__ == "__main__":
    main()
