"""What the service can take: how much it answers, how long one waits, and how it bears overload and abuse.

    .venv/bin/python -m benchmarks.serving                      # everything: 45 minutes
    .venv/bin/python -m benchmarks.serving throughput load      # some parts of it

Everything runs on one machine, the clients in a process of their own, by loopback. Parts:

    throughput  64 clients that ask one image a request without pause: digitnet, a plain FastAPI handler, and
                LitServe where it is installed (pip install litserve), in turn, three times each
    load        requests at random times (Poisson): at half of the most that was just reached, and at 4 times that
    slow        500 clients that never finish a request, while others ask at the rated load
    stops       SIGTERM under full load, 50 times
    fuzz        100,000 requests: 90,000 damaged ones over raw sockets, and 10,000 by Schemathesis
    soak        20 minutes at the rated load: memory

The results are stored in benchmarks/results/serving.json, each part when it is done.
"""

import contextlib
import importlib
import importlib.util
import json
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from benchmarks.programs import plain_service
from benchmarks.serving.clients import make_request
from digitnet.files import write_whole
from digitnet.training.environment import describe_machine

CLIENTS = 64
ROUNDS = 3
RESULT = Path(__file__).parent.parent / "results" / "serving.json"
STOPS = 50
SLOW_CLIENTS = 500
RAW, GENERATED = 90_000, 10_000
SOAK_SECONDS = 1_200.0


@dataclass(frozen=True)
class Service:
    """A service that runs, and what it writes on standard error."""

    port: int
    process: psutil.Process
    log: IO[str]
    start_seconds: float

    @property
    def megabytes(self) -> float:
        """Memory that it occupies now."""
        return float(self.process.memory_info().rss / 2**20)


@contextmanager
def serving(*words: str) -> Iterator[Service]:
    """Run `digitnet serve` until the end of the block; the clock runs until the first answer."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-m", "digitnet", "serve", "--port", "0", "--no-browser", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().strip().rstrip("/").rpartition(":")[2])
            ask_once(port)
            yield Service(port, psutil.Process(process.pid), log, time.perf_counter() - begin)
        finally:
            process.terminate()
            process.wait()


@contextmanager
def running(program: Any) -> Iterator[int]:
    """Run another service of benchmarks/programs until the end of the block."""
    command = [sys.executable, "-m", program.__name__]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ask_once(program.PORT)
        yield program.PORT
    finally:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.terminate()
        process.terminate()
        process.wait()


def ask_once(port: int) -> None:
    """Ask until there is an answer."""
    for _ in range(3_000):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=30) as client:
            client.sendall(make_request(port))
            if client.recv(65_536).startswith(b"HTTP/1.1 200"):
                return
        time.sleep(0.02)
    raise TimeoutError(f"Nothing answers at port {port}.")


def ask(port: int, **options: object) -> dict[str, Any]:
    """Run clients; see benchmarks.serving.clients."""
    return _run("benchmarks.serving.clients", str(port), *_words(options))


def measure_throughput() -> dict[str, Any]:
    """Answers a second to clients that ask without pause, beside others, in turn."""
    others = {"plain": plain_service}
    if importlib.util.find_spec("litserve"):
        others["litserve"] = importlib.import_module("benchmarks.programs.litserve_service")
    found: dict[str, list[float]] = {name: [] for name in ("digitnet", *others)}
    starts, rest = [], []
    for _ in range(ROUNDS):
        for name, program in others.items():
            with running(program) as port:
                ask(port, seconds=2)
                found[name].append(ask(port)["answers_per_second"])
        with serving() as service:
            starts.append(service.start_seconds)
            rest.append(service.megabytes)
            ask(service.port, seconds=2)
            found["digitnet"].append(ask(service.port)["answers_per_second"])
    return {
        "clients": CLIENTS,
        "rounds": ROUNDS,
        "answers_per_second": found,
        "ratios": {
            name: statistics.median(
                ours / theirs for ours, theirs in zip(found["digitnet"], found[name], strict=True)
            )
            for name in others
        },
        "start_to_first_answer_seconds": statistics.median(starts),
        "memory_at_rest_mb": statistics.median(rest),
    }


def measure_load() -> dict[str, Any]:
    """Waits at the rated load and at four times that, three times in turn."""
    rounds = []
    for _ in range(ROUNDS):
        with serving() as service:
            most = ask(service.port, seconds=5)["answers_per_second"]
            rated = ask(service.port, rate=most / 2)
            before = service.megabytes
            overload = ask(service.port, rate=2 * most, connections=256)
            rounds.append({"rated": rated, "overload": overload, "grown_mb": service.megabytes - before})
    return {"rounds": rounds}


def measure_slow_clients() -> dict[str, Any]:
    """Waits of others while slow clients hold connections, and when the last of these is closed."""
    kinds = (
        b"",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
        b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nhalf",
        b"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    )
    with serving() as service, contextlib.ExitStack() as clients:
        rate = ask(service.port, seconds=5)["answers_per_second"] / 2
        quiet = ask(service.port, rate=rate, seconds=8)
        opened = []
        begin = time.perf_counter()
        for number in range(SLOW_CLIENTS):
            client = clients.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=60))
            client.sendall(kinds[number % len(kinds)])
            opened.append((client, time.perf_counter()))
        connected = time.perf_counter() - begin
        beside = ask(service.port, rate=rate, seconds=8)
        lasted = []
        for client, since in opened:
            with contextlib.suppress(ConnectionError):
                while client.recv(4096):
                    pass
            lasted.append(time.perf_counter() - since)
        return {
            "clients": SLOW_CLIENTS,
            "connected_after_seconds": connected,
            "without_them": quiet,
            "beside_them": beside,
            "longest_connection_seconds": max(lasted),
        }


def measure_stops() -> dict[str, Any]:
    """SIGTERM at a random moment of full load: whether clients got as many answers as the service says it gave."""
    chance, totals, exits = random.Random(0), Counter[str](), []
    for _ in range(STOPS):
        with serving() as service:
            command = [sys.executable, "-m", "benchmarks.serving.stopped_clients", str(service.port)]
            clients = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            time.sleep(1 + chance.random())  # the clients need most of a second to start
            begin = time.perf_counter()
            service.process.send_signal(signal.SIGTERM)
            code = service.process.wait(60)
            exits.append(time.perf_counter() - begin)
            received = int(clients.communicate()[0])
            service.log.seek(0)
            lines = [json.loads(line) for line in service.log if line.startswith("{")]
            answered = sum(line["status"] == 200 for line in lines) - 1  # the first one was ours
            totals += Counter(
                stops=1,
                answered=answered,
                received=received,
                unanswered=len(lines) - 1 - answered,
                lost=max(0, answered - received),
                other_exit_codes=int(code != 0),
            )
    keys = "stops", "answered", "received", "unanswered", "lost", "other_exit_codes"
    return {key: totals[key] for key in keys} | {"longest_stop_seconds": max(exits)}


def measure_fuzz() -> dict[str, Any]:
    """What comes back for damaged and generated requests, and what the service is like afterwards."""
    with serving() as service:
        _damage(service.port, 5_000, seed=0)  # until everything is loaded that ever is
        run_schemathesis(service.port, 50)
        memory, files = [service.megabytes], service.process.num_fds()
        raw = Counter[str]()
        for seed in (1, 2):
            raw += Counter(_damage(service.port, RAW // 2, seed))
            memory.append(service.megabytes)
        generated = run_schemathesis(service.port, GENERATED // 10)
        time.sleep(12)  # until the last connection is closed
        memory.append(service.megabytes)
        service.log.seek(0)
        return {
            "raw": dict(sorted(raw.items())),
            "generated": generated,
            "tracebacks": service.log.read().count("Traceback"),
            "memory_mb": [round(value, 1) for value in memory],
            "grown_files": service.process.num_fds() - files,
        }


def _damage(port: int, count: int, seed: int) -> dict[str, int]:
    return _run("benchmarks.serving.raw_requests", str(port), "--count", str(count), "--seed", str(seed))


def measure_soak() -> dict[str, Any]:
    """Memory while the rated load goes on; the first minute is left for what is loaded and cached once."""
    with serving() as service:
        rate = ask(service.port, seconds=5)["answers_per_second"] / 2
        ask(service.port, rate=rate, seconds=60)
        command = [sys.executable, "-m", "benchmarks.serving.clients", str(service.port)]
        words = _words({"rate": rate, "seconds": SOAK_SECONDS})
        clients = subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True)
        memory = []
        while clients.poll() is None:
            memory.append(service.megabytes)
            time.sleep(10)
        assert clients.stdout is not None
        return {
            "seconds": SOAK_SECONDS,
            **json.loads(clients.stdout.read()),
            "memory_mb": [round(value, 1) for value in memory],
            "grown_mb": max(memory) - memory[0],
        }


def run_schemathesis(port: int, examples: int) -> dict[str, Any]:
    """Let Schemathesis generate requests from the description of the routes, so many for each of these."""
    words = ["run", f"http://127.0.0.1:{port}/openapi.json", "--checks", "not_a_server_error", "--no-color"]
    script = Path(sys.executable).parent / "schemathesis"
    words += ["--max-examples", str(examples), "--continue-on-failure"]
    with tempfile.TemporaryDirectory() as folder:  # it keeps notes where it runs
        done = subprocess.run([script, *words], capture_output=True, text=True, cwd=folder)
    found = re.search(r"([\d,]+) generated", done.stdout)
    if done.returncode:
        print(done.stdout, file=sys.stderr)
    return {
        "requests": int(found[1].replace(",", "")) if found else 0,
        "exit_code": done.returncode,
        "server_errors": done.stdout.count("Server error"),
    }


def _words(options: dict[str, Any]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def _run(module: str, *words: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", module, *words], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "throughput": measure_throughput,
    "load": measure_load,
    "slow": measure_slow_clients,
    "stops": measure_stops,
    "fuzz": measure_fuzz,
    "soak": measure_soak,
}


def main() -> None:
    """Measure, print and store the parts that are named, or all."""
    for name in sys.argv[1:] or PARTS:
        measured = {"machine": describe_machine(), **PARTS[name]()}
        print(name, json.dumps(measured, indent=1), flush=True)
        results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        write_whole(RESULT, json.dumps(results | {name: measured}, indent=1) + "\n")


if __name__ == "__main__":
    main()
