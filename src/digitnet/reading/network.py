"""The network of a model file, run by ONNX Runtime."""

import copy
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

NOTHING = np.zeros((0, 1, 1, 1), np.uint8), np.zeros((0, SIDE, SIDE), np.float32)
"""No crops and no images: either input of a model file may be empty."""

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

    def part(self, chosen: slice) -> "Answers":
        """Return the answers about some of the images."""
        return Answers(*(getattr(self, field.name)[chosen] for field in fields(self)))


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
        self.layers = model.layers
        self._min_probability = min_probability
        self._run_options = onnxruntime.RunOptions()
        self._run_options.only_execute_path_to_fetches = True  # what shows the inside is for who asks for it
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

    def with_min_probability(self, least: float | None) -> "Network":
        """Return this network with another threshold of an accepted answer; None keeps it as it is."""
        if least is None:
            return self
        other = copy.copy(self)  # the session is shared
        other._min_probability = least
        return other

    def answer_crops(self, crops: UInt8) -> Answers:
        """Recognise crops ``(N, rows, columns, 1 or 3)`` of one size, each of a digit, its ink dark or light."""
        return self.answer(crops, NOTHING[1])

    def answer_images(self, images: Float32) -> Answers:
        """Recognise images ``(M, 28, 28)``, 0 to 255, laid out as MNIST's: light ink on 0, 20 pixels, centred."""
        return self.answer(NOTHING[0], images)

    def answer(self, crops: UInt8, images: Float32) -> Answers:
        """Recognise both, either of which may be empty."""
        return self._run(crops, images, [])[0]

    def look_inside(self, crops: UInt8, images: Float32) -> tuple[Answers, list[Float32]]:
        """Recognise crops and images, and return what each of `layers` hands on, ``(N + M, ...)``, too.

        This costs no more than the answers; only the arrays are copied.
        """
        return self._run(crops, images, [f"layer_{k}" for k in range(len(self.layers))])

    def read_weights(self) -> list[Float32 | None]:
        """Return the weights of each of `layers`; None for one that has none."""
        weighted = [k for k, layer in enumerate(self.layers) if layer["weightShape"] is not None]
        _, arrays = self._run(*NOTHING, [f"weights_{k}" for k in weighted])
        found = dict(zip(weighted, arrays, strict=True))
        return [found.get(k) for k in range(len(self.layers))]

    def _run(self, crops: UInt8, images: Float32, more: list[str]) -> tuple[Answers, list[Float32]]:
        inputs: dict[str, Any] = {"crops": crops, "images": images}
        asked = ["probabilities", "decision", "score", "normalised", *more]
        values = self._session.run(asked, inputs, self._run_options)
        answers = Answers(*values[:4])
        if self._min_probability is not None:
            answers = _decide(answers, self._min_probability)
        return answers, values[4:]


def _decide(answers: Answers, min_probability: float) -> Answers:
    """Decide anew which answers are accepted; what is not a digit stays that."""
    highest = answers.probabilities.max(axis=1, initial=0).astype(np.float64)
    confidence = highest / (1 + np.exp(np.minimum(-answers.scores.astype(np.float64), 50)))  # as Digit.confidence
    accepted = np.where(confidence >= min_probability, _ACCEPTED, _NOT_SURE)
    return replace(answers, decisions=np.where(answers.decisions == _NOT_A_DIGIT, _NOT_A_DIGIT, accepted))
