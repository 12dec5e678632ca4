"""Save and load checkpoints in the run folder, atomically and verified.

A checkpoint is two files. The tensors go to ``checkpoint-STEP.safetensors``. Then the manifest,
``checkpoint.json``, is renamed into place: it names that file and its SHA-256, and has a checksum of itself,
``seal``. A process that is killed before the rename leaves the old checkpoint, after it the new one. Nothing is
pickled.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from digitnet.errors import DivergedError, RunError
from digitnet.files import sha256, write_whole
from digitnet.networks.models import build_network
from digitnet.presets import to_command
from digitnet.run_folder import Run
from digitnet.training.state import Checkpoint, TrainState, Window
from digitnet.wording import option

_MANIFEST = "checkpoint.json"
_NETWORK = "network."
"""Prefix of the names of the network's tensors; those of the optimizer have ``optimizer.``."""

_RENAMED = {"right": "correct"}  # since version 0.1


def save_checkpoint(run: Run, state: TrainState, metrics: bytes) -> None:
    """Save `state` as the run's newest checkpoint; `metrics` is the content of metrics.jsonl so far.

    Takes about 10 ms for the blog's network. Raises DivergedError, and keeps the previous checkpoint, when a
    tensor is not finite; StorageError when a file can't be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.tensors()}
    for name, tensor in tensors.items():
        if not torch.isfinite(tensor).all():
            raise DivergedError(f"{name} holds a number that is not finite after step {state.step:,}.")
    content = serialise_tensors(tensors)
    file = f"checkpoint-{state.step:06d}.safetensors"
    manifest = {
        "step": state.step,
        "seconds": state.seconds,
        "window": asdict(state.window),
        "metrics_bytes": len(metrics),
        "metrics_sha256": sha256(metrics),
        "tensors": file,
        "tensors_sha256": sha256(content),
    }
    write_whole(run.path / file, content)
    write_whole(run.path / _MANIFEST, json.dumps({**manifest, "seal": _seal(manifest)}, indent=2) + "\n")
    for old in run.path.glob("checkpoint-*.safetensors"):
        if old.name != file:
            old.unlink(missing_ok=True)


def load_checkpoint(run: Run) -> Checkpoint | None:
    """Load and verify the newest checkpoint; None if there is none yet, RunError if it is damaged."""
    if not (run.path / _MANIFEST).exists():
        return None
    manifest = run.read_json(_MANIFEST)
    if manifest.pop("seal", None) != _seal(manifest):
        raise _damaged(run, _MANIFEST, "its checksum does not match its content")
    file = run.path / str(manifest["tensors"])
    try:
        content = file.read_bytes()
    except OSError as error:
        raise _damaged(run, file.name, str(error.strerror)) from error
    if sha256(content) != manifest["tensors_sha256"]:
        raise _damaged(run, file.name, f"expected SHA-256 {manifest['tensors_sha256']}, found {sha256(content)}")
    try:
        tensors = parse_tensors(content)
    except SafetensorError as error:  # it was written like this, as the hash matches
        raise _damaged(run, file.name, str(error)) from error
    return Checkpoint(
        step=manifest["step"],
        seconds=manifest["seconds"],
        window=Window(**{_RENAMED.get(name, name): value for name, value in manifest["window"].items()}),
        metrics_bytes=manifest["metrics_bytes"],
        metrics_sha256=manifest["metrics_sha256"],
        tensors=tensors,
    )


def load_network(run: Run | Path | str) -> nn.Module:
    """Build a run's network with the weights of its newest checkpoint, on the CPU; RunError if they do not fit.

    Each call returns a network of its own, which may be trained further.
    """
    run = run if isinstance(run, Run) else Run(run)
    if "network" in run.cache:
        network: nn.Module = copy.deepcopy(run.cache["network"])
        return network
    checkpoint = load_checkpoint(run)
    if checkpoint is None:
        raise RunError(
            f"{run.path}: expected a checkpoint, found none. Continue the run with {option('resume', True)}."
        )
    weights = {n.removeprefix(_NETWORK): t for n, t in checkpoint.tensors.items() if n.startswith(_NETWORK)}
    network = build_with(run, weights)
    if run.is_finished:
        run.cache["network"] = copy.deepcopy(network)
    return network


def build_with(run: Run, weights: Mapping[str, Tensor]) -> nn.Module:
    """Build a run's network with these weights, in evaluation mode; RunError if they do not fit."""
    environment = run.environment
    rows, columns = environment["image_shape"]
    network = build_network(run.config, (rows, columns), len(environment["label_names"]))
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(
            f"{run.path}: its weights do not fit the network that this version of digitnet makes of its "
            f"config.toml. Train the run anew: {to_command(run.config)}"
        ) from error
    return network.eval()


def _seal(manifest: dict[str, Any]) -> str:
    return sha256(json.dumps(manifest, sort_keys=True).encode())


def _damaged(run: Run, name: str, reason: str) -> RunError:
    return RunError(f"{run.path / name}: the checkpoint is damaged ({reason}). Train again in a new folder.")
