"""The network of a model file, run by ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from digitnet.errors import ModelError
from digitnet.modelfile import DECISIONS, read_model

UInt8 = npt.NDArray[np.uint8]
Float32 = npt.NDArray[np.float32]

SHIPPED = Path(__file__).with_name("reader.onnx")
"""The model that comes with the package; docs/model-card.md describes it."""

SIDE = 28

_ACCEPTED, _NOT_SURE, _NOT_A_DIGIT = map(DECISIONS.index, ("accepted", "not sure", "not a digit"))


@dataclass(frozen=True)
class Answers:
    """What the network says about N images."""

    probabilities: Float32  # (N, K), each row sums to 1
    decisions: npt.NDArray[np.int64]  # (N,) indices into modelfile.DECISIONS
    scores: Float32  # (N,) of being a digit at all; see modelfile
    images: Float32  # (N, 28, 28), 0 to 255: what the network saw

    @classmethod
    def joined(cls, parts: "Sequence[Answers]") -> "Answers":
        """Concatenate answers; at least one part."""
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))


class Network:
    """The network of a model file, by default of the one that comes with digitnet; several threads may share it.

    `min_probability` takes the place of the file's own threshold of an accepted answer. Raises ModelError if the
    file is unusable.
    """

    def __init__(
        self, path: Path | str | None = None, threads: int = 1, min_probability: float | None = None
    ) -> None:
        path = Path(path) if path else SHIPPED
        model = read_model(path)
        self.info = model.info
        self._min_probability = min_probability
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors are raised, so none need be logged
        try:
            self._session = onnxruntime.InferenceSession(
                model.content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's own errors have no common class
            raise ModelError(
                f"{path}: ONNX Runtime {onnxruntime.__version__} can't run this model ({error}). "
                "Run: pip install --upgrade onnxruntime"
            ) from error

    def answer_crops(self, crops: UInt8) -> Answers:
        """Recognise crops ``(N, rows, columns, 1 or 3)`` of one size, each of a digit, its ink dark or light."""
        return self._run(crops, np.zeros((0, SIDE, SIDE), np.float32))

    def answer_images(self, images: Float32) -> Answers:
        """Recognise images ``(M, 28, 28)``, 0 to 255, laid out as MNIST's: light ink on 0, 20 pixels, centred."""
        return self._run(np.zeros((0, 1, 1, 1), np.uint8), images)

    def _run(self, crops: UInt8, images: Float32) -> Answers:
        inputs: dict[str, Any] = {"crops": crops, "images": images}
        answers = Answers(*self._session.run(["probabilities", "decision", "score", "normalised"], inputs))
        return answers if self._min_probability is None else _decide(answers, self._min_probability)


def _decide(answers: Answers, min_probability: float) -> Answers:
    """Decide anew which answers are accepted; what is not a digit stays that."""
    highest = answers.probabilities.max(axis=1, initial=0).astype(np.float64)  # as Digit.probability compares
    accepted = np.where(highest >= min_probability, _ACCEPTED, _NOT_SURE)
    return replace(answers, decisions=np.where(answers.decisions == _NOT_A_DIGIT, _NOT_A_DIGIT, accepted))
