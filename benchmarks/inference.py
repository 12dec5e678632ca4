"""Speed of inference: digitnet's model file in ONNX Runtime, its network in PyTorch, and in Keras, in turn.

    .venv/bin/python -m benchmarks.inference

The network is the blog's, with one image and with a thousand at once. Times are medians over many calls, with the
three programs in turn in each of several rounds. The result is stored in benchmarks/results/inference.json. The
model file also computes its decision; it is given images, not crops, so its preprocessing is bypassed.
"""

import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from rich.console import Console

from benchmarks import peers
from digitnet import PRESETS, load_dataset, train
from digitnet.exporting.export import export
from digitnet.files import write_whole
from digitnet.reading.network import Network
from digitnet.training.checkpoint import load_network
from digitnet.training.environment import describe_machine

ROUNDS, THREADS = 5, 1
CALLS = {1: 200, 1_000: 15}  # number of images at once: number of calls
IMAGES = np.random.default_rng(0).integers(0, 256, (1_000, 28, 28), dtype=np.uint8)
RESULT = Path(__file__).parent / "results" / "inference.json"


def in_onnxruntime(network: Network) -> dict[str, float]:
    """Time the model file."""
    images = {count: IMAGES[:count].astype(np.float32) for count in CALLS}
    return {str(count): _median(partial(network.answer_images, images[count]), count) for count in CALLS}


@torch.inference_mode()
def in_torch(network: torch.nn.Module) -> dict[str, float]:
    """Time the network of the file in torch, without a compiler."""

    def answer(images: torch.Tensor) -> torch.Tensor:
        return torch.softmax(network(images), dim=1)

    images = {count: torch.from_numpy(IMAGES[:count, None]) for count in CALLS}
    return {str(count): _median(partial(answer, images[count]), count) for count in CALLS}


def in_keras(python: Path) -> dict[str, Any]:
    """Time the same layers in Keras, in an environment of its own."""
    words = [str(python), "-m", "benchmarks.programs.keras_inference", json.dumps(CALLS), str(THREADS)]
    printed = subprocess.run(words, capture_output=True, text=True, check=True, cwd=peers.ROOT).stdout
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return answer


def _median(call: Callable[[], object], count: int) -> float:
    for _ in range(3):
        call()
    took = []
    for _ in range(CALLS[count]):
        began = time.perf_counter()
        call()
        took.append(1_000 * (time.perf_counter() - began))
    return statistics.median(took)


def main() -> None:
    """Measure the three in turn, and store the medians of the rounds."""
    console = Console()
    python = peers.prepare("keras_convnet")
    torch.set_num_threads(THREADS)
    dataset = load_dataset("mnist")
    with tempfile.TemporaryDirectory() as folder:
        run = train(PRESETS["blog"].replace(steps=100, threads=THREADS), dataset=dataset, out=Path(folder) / "run")
        network = load_network(run)
        model = Network(export(run, Path(folder) / "model.onnx"), THREADS)
    torch.set_num_threads(THREADS)
    rounds: dict[str, list[dict[str, float]]] = {"onnxruntime": [], "torch": [], "keras": []}
    for _ in range(ROUNDS):
        rounds["onnxruntime"].append(in_onnxruntime(model))
        rounds["torch"].append(in_torch(network))
        keras = in_keras(python)
        rounds["keras"].append(keras["milliseconds"])
    medians = {
        name: {count: statistics.median(one[count] for one in found) for count in map(str, CALLS)}
        for name, found in rounds.items()
    }
    versions = {
        "onnxruntime": f"onnxruntime {onnxruntime.__version__}",
        "torch": f"torch {torch.__version__}",
        "keras": keras["version"],
    }
    result = {"milliseconds": medians, "versions": versions, "threads": THREADS, "machine": describe_machine()}
    write_whole(RESULT, json.dumps({**result, "rounds": rounds}, indent=1) + "\n")
    console.print(result)


if __name__ == "__main__":
    main()
