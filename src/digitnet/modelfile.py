"""The door between the wings: one ONNX file that holds a trained network and all it takes to read with it.

Inside: the weights, the preprocessing, the temperature and the thresholds are part of the graph, so that every
runtime answers alike. The graph has two entries, and answers about what came in by the first, then the second:

    crops          (N, rows, columns, 1 or 3) uint8     pieces of pictures, of any size, ink dark or light
    images         (M, 28, 28) float32, 0 to 255        already as MNIST's are: light ink, 20 pixels, centred
    probabilities  (N + M, K) float32                   calibrated; each row sums to 1
    decision       (N + M,) int64                       0 accepted, 1 not sure, 2 not a digit
    score          (N + M,) float32                     how much it is a digit at all, in nats; higher is more
    normalised     (N + M, 28, 28) float32, 0 to 255    what the network saw

Either may be empty. Beside the graph, in ONNX's own metadata: ``digitnet.scheme``, the version of all this;
``digitnet.info``, a JSON object, see ModelInfo; and ``digitnet.sha256``, the hash of the whole file with the 64
digits of this value taken as zeros.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from digitnet.errors import ModelError
from digitnet.files import sha256

SCHEME = 1
"""Version of the file's entries, answers and metadata. A reader refuses a higher one."""

PREPROCESSING = 1
"""Version of what the graph does to a crop before the network sees it."""

Decision = Literal["accepted", "not sure", "not a digit"]
DECISIONS: tuple[Decision, ...] = ("accepted", "not sure", "not a digit")
"""What the numbers of the answer `decision` mean."""

LARGEST = 256 * 2**20
"""Bytes that a model file may have; digitnet's own have less than 1 MB."""


@dataclass(frozen=True)
class Calibration:
    """How answers become probabilities, and from where on they are given. All chosen on validation images."""

    temperature: float  # the logits are divided by it (Guo et al. 2017, section 4.2)
    sure: float  # the least probability, 0 to 1, of an answer that is accepted
    digit: float  # the least score of what is taken for a digit
    curve: tuple[tuple[float, float], ...]  # (coverage, accuracy) of the validation images, coverage from 1 down


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says about itself."""

    labels: tuple[str, ...]  # (K,)
    calibration: Calibration
    training: dict[str, Any]  # the run's configuration and outcome, for people
    weights_sha256: str  # of the checkpoint's tensor file that the weights came from
    digitnet: str  # the version that wrote the file
    preprocessing: int = PREPROCESSING

    def to_json(self) -> str:
        """Write everything as a JSON object."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote; raise ValueError where it is something else."""
        values = json.loads(text)
        if not isinstance(values, dict) or values.keys() != {field.name for field in fields(cls)}:
            raise ValueError("the fields are not those of a model")
        calibration = values.pop("calibration")
        if not isinstance(calibration, dict) or calibration.keys() != Calibration.__annotations__.keys():
            raise ValueError("the fields are not those of a calibration")
        curve = tuple((float(coverage), float(accuracy)) for coverage, accuracy in calibration.pop("curve"))
        numbers = {name: float(value) for name, value in calibration.items()}
        labels = tuple(map(str, values.pop("labels")))
        return cls(labels=labels, calibration=Calibration(**numbers, curve=curve), **values)


@dataclass(frozen=True)
class ModelFile:
    """A model file that was found whole: its bytes, for an ONNX runtime, and what it says about itself."""

    content: bytes
    info: ModelInfo


def read_model(path: Path) -> ModelFile:
    """Read and check a model file; raise ModelError when it is missing, damaged, foreign or of a newer scheme."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ModelError.mismatch(
                path,
                expected=f"a model file of at most {LARGEST >> 20} MB",
                found=f"{size >> 20} MB",
                remedy=_REMEDY,
            )
        return parse_model(path.read_bytes(), str(path))
    except OSError as fault:
        reason = (fault.strerror or str(fault)).lower()
        raise ModelError(f"{path}: expected a model file, could not read it ({reason}). {_REMEDY}") from fault


def parse_model(content: bytes, where: str) -> ModelFile:
    """Check the bytes of a model file before any runtime sees them; ModelError begins with `where`."""
    metadata = _read_metadata(content)
    if metadata is None or _SCHEME_KEY not in metadata:
        if _PRODUCER in content[:64]:
            raise _damaged(where, "only a part of one")
        raise ModelError.mismatch(where, expected="a digitnet model file", found="something else", remedy=_REMEDY)
    scheme = metadata[_SCHEME_KEY]
    if not scheme.isdigit():
        raise _damaged(where, "no version in it")
    if int(scheme) > SCHEME:
        raise ModelError.mismatch(
            where,
            expected=f"a model file of scheme {SCHEME} or older",
            found=f"scheme {int(scheme)}, of a newer digitnet",
            remedy="Run: pip install --upgrade digitnet",
        )
    stated = metadata.get(_HASH_KEY, b"")
    if len(stated) != 64 or sha256(content.replace(stated, _NO_HASH)).encode() != stated:
        raise _damaged(where, "other bytes than were written")
    try:
        return ModelFile(content, ModelInfo.from_json(metadata.get(_INFO_KEY, b"")))
    except (ValueError, TypeError, KeyError) as fault:
        raise _damaged(where, f"metadata that can't be read ({fault})") from fault


def metadata_of(info: ModelInfo) -> dict[str, str]:
    """List the metadata of a file that is about to be written; `seal` fills in the hash."""
    return {
        _SCHEME_KEY: str(SCHEME),
        _INFO_KEY: info.to_json(),
        _HASH_KEY: _NO_HASH.decode(),
    }


def seal(content: bytes) -> bytes:
    """Put the hash into a file that was written with `metadata_of`."""
    if content.count(_NO_HASH) != 1:
        raise ValueError(f"expected one place for the hash, found {content.count(_NO_HASH)}")
    return content.replace(_NO_HASH, sha256(content).encode())


PRODUCER = "digitnet"
"""ONNX's producer_name in every file, near its beginning: so a piece of one is known for what it was."""

_PRODUCER = b"\x12" + bytes([len(PRODUCER)]) + PRODUCER.encode()
_SCHEME_KEY, _INFO_KEY, _HASH_KEY = "digitnet.scheme", "digitnet.info", "digitnet.sha256"
_NO_HASH = b"0" * 64
_REMEDY = "Name a file that `digitnet export` wrote."


def _damaged(where: str, found: str) -> ModelError:
    return ModelError.mismatch(
        where, expected="a whole model file", found=found, remedy="Copy it again, or export it again."
    )


def _read_metadata(content: bytes) -> dict[str, bytes] | None:
    """Collect metadata_props, field 14 of ONNX's ModelProto; None when the bytes are no protobuf message.

    Read here, and not by a runtime, so that a file is known to be whole and ours before one is trusted with it;
    and the reading wing needs no package for it. protobuf.dev/programming-guides/encoding, onnx/onnx.proto.
    """
    try:
        entries = [dict(_protobuf_fields(value)) for number, value in _protobuf_fields(content) if number == 14]
        return {entry[1].decode(): entry[2] for entry in entries}
    except (ValueError, KeyError):
        return None


def _protobuf_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and bytes of a message's length-delimited fields; raise ValueError where it is no message."""
    view, place = memoryview(message), 0

    def varint() -> int:
        nonlocal place
        value = shift = 0
        while shift < 64:
            if place >= len(view):
                raise ValueError("the message ends early")
            byte = view[place]
            place += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise ValueError("a number is too long")

    while place < len(view):
        number, wire = divmod(varint(), 8)
        if wire == 0:
            varint()
        elif wire == 2:
            length = varint()
            if place + length > len(view):
                raise ValueError("the message ends early")
            yield number, bytes(view[place : place + length])
            place += length
        else:  # ModelProto has no field of another kind
            raise ValueError(f"a field of kind {wire}")
