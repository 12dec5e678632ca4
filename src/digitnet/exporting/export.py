"""A trained run to one model file that any ONNX runtime reads: crop -> ink -> image -> network -> answer."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor, nn

from digitnet.errors import UsageError
from digitnet.evaluation.calibrate import calibrate, digit_score
from digitnet.exporting.crops import lift_ink
from digitnet.files import write_whole
from digitnet.modelfile import DECISIONS, PRODUCER, Calibration, ModelInfo, metadata_of, seal
from digitnet.networks.normalise import SIDE, centre_ink
from digitnet.presets import to_command
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_network

OPSET = 18
"""Of ONNX; onnxruntime reads it since 1.14 (2023), and so do the browsers' builds."""

NO_INK = -1_000.0
"""Score of an image without ink, whatever the network says about it."""


class AnsweringNetwork(nn.Module):
    """The whole way from crops and images to answers; modelfile.py says what goes in and what comes out."""

    def __init__(self, network: nn.Module, classes: int, calibration: Calibration) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.calibration = calibration

    def forward(self, crops: Tensor, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return probabilities, decision, score and normalised images, first of the crops, then of the images."""
        images = torch.cat([centre_ink(lift_ink(crops)), images[:, None]])  # (N + M, 1, 28, 28)
        logits = self.network(images)  # (N + M, K), or K + 1 where the network knows what is not a digit
        probabilities = (logits[:, : self.classes] / self.calibration.temperature).softmax(dim=1)
        score = torch.where(images.amax(dim=(1, 2, 3)) > 0, digit_score(logits, self.classes), NO_INK)
        unsure = (probabilities.amax(dim=1) < self.calibration.sure).to(torch.int64)
        decision = torch.where(score < self.calibration.digit, DECISIONS.index("not a digit"), unsure)
        return probabilities, decision, score, images[:, 0]


def export(
    run: Run | Path | str, out: Path | str | None = None, *, calibration: Calibration | None = None
) -> Path:
    """Write a finished run's network as a model file to `out`, by default ``model.onnx`` in its folder.

    It is calibrated on the validation images, unless a `calibration` is given. Takes about ten seconds, nearly all
    of it torch's own export. Raises UsageError for a run on images of another size than 28 x 28, RunError when the
    run can't be read, StorageError when the file can't be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()  # before the data takes its time
    path = Path(out) if out else run.path / "model.onnx"
    environment = run.environment
    if tuple(environment["image_shape"]) != (SIDE, SIDE):
        rows, columns = environment["image_shape"]
        raise UsageError.mismatch(
            run.path,
            expected=f"a run on images of {SIDE} x {SIDE} pixels, which is what crops are made into",
            found=f"one on {rows} x {columns}",
            remedy="Train on images of that size.",
        )
    calibration = calibration or calibrate(run)
    labels = tuple(environment["label_names"])
    network = load_network(run)  # which verifies the checkpoint, so its hash below is the weights'
    info = ModelInfo(
        labels=labels,
        calibration=calibration,
        training={"config": to_command(run.config), **run.summary},
        weights_sha256=str(run.read_json("checkpoint.json")["tensors_sha256"]),
        digitnet=version("digitnet"),
    )
    content = _to_onnx(AnsweringNetwork(network, len(labels), calibration).eval(), info)
    write_whole(path, seal(content))
    return path


def _to_onnx(answers: AnsweringNetwork, info: ModelInfo) -> bytes:
    """Let torch write the graph, take its traces of this source off it, and put the metadata on."""
    any_length = torch.export.Dim.DYNAMIC
    example = torch.randint(0, 256, (2, 40, 30, 3), dtype=torch.uint8), torch.zeros(3, SIDE, SIDE)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            answers,
            example,
            dynamo=True,
            dynamic_shapes=(dict.fromkeys(range(4), any_length), {0: any_length}),
            input_names=["crops", "images"],
            output_names=["probabilities", "decision", "score", "normalised"],
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.producer_name, model.producer_version = PRODUCER, info.digitnet
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")  # the lines of this source, 300 KB of them
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")
    for key, value in metadata_of(info).items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString())


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch's remarks about its own export from a person who can do nothing about them."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
