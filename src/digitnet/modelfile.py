"""The model file: one ONNX file with a trained network and all that is needed to read with it.

Weights, preprocessing, temperature and thresholds are part of the graph, so that every runtime gives the same
answers. The graph has two inputs, either of which may be empty; the outputs hold the rows of the first, then those
of the second:

    crops          (N, rows, columns, 1 or 3) uint8     parts of pictures, of one size, their ink dark or light
    images         (M, 28, 28) float32, 0 to 255        laid out as MNIST's: light ink, 20 pixels, centred
    probabilities  (N + M, K) float32                   calibrated; each row sums to 1
    decision       (N + M,) int64                       0 accepted, 1 not sure, 2 not a digit
    score          (N + M,) float32                     log odds of being a digit at all; of a network that was
                                                        trained without outliers, minus its energy
    normalised     (N + M, 28, 28) float32, 0 to 255    what the network saw

For looking inside there are more outputs. Most are computed on the way to the answers anyway; ONNX Runtime leaves
out the others with `only_execute_path_to_fetches`:

    layer_K        (N + M, ...) float32                 what layer K, counted from 0, hands on to the next
    weights_K      as the layer has them, float32       its weights, if it has any

ONNX's own metadata holds ``digitnet.scheme``, the version of all this; ``digitnet.info``, a JSON object, see
ModelInfo; ``digitnet.layers``, a JSON list with a description of each layer, which files before 2026-12 lack; and
``digitnet.sha256``, the hash of the whole file with the 64 digits of this value taken as zeros.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self

from digitnet.errors import ModelError
from digitnet.files import sha256

SCHEME = 1
"""Version of the file's inputs, outputs and metadata. A reader refuses a higher one."""

PREPROCESSING = 1
"""Version of the preprocessing in the graph."""

Decision = Literal["accepted", "not sure", "not a digit"]
DECISIONS: tuple[Decision, ...] = ("accepted", "not sure", "not a digit")
"""The meaning of the numbers of the output `decision`."""

LARGEST = 256 * 2**20
"""The most bytes that a model file may have; digitnet's own has less than 1 MB."""


@dataclass(frozen=True)
class Calibration:
    """How logits become probabilities, and when an answer is accepted; chosen on validation images."""

    temperature: float  # the logits are divided by it (Guo et al. 2017, section 4.2)
    sure: float  # lowest probability, 0 to 1, that an accepted answer is a digit, and this one
    digit: float  # lowest score of what is accepted as a digit
    curve: tuple[tuple[float, float], ...]  # (coverage, accuracy) of the validation images, coverage from 1 down


@dataclass(frozen=True)
class ModelInfo:
    """The metadata of a model file."""

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
        """Read what `to_json` wrote; raise ValueError if it is something else."""
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
    """A model file that passed every check: its bytes, for an ONNX runtime, and its metadata."""

    content: bytes
    info: ModelInfo
    layers: tuple[dict[str, Any], ...] = ()
    """Kind, name, text, shape and more of each layer, for pages; empty where the file does not describe them."""


def checkpoints_of(path: Path) -> Path:
    """Name the folder beside a model file for model files of the same network at earlier steps, ``10.onnx``."""
    return path.with_suffix(".checkpoints")


def read_model(path: Path) -> ModelFile:
    """Read and check a model file; raise ModelError if it is missing, damaged, foreign or of a newer scheme."""
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
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ModelError(f"{path}: expected a model file, could not read it ({reason}). {_REMEDY}") from error


def parse_model(content: bytes, where: str) -> ModelFile:
    """Check the bytes of a model file before any runtime sees them; a ModelError begins with `where`."""
    scheme = _find_value(content, _SCHEME_KEY)
    if scheme is None:
        if _PRODUCER in content[:64]:
            raise _damaged(where, "only a part of one")
        raise ModelError.mismatch(where, expected="a digitnet model file", found="something else", remedy=_REMEDY)
    if not scheme.isdigit():
        raise _damaged(where, "no version in it")
    if int(scheme) > SCHEME:
        raise ModelError.mismatch(
            where,
            expected=f"a model file of scheme {SCHEME} or older",
            found=f"scheme {int(scheme)}, of a newer digitnet",
            remedy="Install a newer digitnet.",
        )
    stated = _find_value(content, _HASH_KEY) or b""
    if len(stated) != 64 or sha256(content.replace(stated, _NO_HASH)).encode() != stated:
        raise _damaged(where, "other bytes than were written")
    try:
        info = ModelInfo.from_json(_find_value(content, _INFO_KEY) or b"")
        return ModelFile(content, info, tuple(map(dict, json.loads(_find_value(content, _LAYERS_KEY) or b"[]"))))
    except (ValueError, TypeError, KeyError) as error:
        raise _damaged(where, f"metadata that can't be read ({error})") from error


def metadata_of(info: ModelInfo, layers: Sequence[dict[str, Any]] = ()) -> dict[str, str]:
    """Return the metadata to write into a file; `seal` fills in the hash later."""
    values = {
        _SCHEME_KEY: str(SCHEME),
        _INFO_KEY: info.to_json(),
        _LAYERS_KEY: json.dumps(list(layers)),
        _HASH_KEY: _NO_HASH.decode(),
    }
    return {key.decode(): value for key, value in values.items()}


def seal(content: bytes) -> bytes:
    """Put the hash into a file that was written with `metadata_of`."""
    if content.count(_NO_HASH) != 1:
        raise ValueError(f"expected one place for the hash, found {content.count(_NO_HASH)}")
    return content.replace(_NO_HASH, sha256(content).encode())


PRODUCER = "digitnet"
"""ONNX's producer_name, near the beginning of every file: it identifies even a truncated one."""

_PRODUCER = b"\x12" + bytes([len(PRODUCER)]) + PRODUCER.encode()
_SCHEME_KEY, _INFO_KEY, _HASH_KEY = b"digitnet.scheme", b"digitnet.info", b"digitnet.sha256"
_LAYERS_KEY = b"digitnet.layers"
_NO_HASH = b"0" * 64
_REMEDY = "Name a file that `digitnet export` wrote."


def _damaged(where: str, found: str) -> ModelError:
    return ModelError.mismatch(
        where, expected="a whole model file", found=found, remedy="Copy it again, or export it again."
    )


def _find_value(content: bytes, key: bytes) -> bytes | None:
    """Find the value of a key in ONNX's metadata, which is written as 0a LENGTH KEY 12 LENGTH VALUE; or None.

    Searches the bytes instead of asking ONNX Runtime, so that a file is known to be whole and ours before any
    runtime loads it. protobuf.dev/programming-guides/encoding.
    """
    _, found, rest = content.rpartition(bytes([0x0A, len(key)]) + key + b"\x12")
    length = 0
    for place, byte in enumerate(rest[:4] if found else b""):  # a length has 7 bits in each byte, the lowest first
        length |= (byte & 127) << 7 * place
        if byte < 128:
            return rest[place + 1 : place + 1 + length]
    return None
