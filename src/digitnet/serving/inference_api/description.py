"""Bodies and replies for ``/openapi.json``: FastAPI does not see them, since the routes read and write them."""

from typing import Any

from digitnet.modelfile import DECISIONS
from digitnet.reading.network import SIDE
from digitnet.serving.inference_api import protocol
from digitnet.serving.inference_api.images import MOST
from digitnet.serving.refusals import STATUSES

_ONE = [[255 if 12 <= column < 16 and 4 <= row < 24 else 0 for column in range(SIDE)] for row in range(SIDE)]
"""An image of a 1, to try."""

_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _describe_object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _describe_body(contents: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": contents}}


PICTURE = _describe_body({"image/*": _BINARY, "application/octet-stream": _BINARY})
"""The body of /v1/read."""

IMAGES = {
    "parameters": [{"name": "model", "in": "query", "schema": {"type": "string", "default": "reader"}}],
    **_describe_body(
        {
            "application/json": {
                "schema": _describe_object({"images": {"type": "array", "minItems": 1, "maxItems": MOST}}),
                "example": {"images": [_ONE]},
            },
            "application/octet-stream": _BINARY,  # as numpy.save writes it
        }
    ),
}
"""The body of /v1/predict, and its parameter."""

PREDICTIONS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What the network says of each image",
        "content": {
            "application/json": {
                "schema": _describe_object(
                    {
                        "predictions": {
                            "type": "array",
                            "items": _describe_object(
                                {
                                    "label": {"type": "string"},
                                    "probability": {"type": "number"},
                                    "decision": {"enum": list(DECISIONS)},
                                    "score": {"type": "number", "description": "of being a digit at all"},
                                    "probabilities": {"type": "array", "items": {"type": "number"}},
                                }
                            ),
                        }
                    }
                )
            }
        },
    }
}
"""The reply of /v1/predict."""

_TENSOR = _describe_object(
    {
        "name": {"const": protocol.INPUT},
        "shape": {"type": "array", "items": {"type": "integer"}},
        "datatype": {"enum": list(protocol.DATATYPES)},
        "data": {"type": "array"},
    }
)

TENSORS = _describe_body(
    {
        "application/json": {
            "schema": _describe_object({"inputs": {"type": "array", "items": _TENSOR}}),
            "example": {
                "inputs": [{"name": protocol.INPUT, "shape": [1, SIDE, SIDE], "datatype": "UINT8", "data": [_ONE]}]
            },
        }
    }
)
"""The body of /v2/models/{name}/infer, where its tensors are JSON."""

REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": description,
        "content": {"application/json": {"schema": _describe_object({"error": {"type": "string"}})}},
    }
    for status, description in STATUSES.items()
}
"""What the routes for programs say besides an answer."""
