"""Export a trained run as one ONNX file: crops -> ink -> images -> network -> probabilities and decisions."""

import contextlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from digitnet.config import TrainConfig
from digitnet.errors import UsageError
from digitnet.evaluation.calibrate import calibrate
from digitnet.evaluation.layer_words import describe_layers
from digitnet.evaluation.layers import Layer, first_sequence, run_modules, trace_layers
from digitnet.evaluation.refusal import answer_confidence, digit_score
from digitnet.exporting.checkpoints import make_checkpoint
from digitnet.exporting.fold import fold_batchnorm
from digitnet.files import expand_home, make_folder, sha256, write_whole
from digitnet.modelfile import PRODUCER, Calibration, ModelInfo, checkpoints_of, metadata_of, seal
from digitnet.networks.lift_ink import lift_ink
from digitnet.networks.normalise import SIDE, centre_ink
from digitnet.presets import to_command
from digitnet.run_folder import Run
from digitnet.training.checkpoint import build_with, load_network
from digitnet.training.keep import read_kept

OPSET = 18
"""Version of ONNX's operators; onnxruntime has it since 1.14 (2023), its builds for browsers too."""

NO_INK = -1_000.0
"""Score of an image without ink, whatever its logits."""


class ExportedNetwork(nn.Module):
    """The graph of the model file, from crops and images to answers; modelfile.py describes inputs and outputs."""

    def __init__(
        self, network: nn.Module, classes: int, calibration: Calibration, inside: Sequence[Layer] = ()
    ) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.calibration = calibration
        self.inside = tuple(inside)

    def forward(self, crops: Tensor, images: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities, decision, score and normalised images, first of the crops, then of the images.

        What each layer of `inside` hands on, and their weights, follow.
        """
        images = torch.cat([centre_ink(lift_ink(crops)), images[:, None]])  # (N + M, 1, 28, 28)
        logits = self.network(images) / self.calibration.temperature  # (N + M, K), or K + 1 with outliers
        probabilities = logits[:, : self.classes].softmax(dim=1)
        score = torch.where(images.amax(dim=(1, 2, 3)) > 0, digit_score(logits, self.classes), NO_INK)
        sure = answer_confidence(logits, self.classes) >= self.calibration.sure
        refused = score < self.calibration.digit
        if logits.shape[1] > self.classes:
            refused &= ~sure | (score <= NO_INK)  # what is surely one digit is not also surely none
        decision = torch.where(refused, 2, (~sure).to(torch.int64))
        return probabilities, decision, score, images[:, 0], *self._look_inside(images)

    def _look_inside(self, images: Tensor) -> list[Tensor]:
        sequence = first_sequence(self.network) if self.inside else None
        if sequence is None:
            return []
        modules, outputs = zip(*run_modules(sequence, images), strict=True)
        learned = [modules[layer.own].weight for layer in self.inside if layer.weights is not None]
        return [outputs[layer.last] for layer in self.inside] + learned


def export(
    run: Run | Path | str, out: Path | str | None = None, *, calibration: Calibration | None = None
) -> Path:
    """Write a finished run's network as a model file to `out`, by default ``model.onnx`` in its folder.

    Without a `calibration` it is calibrated on the validation images. Checkpoints that the run has kept are
    written too, into the folder `checkpoints_of` the file, with the calibration of the last. This takes about ten
    seconds, nearly all of them in torch's own export. Raises UsageError for a run on images of another size than
    28 x 28, RunError when the run can't be read, StorageError when a file can't be written.
    """
    run = run if isinstance(run, Run) else Run(run)
    run.require_finished()  # before the data is loaded
    path = expand_home(out) if out else run.path / "model.onnx"
    environment = run.environment
    if tuple(environment["image_shape"]) != (SIDE, SIDE):
        rows, columns = environment["image_shape"]
        raise UsageError.mismatch(
            run.path,
            expected=f"a run on images of {SIDE} x {SIDE} pixels, to which crops are normalised",
            found=f"one on {rows} x {columns}",
            remedy="Train on images of that size.",
        )
    calibration = calibration or calibrate(run)
    labels = tuple(environment["label_names"])
    network = load_network(run)  # verifies the hash of the tensors, written below
    info = ModelInfo(
        labels=labels,
        calibration=calibration,
        training={"config": to_command(run.config), **run.summary},
        weights_sha256=str(run.read_json("checkpoint.json")["tensors_sha256"]),
        digitnet=version("digitnet"),
    )
    content = make_model(network, info, run.config)
    write_whole(path, content)
    _write_checkpoints(run, path, content, info)
    return path


def _write_checkpoints(run: Run, path: Path, content: bytes, info: ModelInfo) -> None:
    """Write the checkpoints that a run has kept, in the place of those of another that the file once was of."""
    for old in checkpoints_of(path).glob("*.onnx"):
        old.unlink(missing_ok=True)
    for step, weights in read_kept(run):
        training = {"config": to_command(run.config), "steps": step}
        described = replace(info, training=training, weights_sha256=sha256(serialise_tensors(weights)))
        try:
            checkpoint = make_checkpoint(content, build_with(run, weights), described, run.config)
        except ValueError:  # equal tensors, as of a network that has hardly learned, share a place in the file
            checkpoint = make_model(build_with(run, weights), described, run.config)
        write_whole(make_folder(checkpoints_of(path)) / f"{step}.onnx", checkpoint)


def make_model(network: nn.Module, info: ModelInfo, config: TrainConfig) -> bytes:
    """Make the model file of a network on images of 28 x 28, whose BatchNorm is folded in place.

    The file describes its layers as those of a run of `config`.
    """
    network = fold_batchnorm(network)
    inside = trace_layers(network, np.zeros((2, SIDE, SIDE), np.uint8))
    exported = ExportedNetwork(network, len(info.labels), info.calibration, inside).eval()
    return seal(_to_onnx(exported, info, describe_layers(inside, config, (SIDE, SIDE))))


def _to_onnx(network: ExportedNetwork, info: ModelInfo, layers: Sequence[dict[str, Any]]) -> bytes:
    """Export by torch, remove its traces of this source code, and add the metadata."""
    any_length = torch.export.Dim.DYNAMIC
    example = torch.randint(0, 256, (2, 40, 30, 3), dtype=torch.uint8), torch.zeros(3, SIDE, SIDE)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            network,
            example,
            dynamo=True,
            dynamic_shapes=(dict.fromkeys(range(4), any_length), {0: any_length}),
            input_names=["crops", "images"],
            output_names=["probabilities", "decision", "score", "normalised", *_name_inside(network.inside)],
            opset_version=OPSET,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    model.producer_name, model.producer_version = PRODUCER, info.digitnet
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")  # lines of this source code, 300 KB
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        value.ClearField("metadata_props")
    for key, value in metadata_of(info, layers).items():
        model.metadata_props.add(key=key, value=value)
    return bytes(model.SerializeToString())


def _name_inside(layers: Sequence[Layer]) -> list[str]:
    """Name the outputs for looking inside, in the order in which they are computed."""
    weighted = [k for k, layer in enumerate(layers) if layer.weights is not None]
    return [f"layer_{k}" for k in range(len(layers))] + [f"weights_{k}" for k in weighted]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the messages of torch's own export: nobody who exports a run can act on them."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
