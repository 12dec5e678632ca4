"""Read digits on many machines by Ray Serve: serve run examples.ray_serve:app, or python examples/ray_serve.py."""

import asyncio
import json
import urllib.request

import cv2
import numpy as np
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

from digitnet import DigitnetError, Reader


@serve.deployment(num_replicas=2, max_ongoing_requests=16)
class Digits:
    """POST a picture; the answer is the JSON of `digitnet read --format json`."""

    def __init__(self) -> None:
        self.reader = Reader()

    async def __call__(self, request: Request) -> JSONResponse:
        """Read one picture."""
        try:
            reading = await asyncio.to_thread(self.reader.read, await request.body())
        except DigitnetError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(reading.to_json())


app = Digits.bind()

if __name__ == "__main__":
    serve.run(app)
    picture = cv2.putText(np.full((160, 320), 255, np.uint8), "47", (60, 120), 0, 4, 0, 12)
    body = cv2.imencode(".png", picture)[1].tobytes()
    with urllib.request.urlopen("http://127.0.0.1:8000/", body) as reply:
        print(json.load(reply)["text"])
    serve.shutdown()
