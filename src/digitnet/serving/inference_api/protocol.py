"""The Open Inference Protocol, version 2, as KServe and Triton speak it: JSON, with tensors in it or behind it.

github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md; the binary tensors are an
extension of Triton's, github.com/triton-inference-server/server, docs/protocol/extension_binary_data.md.
"""

import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from digitnet.errors import PictureError
from digitnet.reading.network import SIDE, Answers, Float32
from digitnet.reading.reader import check_images
from digitnet.serving.inference_api.images import check_count, parse_object, to_array

INPUT = "images"

HEADER = "Inference-Header-Content-Length"
"""The HTTP header that says where the JSON ends and the tensors begin."""

DATATYPES: dict[Any, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "UINT8": np.dtype("u1"),
    "INT64": np.dtype("<i8"),
}
"""The kinds of tensors that are understood."""

_OUTPUTS = {
    "probabilities": ("FP32", "probabilities"),
    "decision": ("INT64", "decisions"),
    "score": ("FP32", "scores"),
    "normalised": ("FP32", "images"),
}
"""Outputs by name: their type, and the field of Answers."""


def describe_server() -> dict[str, Any]:
    """Describe the server."""
    return {"name": "digitnet", "version": version("digitnet"), "extensions": ["binary_tensor_data"]}


def describe_model(name: str, classes: int) -> dict[str, Any]:
    """Describe a model: its input and outputs."""
    shapes = {"probabilities": [-1, classes], "decision": [-1], "score": [-1], "normalised": [-1, SIDE, SIDE]}
    return {
        "name": name,
        "versions": ["1"],
        "platform": "onnx_onnxruntime",
        "inputs": [{"name": INPUT, "datatype": "FP32", "shape": [-1, SIDE, SIDE]}],
        "outputs": [
            {"name": output, "datatype": _OUTPUTS[output][0], "shape": shapes[output]} for output in _OUTPUTS
        ],
    }


def parse_length(text: str | None) -> int | None:
    """Read the value of HEADER; raise PictureError if it is no whole number."""
    if text is None or (text.isdecimal() and len(text) < 20):
        return None if text is None else int(text)
    raise PictureError.mismatch(HEADER, expected="a whole number", found=repr(text[:20]), remedy="Correct it.")


def parse_request(content: bytes, header_length: int | None) -> tuple[dict[str, Any], Float32]:
    """Split the body of an inference request into its JSON and its images ``(n, 28, 28)``, 0 to 255.

    `header_length` is the number in HEADER. Raises PictureError for anything that can't be answered.
    """
    if header_length is not None and not 0 < header_length <= len(content):
        raise PictureError.mismatch(
            HEADER,
            expected=f"from 1 to {len(content)}, the length of the body",
            found=header_length,
            remedy="Correct it.",
        )
    request, rest = parse_object(content[:header_length]), content[header_length or len(content) :]
    inputs = request.get("inputs")
    names = [one.get("name") for one in inputs if isinstance(one, dict)] if isinstance(inputs, list) else []
    if not isinstance(inputs, list) or names != [INPUT]:
        raise PictureError.mismatch(
            "inputs", expected=f"one tensor {INPUT!r}", found=names or "none", remedy="Name that one alone."
        )
    for name in _wanted(request):
        if name not in _OUTPUTS:
            raise PictureError.mismatch(
                "outputs", expected=f"some of {', '.join(_OUTPUTS)}", found=repr(name), remedy="Leave it out."
            )
    return request, check_count(check_images(_parse_tensor(inputs[0], rest)))


def make_reply(request: Mapping[str, Any], model: str, answers: Answers) -> tuple[bytes, int | None]:
    """Make the body of the reply, and the length of its JSON if tensors follow it."""
    outputs, tensors = [], []
    for name, is_binary in _wanted(request).items():
        datatype, field = _OUTPUTS[name]
        array = np.asarray(getattr(answers, field), DATATYPES[datatype], order="C")
        output: dict[str, Any] = {"name": name, "datatype": datatype, "shape": list(array.shape)}
        if is_binary:
            tensors.append(array.tobytes())
            output["parameters"] = {"binary_data_size": len(tensors[-1])}
        else:
            output["data"] = array.ravel().tolist()
        outputs.append(output)
    reply = {"model_name": model, "model_version": "1", "outputs": outputs}
    if "id" in request:
        reply["id"] = request["id"]
    head = json.dumps(reply).encode()
    return b"".join([head, *tensors]), len(head) if tensors else None


def _wanted(request: Mapping[str, Any]) -> dict[str, bool]:
    """Return the names of the wanted outputs, and whether each is wanted as a binary tensor."""
    all_binary = bool(_parameters(request).get("binary_data_output", False))
    outputs = request.get("outputs")
    if not isinstance(outputs, list) or not outputs:
        return dict.fromkeys(_OUTPUTS, all_binary)
    named = [one for one in outputs if isinstance(one, dict)]
    return {str(one.get("name")): bool(_parameters(one).get("binary_data", all_binary)) for one in named}


def _parse_tensor(tensor: Mapping[str, Any], rest: bytes) -> npt.NDArray[Any]:
    """Read a tensor from its data, or from the bytes behind the JSON."""
    shape, datatype = tensor.get("shape"), tensor.get("datatype")
    if not isinstance(datatype, str) or datatype not in DATATYPES:
        raise PictureError.mismatch(
            f"{INPUT}.datatype",
            expected=f"one of {', '.join(DATATYPES)}",
            found=repr(datatype),
            remedy="Convert it.",
        )
    if not isinstance(shape, list) or not all(type(side) is int and side >= 0 for side in shape):
        raise PictureError.mismatch(
            f"{INPUT}.shape", expected="a list of whole numbers", found=repr(shape), remedy="Correct it."
        )
    array = (
        _parse_binary(tensor, rest, DATATYPES[datatype]) if _is_binary(tensor) else _parse_data(tensor, datatype)
    )
    if array.size != math.prod(shape):
        raise PictureError.mismatch(
            f"{INPUT}.data", expected=f"the numbers of the shape {shape}", found=array.size, remedy="Correct it."
        )
    return array.reshape(shape)


def _is_binary(tensor: Mapping[str, Any]) -> bool:
    return "binary_data_size" in _parameters(tensor)


def _parse_binary(tensor: Mapping[str, Any], rest: bytes, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    size = _parameters(tensor)["binary_data_size"]
    if size != len(rest) or len(rest) % kind.itemsize:
        raise PictureError.mismatch(
            f"{INPUT}: binary_data_size",
            expected=f"{len(rest)}, the bytes behind the JSON, and whole numbers of {kind.itemsize} bytes",
            found=size,
            remedy="Correct it.",
        )
    return np.frombuffer(rest, kind)


def _parse_data(tensor: Mapping[str, Any], datatype: str) -> npt.NDArray[Any]:
    array = to_array(tensor.get("data"), f"{INPUT}.data").ravel()
    if array.dtype.kind not in "iuf":
        return array  # which is refused in a sentence
    return array.astype(np.float32) if datatype.startswith("FP") else array


def _parameters(holder: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters = holder.get("parameters")
    return parameters if isinstance(parameters, dict) else {}
