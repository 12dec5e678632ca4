"""Memory that a step frees stays in the process for the next step."""

import os
import platform

import pytest

from processes import run

FREE = """
import sys
from pathlib import Path
from digitnet.training.memory import keep_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

if sys.argv[1] == "kept":
    keep_freed_memory()
block = bytearray(b"x") * 20_000_000
held = resident()
del block
print(held - resident())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be set to keep freed memory")
@pytest.mark.parametrize(("mode", "least", "most"), [("kept", -1, 1), ("returned", 19, 21)])
def test_freed_memory_is_returned_to_the_system_unless_it_is_kept(mode: str, least: float, most: float) -> None:
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    assert least < float(run("-c", FREE, mode, check=True, env=settings).stdout) < most
