"""What it takes, besides the configuration, to repeat a run: command, data, versions and machine."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from digitnet.config import TrainConfig
from digitnet.data.catalog import DATASETS
from digitnet.data.dataset import Dataset
from digitnet.files import expand_home
from digitnet.presets import to_command


def describe_environment(
    config: TrainConfig, dataset: Dataset, device: torch.device, processes: int = 1
) -> dict[str, Any]:
    """Collect command, data, versions and machine as plain values: the content of environment.json."""
    return {
        "command": f"{_launcher(processes)}{to_command(config)}",
        "data_fingerprint": dataset.fingerprint,
        **_find_data(config.images.data, dataset),
        "validation_images": len(dataset.validation),
        "image_shape": list(dataset.image_shape),
        "label_names": list(dataset.label_names),
        "device": _device_name(device),
        "processes": processes,
        "threads": config.running.threads or torch.get_num_threads(),  # of each process
        "versions": {
            "digitnet": version("digitnet"),
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": version("numpy"),
        },
        "machine": describe_machine(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _find_data(data: str, dataset: Dataset) -> dict[str, Any]:
    """Say where data is that has no name of its own: its whole path, or in memory alone."""
    if dataset.name != data:
        return {"data_in_memory": True}
    return {} if data in DATASETS else {"data_path": str(expand_home(data).resolve())}


def describe_machine() -> dict[str, Any]:
    """Collect the system, its processor, the vectors that torch finds in it (AVX2, AVX512), and its cores."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
    }


def _launcher(processes: int) -> str:
    """The launcher before the command; on how many machines the processes ran does not change the results."""
    return f"torchrun --nproc-per-node {processes} -m " if processes > 1 else ""


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _processor() -> str:
    """Name of the processor, which Linux has only in /proc."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
