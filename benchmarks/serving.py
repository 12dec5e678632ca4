"""How many images of one digit the service answers, beside a plain handler, and how long one waits.

    .venv/bin/python -m benchmarks.serving

Starts `digitnet serve`, and a plain FastAPI application that answers each request by a call of the same network,
in turn, three times each. 64 clients on keep-alive connections ask one image a request, in JSON, for ten seconds.
Then requests come to the service at random times (Poisson), at half of the rate that it has just reached. The
clients are a process of their own on the same machine. The result is stored in benchmarks/results/serving.json.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from digitnet.data.load import load_dataset
from digitnet.files import write_whole
from digitnet.training.environment import describe_machine

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

CLIENTS = 64
SECONDS = 10.0
ROUNDS = 3
RESULT = Path(__file__).parent / "results" / "serving.json"

PLAIN = """
import sys
import numpy as np, uvicorn
from fastapi import FastAPI
from digitnet.reading.network import Network

app, network = FastAPI(), Network()

@app.post("/v1/predict")
def predict(body: dict[str, list[list[float]]]) -> dict:
    answers = network.answer_images(np.array(body["images"], np.float32).reshape(-1, 28, 28) * 255)
    best = answers.probabilities.argmax(axis=1)
    return {"predictions": [
        {"label": str(k), "probability": float(row[k]), "decision": int(decision), "probabilities": row.tolist()}
        for k, row, decision in zip(best, answers.probabilities, answers.decisions)
    ]}

print("http://127.0.0.1:8765/", flush=True)
uvicorn.run(app, port=8765, log_level="warning", access_log=False)
"""


def main() -> None:
    """Measure, print and store; with arguments, be the clients."""
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(_load(int(sys.argv[1]), float(sys.argv[2])))))
        return
    rates: dict[str, list[float]] = {"digitnet": [], "plain": []}
    rest, starts = [], []
    for _ in range(ROUNDS):
        with _plain() as port:
            rates["plain"].append(_run_clients(port)["rate"])
        with _serving() as (port, process, seconds):
            rest.append(psutil.Process(process.pid).memory_info().rss / 2**20)
            starts.append(seconds)
            rates["digitnet"].append(_run_clients(port)["rate"])
    rated = statistics.median(rates["digitnet"]) / 2
    with _serving() as (port, _, _):
        waits = _run_clients(port, rated)
    result = {
        "machine": describe_machine(),
        "clients": CLIENTS,
        "seconds": SECONDS,
        "rounds": ROUNDS,
        "requests_per_second": rates,
        "ratio": statistics.median(rates["digitnet"]) / statistics.median(rates["plain"]),
        "rated_load": waits,
        "start_to_first_answer_seconds": statistics.median(starts),
        "memory_at_rest_mb": statistics.median(rest),
    }
    print(json.dumps(result, indent=1))
    write_whole(RESULT, json.dumps(result, indent=1) + "\n")


@contextmanager
def _serving() -> Iterator[tuple[int, "subprocess.Popen[str]", float]]:
    begin = time.perf_counter()
    words = [sys.executable, "-m", "digitnet", "serve", "--port", "0", "--no-browser"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    port = int(process.stdout.readline().strip().rstrip("/").rpartition(":")[2])
    asyncio.run(_ask_once(port))
    seconds = time.perf_counter() - begin
    try:
        yield port, process, seconds
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _plain() -> Iterator[int]:
    process = subprocess.Popen([sys.executable, "-c", PLAIN], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(1)  # it prints its address before it listens
    try:
        yield 8765
    finally:
        process.terminate()
        process.wait()


def _run_clients(port: int, rate: float = 0.0) -> dict[str, Any]:
    """Run the clients in a process of their own: as fast as they can, or at a `rate` of requests a second."""
    words = [sys.executable, "-m", "benchmarks.serving", str(port), str(rate)]
    return dict(json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout))


def _request(port: int) -> bytes:
    image = load_dataset("mnist").validation.images[0].reshape(1, -1)
    body = json.dumps({"images": (image / 255).round(3).tolist()}).encode()
    head = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _ask_once(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await _ask(reader, writer, _request(port)) == 200
    writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> int:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return int(head.split(b" ", 2)[1])


async def _load(port: int, rate: float) -> dict[str, Any]:
    request = _request(port)
    connections: list[Connection] = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CLIENTS)]
    for reader, writer in connections[:2]:
        await _ask(reader, writer, request)
    return await (_load_at(rate, connections, request) if rate else _load_fully(connections, request))


async def _load_fully(connections: list[Connection], request: bytes) -> dict[str, Any]:
    end, done = time.perf_counter() + SECONDS, 0

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal done
        while time.perf_counter() < end:
            assert await _ask(reader, writer, request) == 200
            done += 1

    begin = time.perf_counter()
    await asyncio.gather(*(ask(*connection) for connection in connections))
    return {"rate": done / (time.perf_counter() - begin)}


async def _load_at(rate: float, connections: list[Connection], request: bytes) -> dict[str, Any]:
    """Ask at random times, whether or not earlier requests were answered; waits count from the intended time."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in connections:
        free.put_nowait(connection)
    waits, statuses = [], []

    async def ask(intended: float) -> None:
        reader, writer = await free.get()
        statuses.append(await _ask(reader, writer, request))
        waits.append(time.perf_counter() - intended)
        free.put_nowait((reader, writer))

    begin, tasks = time.perf_counter(), []
    for moment in np.random.default_rng(0).exponential(1 / rate, int(rate * SECONDS)).cumsum():
        await asyncio.sleep(max(0.0, begin + moment - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(begin + moment)))
    await asyncio.gather(*tasks)
    p50, p99 = (1000 * float(np.quantile(waits, share)) for share in (0.5, 0.99))
    failed = sum(status != 200 for status in statuses)
    return {"rate": rate, "requests": len(waits), "failed": failed, "p50_ms": p50, "p99_ms": p99}


if __name__ == "__main__":
    main()
