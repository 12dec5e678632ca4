"""A plain FastAPI handler that answers each request by a call of digitnet's network: what one writes at first."""

from typing import Any

import numpy as np
import uvicorn
from fastapi import FastAPI

from digitnet.reading.network import Network

PORT = 8765

app, network = FastAPI(), Network()


@app.post("/v1/predict")
def predict(body: dict[str, list[list[float]]]) -> dict[str, Any]:
    """Answer images of 784 numbers each, 0 to 1."""
    answers = network.answer_images(np.array(body["images"], np.float32).reshape(-1, 28, 28) * 255)
    best = answers.probabilities.argmax(axis=1)
    return {
        "predictions": [
            {
                "label": str(k),
                "probability": float(row[k]),
                "decision": int(decision),
                "probabilities": row.tolist(),
            }
            for k, row, decision in zip(best, answers.probabilities, answers.decisions, strict=True)
        ]
    }


if __name__ == "__main__":
    uvicorn.run(app, port=PORT, log_level="warning", access_log=False)
