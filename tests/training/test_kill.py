"""SIGKILL at random moments loses only the steps since the last checkpoint."""

import mmap
import os
import random
import signal
import struct
import time
from functools import partial
from pathlib import Path

import pytest

from conftest import SHORT, assert_equal
from digitnet.data.dataset import Dataset
from digitnet.progress import Progress
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_checkpoint
from digitnet.training.train import train
from processes import wait_until


class SharedProgress(Progress):
    """Writes the last step to memory that is shared with the parent process."""

    def __init__(self, memory: mmap.mmap) -> None:
        self.memory = memory

    def advance(self, done: int, status: str = "") -> None:
        struct.pack_into("q", self.memory, 0, done)


@pytest.mark.acceptance
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize(
    ("save_every", "kills", "most"),
    [
        (1, 120, 10),  # most of the time is spent saving
        (20, 60, 60),
    ],
)
def test_a_run_that_is_killed_repeatedly_ends_like_one_that_never_was(
    save_every: int, kills: int, most: int, drawn: Dataset, tmp_path: Path
) -> None:
    """Processes are killed at random: a fifth before their first step, the others up to `most` steps later."""
    config = SHORT.replace(steps=kills * (most + 4), save_every=save_every, log_every=7, validate_every=500)
    whole = train(config, dataset=drawn, out=tmp_path / "whole")  # and imports all that the children need
    out, memory, random_numbers = tmp_path / "killed", mmap.mmap(-1, 8), random.Random(save_every)

    def reached() -> int:
        return int(struct.unpack_from("q", memory)[0])

    def has_reached(step: int) -> bool:
        return reached() >= step

    for killed in range(kills + 1):
        child = os.fork()
        if child == 0:
            resume = (out / "config.toml").exists()
            train(
                None if resume else config, dataset=drawn, out=out, resume=resume, progress=SharedProgress(memory)
            )
            os._exit(0)
        if killed == kills:  # the last one may finish
            break
        wait_until(partial(has_reached, reached() + random_numbers.randint(-most // 4, most)))
        time.sleep(random_numbers.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
        checkpoint = load_checkpoint(Run(out)) if (out / "config.toml").exists() else None
        assert reached() - (checkpoint.step if checkpoint else 0) <= save_every
    assert os.waitpid(child, 0)[1] == 0
    assert_equal(Run(out), whole)
