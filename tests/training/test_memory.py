"""Memory: what a step frees, the next one finds."""

import os
import platform
import subprocess
import sys

import pytest

STEPS = """
import resource, sys, torch
from digitnet.training.memory import keep_freed_memory

def step():
    return [torch.ones(20, 256, 1024) for _ in range(3)]  # 20 MB each, and freed at once

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

torch.set_num_threads(1)
if sys.argv[1] == "kept":
    keep_freed_memory()
step(), step()
print(min(faults() for _ in range(5)))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to keep freed memory")
def test_a_warm_step_asks_the_system_for_no_memory() -> None:
    asked = {way: _pages(way) for way in ("given back", "kept")}
    assert asked["kept"] < 100 < 10_000 < asked["given back"]  # of 15,360 pages of 4 KB


def _pages(way: str) -> int:
    """Count the pages that a warm step asks for, where glibc's first threshold is held fixed."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    environment.pop("GLIBC_TUNABLES", None)
    command = [sys.executable, "-c", STEPS, way]
    return int(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
