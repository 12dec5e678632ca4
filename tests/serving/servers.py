"""A real `digitnet serve`, and what its tests send to it."""

import base64
import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from digitnet.modelfile import seal
from processes import DIGITNET, Process, running


@dataclass(frozen=True)
class Server:
    """A server that runs, and the address of its page."""

    address: str
    process: Process

    @property
    def port(self) -> int:
        return int(self.address.rstrip("/").rpartition(":")[2])

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Send one request and return status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, {key.lower(): value for key, value in reply.getheaders()}, reply.read()
        finally:
            connection.close()

    def ask_json(self, method: str, path: str, question: Any = None) -> Any:
        """Send JSON, and return what comes back; the status must be 200."""
        body = None if question is None else json.dumps(question).encode()
        status, _, content = self.ask(method, path, body, {"Content-Type": "application/json"})
        assert status == 200, content
        return json.loads(content)


@contextmanager
def serving(*words: object, **options: Any) -> Iterator[Server]:
    """Run `digitnet serve` on a free port until the end of the block."""
    with running(*DIGITNET, "serve", *words, "--port", 0, "--no-browser", **options) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), process.communicate()
        yield Server(address, process)


def to_crop(image: npt.NDArray[np.uint8]) -> dict[str, Any]:
    """Write an image ``(rows, columns)`` as the page does."""
    rows, columns = image.shape
    return {"rows": rows, "columns": columns, "pixels": base64.b64encode(image.tobytes()).decode()}


def without_layers(content: bytes) -> bytes:
    """Make a model file as older versions wrote it, which describes no layers."""
    model = onnx.load_from_string(content)
    values = {"digitnet.layers": "[]", "digitnet.sha256": "0" * 64}
    for entry in model.metadata_props:
        entry.value = values.get(entry.key, entry.value)
    return seal(model.SerializeToString())
