"""Beyond this computer the service needs a token, and beyond one process it stays one service."""

import errno
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from servers import Server, serving
from test_inference import to_npy

from digitnet.errors import UsageError
from digitnet.serving.address import listen
from processes import DIGITNET, end, wait_until
from processes import run as run_python

TOKEN = "a token that is long enough".replace(" ", "-")
IMAGE = to_npy(np.zeros((1, 28, 28), np.uint8))
DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "serving.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    with serving("--host", "0.0.0.0", env={**os.environ, "DIGITNET_TOKEN": TOKEN}) as server:
        yield server


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("Bearer", 401),
        ("Bearer another", 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        (f"Bearer {TOKEN}\u00e9", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN}", 200),
    ],
)
def test_another_address_answers_only_whoever_has_the_token(
    guarded: Server, header: str | None, status: int
) -> None:
    headers = {"Host": "digits.example.org"} | ({} if header is None else {"Authorization": header})
    found, replied, content = guarded.ask("POST", "/v1/predict", IMAGE, headers)
    assert found == status
    if status == 401:
        assert replied["www-authenticate"] == "Bearer"
        assert b"token" in content and TOKEN.encode() not in content


@pytest.mark.parametrize(
    ("path", "status"), [("/v2/health/ready", 200), ("/metrics", 401), ("/", 401), ("/docs", 401)]
)
def test_without_the_token_there_is_nothing_but_the_health(guarded: Server, path: str, status: int) -> None:
    assert guarded.ask("GET", path)[0] == status


@pytest.mark.parametrize("path", ["/", "/docs", "/api/own", "/api/models/"])
def test_the_page_is_not_served_to_other_computers(guarded: Server, path: str) -> None:
    assert guarded.ask("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})[0] == 404


@pytest.mark.parametrize(
    ("words", "token", "said"),
    [
        (("--host", "0.0.0.0"), None, "DIGITNET_TOKEN, found none"),
        (("--host", "0.0.0.0"), "short", "at least 16 characters"),
        (("--host", "0.0.0.0"), "with blanks between its words", "plain ones"),
        (("--host", "no.such.name.invalid"), TOKEN, "expected an address of this computer"),
        (("--host", "192.0.2.1"), TOKEN, "expected an address of this computer"),  # of a documentation network
        (("--host", ""), TOKEN, "--host"),
        (("--port", "65536"), None, "--port 65536: expected a free port"),
        (("--port", "-1"), None, "--port -1: expected a free port"),
        (("--workers", "0"), None, "--workers 0: expected from 1 to 256"),
        (("--workers", "1000000"), None, "--workers 1000000: expected"),
        *(
            (
                ("--allow-origin", origin),
                None,
                "--allow-origin: expected the address of a site as browsers send it",
            )
            for origin in (
                "example.org",
                "https://example.org/form",
                "http://",
                "http://:80",
                "http://[::1",
                "https://u@h",
                "https://Example.org",
                "https://example.org:443",
                "*",
                "null",
            )
        ),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(words: tuple[str, ...], token: str | None, said: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "DIGITNET_TOKEN"}
    if token is not None:
        environment["DIGITNET_TOKEN"] = token
    done = run_python(*DIGITNET, "serve", *words, "--no-browser", env=environment)
    assert done.returncode == 2 and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and not done.stdout


def test_a_port_for_administrators_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, address: object) -> None:  # an administrator, as in a container, may have any
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(UsageError, match="--port 80: expected a free port, found one that only an administrator"):
        listen("127.0.0.1", 80)


def test_a_site_that_was_allowed_may_ask_and_no_other() -> None:
    with serving("--allow-origin", "https://example.org") as server:
        headers = {"Origin": "https://example.org", "Sec-Fetch-Site": "cross-site"}
        status, replied, _ = server.ask("POST", "/v1/predict", IMAGE, headers)
        assert (status, replied["access-control-allow-origin"]) == (200, "https://example.org")
        before = {**headers, "Access-Control-Request-Method": "POST"}
        assert server.ask("OPTIONS", "/v1/predict", headers=before)[0] == 200
        other = {"Origin": "https://example.com", "Sec-Fetch-Site": "cross-site"}
        status, replied, _ = server.ask("POST", "/v1/predict", IMAGE, other)
        assert status == 403 and "access-control-allow-origin" not in replied
        for path in ("/api/own", "/metrics", "/docs"):
            assert (
                server.ask("GET", path, headers=headers)[0] == 403
            )  # its visitors' digits are none of its business


def count_answers(server: Server) -> float:
    """Return how many requests the service says that it has answered."""
    content = server.ask("GET", "/metrics")[2].decode()
    samples = (sample for family in text_string_to_metric_families(content) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == "digitnet_requests_total")


def workers_of(server: Server) -> list[psutil.Process]:
    """Return the processes that answer."""
    found = []
    for child in psutil.Process(server.process.pid).children():
        with suppress(psutil.ZombieProcess, psutil.NoSuchProcess):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


@contextmanager
def two_workers() -> Iterator[Server]:
    """Serve by two processes, and wait until both have started."""
    with serving("--workers", 2) as server:
        wait_until(lambda: len(workers_of(server)) == 2, server.process)
        yield server


@pytest.mark.acceptance
def test_several_processes_answer_and_count_as_one_and_a_killed_one_is_replaced() -> None:
    with two_workers() as server:
        for _ in range(10):
            assert server.ask("POST", "/v1/predict", IMAGE)[0] == 200
        assert {count_answers(server) for _ in range(10)} == {10}
        victim = workers_of(server)[0]
        victim.kill()
        wait_until(lambda: len(workers_of(server)) == 2 and victim not in workers_of(server), server.process)
        assert server.ask("POST", "/v1/predict", IMAGE)[0] == 200
        begin = time.monotonic()
        server.process.terminate()
        error = end(server.process)[1]
        assert server.process.returncode == 0 and time.monotonic() - begin < 10
        assert "Traceback" not in error


@pytest.mark.acceptance
def test_when_the_first_process_is_killed_the_others_end() -> None:
    with two_workers() as server:
        workers = workers_of(server)
        server.process.send_signal(signal.SIGKILL)
        assert not psutil.wait_procs(workers, timeout=20)[1]


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_nginx_passes_programs_on_as_the_document_shows(tmp_path: Path) -> None:
    (block,) = re.findall(r"```nginx\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with serving() as server:
        block = block.replace("listen 80", f"listen 127.0.0.1:{port}")
        block = block.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        kinds = "client_body", "proxy", "fastcgi", "uwsgi", "scgi"
        places = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(
            f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
            f"http {{ access_log off; {places} {block} }}"
        )
        assert NGINX is not None
        nginx = subprocess.Popen([NGINX, "-c", configuration, "-p", tmp_path], text=True)
        try:
            in_front = Server(f"http://127.0.0.1:{port}/", nginx)
            wait_until(lambda: _answers(port), nginx)
            assert in_front.ask("POST", "/v1/predict", IMAGE)[0] == 200
            status, _, content = in_front.ask("GET", "/api/own")
            assert status in (403, 404) and b"nginx" in content  # it was not passed on
            assert in_front.ask("POST", "/v1/read", bytes(11 * 2**20))[0] == 413
        finally:
            nginx.terminate()
            nginx.wait()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
