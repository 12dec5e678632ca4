"""A run keeps the weights of some steps if it is asked to, whether or not it was interrupted."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from conftest import SHORT
from digitnet.data.dataset import Dataset
from digitnet.errors import Interrupted, RunError
from digitnet.presets import to_command
from digitnet.run_folder import Run, ValidationRow
from digitnet.training.checkpoint import load_network
from digitnet.training.keep import read_kept, steps_to_keep
from digitnet.training.train import train

KEPT = SHORT.replace(keep_checkpoints=True)


@given(st.integers(1, 10**6))
def test_the_first_and_the_last_step_are_kept_and_few_between(last: int) -> None:
    steps = steps_to_keep(last)
    assert steps[0] == 0 and steps[-1] == last
    assert list(steps) == sorted(set(steps))
    assert len(steps) <= 21
    assert all(later <= 2.5 * step for step, later in pairwise(steps[1:]))


def test_a_run_that_was_interrupted_has_kept_the_same_weights(drawn: Dataset, tmp_path: Path) -> None:
    whole = train(KEPT, dataset=drawn, out=tmp_path / "whole")

    def stop(row: ValidationRow) -> None:
        raise Interrupted("enough", signal_number=2)

    with pytest.raises(Interrupted):
        train(KEPT, dataset=drawn, out=tmp_path / "run", on_validation=stop)
    resumed = train(dataset=drawn, out=tmp_path / "run", resume=True)
    kept, same = list(read_kept(whole)), list(read_kept(resumed))
    assert [step for step, _ in kept] == [step for step, _ in same] == [0, 1, 2, 5, 10, 20, 40]
    for (_, first), (_, second) in zip(kept, same, strict=True):
        assert all(torch.equal(tensor, second[name]) for name, tensor in first.items())
    last = load_network(whole).state_dict()
    assert all(torch.equal(tensor, kept[-1][1][name]) for name, tensor in last.items())


def test_nothing_is_kept_unless_it_is_asked_for(finished: Run) -> None:
    assert list(read_kept(finished)) == []
    assert not (finished.path / "checkpoints").exists()


def test_a_damaged_one_is_named(drawn: Dataset, tmp_path: Path) -> None:
    run = train(KEPT.replace(steps=3), dataset=drawn, out=tmp_path / "run")
    (run.path / "checkpoints" / "2.safetensors").write_bytes(b"nonsense")
    with pytest.raises(RunError, match="safetensors: the checkpoint is damaged"):
        list(read_kept(run))


def test_the_command_of_the_run_has_the_flag() -> None:
    assert to_command(KEPT).endswith(" --keep-checkpoints") or " --keep-checkpoints " in to_command(KEPT)
