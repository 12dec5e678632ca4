"""The model file gives the same answers as the network that it was exported from, in every runtime."""

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from conftest import SHORT
from digitnet import metrics
from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.errors import UsageError
from digitnet.evaluation.calibrate import calibrate
from digitnet.evaluation.evaluate import evaluate
from digitnet.evaluation.layers import trace_layers
from digitnet.exporting.export import ExportedNetwork, export
from digitnet.exporting.fold import fold_batchnorm
from digitnet.modelfile import Calibration, checkpoints_of
from digitnet.presets import to_command
from digitnet.reading.network import NOTHING, SHIPPED, Network
from digitnet.run_folder import Run
from digitnet.training.checkpoint import build_with, load_network
from digitnet.training.keep import read_kept
from digitnet.training.train import train
from processes import PATIENCE

UInt8 = npt.NDArray[np.uint8]


def pen(text: str, rows: int = 60, columns: int = 50) -> UInt8:
    """Write one character with a dark pen on light paper: ``(1, rows, columns, 1)``."""
    crop = np.full((rows, columns), 230, np.uint8)
    scale = rows / 40
    cv2.putText(crop, text, (columns // 5, rows * 4 // 5), cv2.FONT_HERSHEY_SIMPLEX, scale, 40, 3, cv2.LINE_AA)
    return crop[None, :, :, None]


@pytest.fixture(scope="module")
def network(model: Path) -> Network:
    return Network(model)


def test_the_file_agrees_with_the_network_on_every_test_image(
    finished: Run, drawn: Dataset, network: Network
) -> None:
    evaluation = evaluate(finished, drawn)
    answers = network.answer_images(drawn.test.images.astype(np.float32))
    calibrated = metrics.softmax(evaluation.logits / network.info.calibration.temperature)
    assert (answers.probabilities.argmax(axis=1) == evaluation.logits.argmax(axis=1)).all()
    np.testing.assert_allclose(answers.probabilities, calibrated, atol=1e-5)
    np.testing.assert_array_equal(answers.images, drawn.test.images)


def test_the_file_agrees_with_the_network_on_crops_of_any_size(finished: Run, network: Network) -> None:
    trained = ExportedNetwork(load_network(finished), 10, network.info.calibration).eval()
    for rows, columns, channels in ((1, 1, 1), (2, 90, 1), (28, 28, 3), (33, 20, 1), (200, 301, 3)):
        crops = np.random.default_rng(rows).integers(0, 256, (2, rows, columns, channels), dtype=np.uint8)
        crops[0, : rows // 2] //= 8
        answers = network.answer_crops(crops)
        with torch.inference_mode():
            probabilities, decisions, _, _ = trained(torch.from_numpy(crops), torch.zeros(0, 28, 28))
        np.testing.assert_allclose(answers.probabilities, probabilities, atol=1e-5)
        np.testing.assert_array_equal(answers.decisions, decisions)


@pytest.mark.acceptance
@pytest.mark.parametrize("recipe", [{"members": 2}, {"tta": 5, "preprocessing": "deskew"}])
def test_ensembles_preprocessing_and_test_time_augmentation_are_in_the_file(
    recipe: dict[str, Any], drawn: Dataset, tmp_path: Path
) -> None:
    run = train(SHORT.replace(steps=10, **recipe), dataset=drawn, out=tmp_path / "run")
    calibration = calibrate(run, drawn)
    answers = Network(export(run, tmp_path / "model.onnx", calibration=calibration)).answer_images(
        drawn.test.images.astype(np.float32)
    )
    calibrated = metrics.softmax(evaluate(run, drawn).logits / calibration.temperature)
    np.testing.assert_allclose(answers.probabilities, calibrated, atol=1e-5)


def test_an_answer_does_not_depend_on_its_batch(network: Network) -> None:
    both = np.concatenate([pen("3"), pen("7")])
    together = network.answer_crops(both)
    for index in (0, 1):
        alone = network.answer_crops(both[index : index + 1])
        np.testing.assert_allclose(together.probabilities[index], alone.probabilities[0], atol=1e-6)


@pytest.mark.parametrize("text", "23457")
def test_ink_may_be_dark_or_light_and_the_crop_grey_or_coloured(network: Network, text: str) -> None:
    dark = pen(text)
    image = network.answer_crops(dark).images
    np.testing.assert_allclose(network.answer_crops(255 - dark).images, image, atol=0.01)
    np.testing.assert_allclose(network.answer_crops(dark.repeat(3, axis=3)).images, image, atol=0.01)


def test_a_shadow_hardly_changes_what_the_network_sees(network: Network) -> None:
    crop = pen("5", 90, 80)
    shadow = np.linspace(1, 0.5, 80)[None, None, :, None]
    seen = network.answer_crops(np.concatenate([crop, (crop * shadow).astype(np.uint8)])).images
    assert np.abs(seen[0] - seen[1]).mean() < 4  # of 255


def test_a_wide_stroke_in_a_narrow_crop_is_ink(network: Network) -> None:
    crop = np.full((1, 90, 22, 1), 220, np.uint8)
    crop[:, 4:86, 5:17] = 30  # more than half of the crop
    image = network.answer_crops(crop).images[0]
    assert (image[5:23].max(axis=1) > 200).all()


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_crop_without_ink_is_not_a_digit(network: Network, value: int) -> None:
    noise = np.random.default_rng(0).integers(-3, 4, (1, 50, 40, 3))
    crops = (np.full_like(noise, value) + noise).clip(0, 255).astype(np.uint8)
    answers = network.answer_crops(crops)
    assert answers.images.max() == 0
    assert answers.decisions.tolist() == [2]
    assert network.answer_images(np.zeros((1, 28, 28), np.float32)).decisions.tolist() == [2]


def test_the_thresholds_decide(finished: Run) -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (20, 28, 28)).astype(np.float32))
    crops = torch.zeros(0, 1, 1, 1, dtype=torch.uint8)
    network = load_network(finished)
    for sure, digit, expected in ((0.0, -1e9, 0), (1.1, -1e9, 1), (0.0, 1e9, 2)):
        answers = ExportedNetwork(network, 10, Calibration(1.0, sure, digit, curve=())).eval()
        with torch.inference_mode():
            assert set(answers(crops, images)[1].tolist()) == {expected}


def test_a_run_on_other_images_is_refused(finished: Run, tmp_path: Path) -> None:
    other = Run(shutil.copytree(finished.path, tmp_path / "run"))
    other.write_json("environment.json", {**other.environment, "image_shape": [32, 32]})
    with pytest.raises(UsageError, match=r"28 x 28 pixels.*found one on 32 x 32"):
        export(other, tmp_path / "model.onnx", calibration=Calibration(1.0, 0.5, 0.0, curve=()))


def test_the_file_has_the_configuration_and_calibration_of_its_run(
    finished: Run, drawn: Dataset, network: Network
) -> None:
    assert network.info.training["config"] == to_command(finished.config)
    assert network.info.calibration == calibrate(finished, drawn)


@pytest.mark.acceptance
@pytest.mark.skipif(shutil.which("npm") is None, reason="npm brings the browsers' runtime")
def test_the_browsers_runtime_agrees(model: Path, tmp_path: Path) -> None:
    install = ["npm", "install", "--silent", "onnxruntime-web@1.30.0"]
    subprocess.run(install, cwd=tmp_path, check=True, timeout=PATIENCE)
    crops = [pen(text, 30 + 17 * int(text), 25 + 13 * int(text)) for text in "0123456789"]
    request = [{"shape": crop.shape[1:], "bytes": base64.b64encode(crop.tobytes()).decode()} for crop in crops]
    (tmp_path / "crops.json").write_text(json.dumps(request))
    for file in (SHIPPED, model):
        network = Network(file)
        node = ["node", Path(__file__).with_name("answer.mjs"), file, "crops.json"]
        printed = subprocess.run(node, cwd=tmp_path, capture_output=True, check=True, timeout=PATIENCE).stdout
        # a temperature below 1 scales up the logits, and with them the rounding errors
        tolerance = 1e-5 if file == SHIPPED else 1e-5 / network.info.calibration.temperature
        for crop, answer in zip(crops, json.loads(printed), strict=True):
            expected = network.answer_crops(crop)
            np.testing.assert_allclose(answer["probabilities"], expected.probabilities[0], atol=tolerance)
            assert answer["decision"] == expected.decisions[0]


NORMED = TrainConfig().replace(
    network="reader", steps=10, batch_size=32, validation_images=60, preprocessing="scale"
)
"""Of a network with BatchNorm behind convolutions, a pool and a dense layer."""


@pytest.mark.parametrize(
    "config",
    [
        SHORT,
        pytest.param(SHORT.replace(members=2), marks=pytest.mark.acceptance),
        pytest.param(SHORT.replace(tta=1, preprocessing="scale"), marks=pytest.mark.acceptance),
        pytest.param(NORMED, marks=pytest.mark.acceptance),
    ],
)
def test_the_file_shows_what_each_layer_computes_and_its_weights(
    config: TrainConfig, drawn: Dataset, tmp_path: Path
) -> None:
    run = train(config.replace(steps=10, keep_checkpoints=True), dataset=drawn, out=tmp_path / "run")
    calibration = calibrate(run, drawn)
    path = export(run, tmp_path / "model.onnx", calibration=calibration)
    check_checkpoints(run, path, drawn)
    network = Network(path)
    images = drawn.test.images[:5]
    _, outputs = network.look_inside(np.zeros((0, 1, 1, 1), np.uint8), images.astype(np.float32))
    traced = trace_layers(load_network(run), images)  # BatchNorm is a step of its own there
    assert [layer["kind"] for layer in network.layers] == [layer.kind for layer in traced]
    for found, layer in zip(outputs, traced, strict=True):
        largest = float(np.abs(layer.outputs).max())
        np.testing.assert_allclose(found, layer.outputs, atol=1e-5 * max(largest, 1))
    for described, weights, layer in zip(network.layers, network.read_weights(), traced, strict=True):
        assert (weights is None) == (layer.weights is None)
        assert weights is None or list(weights.shape) == described["weightShape"]


def check_checkpoints(run: Run, path: Path, dataset: Dataset) -> None:
    """Check that each checkpoint of a run of ten steps is a model file that answers as its network does."""
    images = dataset.test.images[:20]
    steps = []
    for step, weights in read_kept(run):
        steps.append(step)
        network, file = build_with(run, weights), Network(checkpoints_of(path) / f"{step}.onnx")
        assert file.info.training["steps"] == step
        whole = ExportedNetwork(network, 10, file.info.calibration)
        with torch.inference_mode():
            expected = whole(torch.from_numpy(NOTHING[0]), torch.from_numpy(images.astype(np.float32)))[0]
        answers, outputs = file.look_inside(NOTHING[0], images.astype(np.float32))
        np.testing.assert_allclose(answers.probabilities, expected, atol=1e-5)
        for found, layer in zip(outputs, trace_layers(network, images), strict=True):
            np.testing.assert_allclose(
                found, layer.outputs, atol=1e-5 * max(float(np.abs(layer.outputs).max()), 1)
            )
    assert steps == [0, 1, 2, 5, 10]
    last = Network(path).answer_images(images.astype(np.float32)).probabilities
    np.testing.assert_array_equal(answers.probabilities, last)


def test_folding_batchnorm_changes_no_output_and_leaves_none_behind_a_layer(
    drawn: Dataset, tmp_path: Path
) -> None:
    run = train(NORMED, dataset=drawn, out=tmp_path / "run")
    images = torch.from_numpy(drawn.test.images)[:, None]
    with torch.inference_mode():
        before, after = load_network(run).eval()(images), fold_batchnorm(load_network(run))(images)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    layers = trace_layers(fold_batchnorm(load_network(run)), drawn.test.images[:2])
    assert [len(layer.after) for layer in layers if layer.kind != "pool"] == [0, 1, 1, 0, 1, 1, 0]
