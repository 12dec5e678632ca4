"""SIGKILL at random instants: nothing but the steps since the last checkpoint is ever lost."""

import mmap
import os
import random
import signal
import struct
import time
from pathlib import Path

import pytest

from conftest import SHORT, assert_equal
from digitnet.data.dataset import Dataset
from digitnet.progress import Progress
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_checkpoint
from digitnet.training.train import train


class Told(Progress):
    """Tells the parent process, through shared memory, which step was taken last."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory

    def advance(self, done: int, status: str = "") -> None:
        struct.pack_into("q", self.memory, 0, done)


@pytest.mark.acceptance
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    ("save_every", "kills", "steps"),
    [
        (1, 120, 4_000),  # most of the time is spent in the middle of a save
        (20, 60, 12_000),
    ],
)
def test_a_run_killed_again_and_again_ends_like_one_that_never_was(
    save_every: int, kills: int, steps: int, drawn: Dataset, tmp_path: Path
) -> None:
    config = SHORT.replace(steps=steps, save_every=save_every, log_every=7, validate_every=500)
    out, memory, chance = tmp_path / "killed", mmap.mmap(-1, 8), random.Random(save_every)
    killed = 0
    while not (out / "summary.json").exists():
        child = os.fork()
        if child == 0:
            resume = (out / "config.toml").exists()
            train(None if resume else config, dataset=drawn, out=out, resume=resume, progress=Told(memory))
            os._exit(0)
        if killed < kills:
            time.sleep(chance.uniform(0, 0.12))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            continue
        killed += 1
        reached = struct.unpack_from("q", memory)[0]
        checkpoint = load_checkpoint(Run(out)) if (out / "config.toml").exists() else None
        assert reached - (checkpoint.step if checkpoint else 0) <= save_every
    assert killed == kills
    assert_equal(Run(out), train(config, dataset=drawn, out=tmp_path / "whole"))
