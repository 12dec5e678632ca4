"""A run in several processes equals one in a single process, and can be resumed whatever happens to one of them.

torchrun starts this file as the training script: see `main`.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import torch
from torch import nn

from conftest import BLOG, SHORT, assert_equal, draw, everything
from digitnet.data.dataset import Dataset, Split
from digitnet.errors import DeviceError, Interrupted, UsageError
from digitnet.networks.batchnorm import SynchronisedBatchNorm, synchronise_batchnorm
from digitnet.networks.models import NETWORKS, Layers, build_network
from digitnet.progress import Progress
from digitnet.run_folder import Run
from digitnet.training.checkpoint import load_checkpoint
from digitnet.training.distributed import SINGLE_PROCESS, Ranks, find_process_group
from digitnet.training.train import train
from processes import DIGITNET, Process, children, count_lines, end, is_alive, running, wait_until

NORMED = SHORT.replace(network="tiny", filters=BLOG.model.blog.filters)
LONG = [
    "--steps", "100000", "--filters", "4", "--batch-size", "32", "--validation-images", "60", "--save-every", "8",
    "--log-every", "10", "--threads", "1",
]  # fmt: skip


def normed() -> Layers:
    """List layers with BatchNorm on maps and on vectors, too few for gradients as small as rounding errors."""
    return [
        nn.LazyConv2d(4, 5, stride=2, bias=False), nn.LazyBatchNorm2d(), nn.ReLU(),
        nn.Flatten(), nn.LazyLinear(16, bias=False), nn.LazyBatchNorm1d(), nn.ReLU(),
    ]  # fmt: skip


def launch(processes: int, *words: object, cwd: Path) -> AbstractContextManager[Process]:
    """Let torchrun start `words` in that many processes."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", processes]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONWARNINGS": "error"}
    return running(*torchrun, *words, cwd=cwd, env=environment)


def train_on(processes: int, out: Path, *, stop_at: int = 0, rank: int = 0, network: str = "blog") -> Run:
    """Train SHORT, or resume it, by `main` below; at step `stop_at` only one `rank` gets a signal."""
    with launch(processes, __file__, out, stop_at, rank, network, cwd=out.parent) as process:
        output = end(process)
    assert (process.returncode != 0) == bool(stop_at), output
    return Run(out)


def assert_close(one: Run, other: Run, apart: float | None = None) -> None:
    """Compare two runs up to rounding: each number, or with `apart` each tensor, by that part of its norm."""
    (manifest, tensors, metrics), (manifest2, tensors2, metrics2) = everything(one), everything(other)
    assert manifest["step"] == manifest2["step"]
    assert tensors.keys() == tensors2.keys()
    for name, tensor in tensors.items():
        if apart is None:
            assert torch.allclose(tensor, tensors2[name], rtol=1e-4, atol=1e-5), name
        else:
            assert torch.dist(tensor.double(), tensors2[name].double()) <= apart * tensor.double().norm() + 1e-6, (
                name
            )
    rows, rows2 = ([json.loads(line) for line in lines.splitlines()] for lines in (metrics, metrics2))
    assert len(rows) == len(rows2)
    for row, row2 in zip(rows, rows2, strict=True):
        assert row == pytest.approx(row2, rel=1e-4)


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """SHORT on two processes, never interrupted; do not change it."""
    return train_on(2, tmp_path_factory.mktemp("runs") / "two")


def test_two_processes_end_with_the_weights_and_measurements_of_one(two: Run, finished: Run) -> None:
    assert_close(two, finished)
    assert everything(two)[2] != b""
    assert two.config == finished.config
    assert {file.name for file in two.path.iterdir()} == {file.name for file in finished.path.iterdir()}
    assert two.environment["processes"] == 2 and finished.environment["processes"] == 1
    assert two.summary["command"].startswith("torchrun --nproc-per-node 2 -m digitnet train")


@pytest.mark.acceptance
def test_batch_norm_uses_the_whole_batch_on_any_number_of_processes(
    drawn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", normed)
    one = train(NORMED, dataset=drawn, out=tmp_path / "one")
    # Adam makes a step of what rounding makes of a gradient near 0. Statistics of half a batch differ by 0.05.
    assert_close(train_on(2, tmp_path / "two", network="normed"), one, apart=5e-3)
    assert {"network.2.running_var", "network.6.num_batches_tracked"} <= everything(one)[1].keys()


@pytest.mark.acceptance
def test_a_batch_that_cannot_be_divided_evenly_is_refused_in_one_sentence(
    drawn_file: Path, tmp_path: Path
) -> None:
    words = ["blog", "--data", drawn_file, *LONG, "--batch-size", 33, "--out", "run"]
    with launch(2, *DIGITNET, "train", *words, cwd=tmp_path) as process:
        output = end(process)[1]
    assert process.returncode == 1  # torchrun's own
    assert (
        output.count("digitnet: --batch-size: expected a multiple of the 2 processes of this run, found 33.") == 1
    )
    assert not (tmp_path / "run").exists()


def test_the_shards_of_all_ranks_in_order_make_the_whole_batch() -> None:
    batch = torch.arange(24).reshape(12, 2)
    assert torch.equal(torch.cat([Ranks(rank, 3, rank).shard(batch) for rank in range(3)]), batch)
    assert SINGLE_PROCESS.shard(batch) is batch


@pytest.mark.parametrize(("size", "batch_size", "advised"), [(3, 32, 30), (64, 32, 64)])
def test_the_refusal_of_a_batch_advises_one_that_fits(size: int, batch_size: int, advised: int) -> None:
    config = BLOG.replace(batch_size=batch_size)
    with pytest.raises(UsageError, match=f"Use batch_size={advised} or"):
        Ranks(0, size, 0).check(config)
    Ranks(0, size, 0).check(config.replace(batch_size=advised))
    SINGLE_PROCESS.check(config)


def test_processes_share_the_cpu_but_each_needs_an_accelerator_of_its_own() -> None:
    ranks = Ranks(rank=70_000, size=70_001, local_rank=70_000)
    assert ranks.place(torch.device("cpu")) == torch.device("cpu")
    for device in ("cuda", "mps"):
        with pytest.raises(DeviceError, match=f"device={device!r}: expected a CUDA device for each process"):
            ranks.place(torch.device(device))


def test_only_torchrun_makes_a_process_one_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)  # as other launchers do
    assert find_process_group() is SINGLE_PROCESS
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    group = find_process_group()
    assert isinstance(group, Ranks) and (group.size, group.leads) == (2, False)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert find_process_group() is SINGLE_PROCESS


def test_a_network_with_synchronised_batch_norm_shares_every_tensor_with_the_saved_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", normed)
    network = build_network(NORMED, (28, 28), 10)
    before = network.state_dict(keep_vars=True)
    synchronised = synchronise_batchnorm(network)
    after = synchronised.state_dict(keep_vars=True)
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)
    assert sum(isinstance(module, SynchronisedBatchNorm) for module in synchronised.modules()) == 2


@pytest.mark.acceptance
def test_a_run_can_be_resumed_with_any_number_of_processes(finished: Run, tmp_path: Path) -> None:
    """One process, then four, then two, and one again; each but the last is stopped and resumed by the next."""
    for processes, step in ((1, 9), (4, 19), (2, 29)):
        stopped = train_on(processes, tmp_path / "run", stop_at=step)
        assert _saved_step(stopped) == step + (processes > 1)  # several processes stop a step later
    assert_close(train_on(1, stopped.path), finished)


@pytest.mark.acceptance
@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_process_stops_all_at_the_same_step_and_resuming_is_exact(
    rank: int, two: Run, tmp_path: Path
) -> None:
    stopped = train_on(2, tmp_path / "run", stop_at=21, rank=rank)
    assert _saved_step(stopped) in (22, 23)  # the signal is shared with the loss of the next step
    assert_equal(train_on(2, stopped.path), two)


@pytest.mark.acceptance
def test_resuming_a_finished_run_ends_all_processes_and_changes_nothing(two: Run) -> None:
    before = {file: file.read_bytes() for file in two.path.iterdir()}
    train_on(2, two.path)
    assert {file: file.read_bytes() for file in two.path.iterdir()} == before


@pytest.mark.acceptance
def test_sigterm_to_torchrun_saves_and_reports_it_once(drawn_file: Path, tmp_path: Path) -> None:
    with _training(drawn_file, tmp_path) as process:
        ranks = _ranks(process)
        process.send_signal(signal.SIGTERM)
        output = end(process)[1]
    assert process.returncode != 0
    assert output.count("digitnet: ") == output.count("digitnet: Stopped by SIGTERM after step") == 1
    assert f"after step {_saved_step(Run(tmp_path / 'run')):,} of" in output
    assert not any(map(is_alive, ranks))


@pytest.mark.acceptance
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_the_run_with_a_sentence_and_a_checkpoint(
    rank: int, drawn_file: Path, tmp_path: Path
) -> None:
    with _training(drawn_file, tmp_path) as process:
        ranks = _ranks(process)
        os.kill(ranks[rank], signal.SIGKILL)
        output = end(process)[1]
    assert process.returncode != 0
    assert (
        output.count("digitnet: ") == output.count("digitnet: One of the 2 processes of this run has ended") == 1
    )
    assert "digitnet train --resume --out run" in output
    assert "digitnet/training" not in output  # no traceback of ours; torchrun prints its own
    assert not any(map(is_alive, ranks))
    assert _saved_step(Run(tmp_path / "run")) >= 8


@pytest.mark.acceptance
def test_a_diverged_loss_is_reported_once(drawn_file: Path, tmp_path: Path) -> None:
    words = ["blog", "--data", drawn_file, *LONG, "--learning-rate", "1e30", "--out", "run"]
    with launch(2, *DIGITNET, "train", *words, cwd=tmp_path) as process:
        output = end(process)[1]
    assert process.returncode != 0
    assert output.count("digitnet: ") == output.count("digitnet: The loss became") == 1


@pytest.mark.acceptance
def test_a_wrong_flag_and_a_wrong_preset_are_reported_once(tmp_path: Path) -> None:
    for words, sentence in ((["--stepz", 3], "Unrecognized options: --stepz"), (["blogg"], "no preset 'blogg'")):
        with launch(2, *DIGITNET, "train", *words, cwd=tmp_path) as process:
            output = "".join(end(process))
        assert process.returncode != 0
        assert output.count(sentence) == 1


@contextmanager
def _training(data: Path, folder: Path) -> Iterator[Process]:
    """Run a training in two processes; it has recorded a measurement when the context opens."""
    words = ["train", "blog", "--data", data, *LONG, "--out", "run"]
    with launch(2, *DIGITNET, *words, cwd=folder) as process:
        wait_until(lambda: count_lines(folder / "run/metrics.jsonl"), process)
        yield process


def _ranks(torchrun: Process) -> list[int]:
    """Return the process IDs that torchrun has started, in the order of their ranks."""
    ranks = {child.environ()["RANK"]: child.pid for child in children(torchrun.pid)}
    assert sorted(ranks) == ["0", "1"]
    return [ranks["0"], ranks["1"]]


def _saved_step(run: Run) -> int:
    checkpoint = load_checkpoint(run)
    assert checkpoint is not None
    return checkpoint.step


class Signaller(Progress):
    """Sends a signal to a process when the leading rank has taken a given step."""

    def __init__(self, step: int, process: int) -> None:
        self.at, self.process = step, process

    def advance(self, done: int, status: str = "") -> None:
        if done == self.at:
            os.kill(self.process, signal.SIGTERM)
            time.sleep(0.2)  # until it has arrived


def main(out: str, stop_at: str, rank: str, network: str) -> None:
    """Train SHORT in one of torchrun's processes, or resume it."""
    torch.set_num_threads(1)
    NETWORKS["tiny"] = normed  # in place of its own layers
    both = draw(560, seed=1)
    train_split, validation = (Split(both.images[p], both.labels[p]) for p in (slice(60, None), slice(60)))
    dataset = Dataset("drawn", "d" * 64, tuple("0123456789"), train_split, validation, draw(103, seed=2))
    resume = (Path(out) / "config.toml").exists()
    config = None if resume else {"blog": SHORT, "normed": NORMED}[network]
    process = os.getpid() if rank == "0" else _sibling()
    progress = Signaller(int(stop_at), process) if os.environ["RANK"] == "0" else Progress()
    try:
        train(config, dataset=dataset, out=out, resume=resume, progress=progress)
    except Interrupted as stopped:
        sys.exit(stopped.exit_code)


def _sibling() -> int:
    """Find the process of rank 1."""
    while True:
        for process in children(os.getppid()):
            if process.pid != os.getpid():
                return process.pid


if __name__ == "__main__":
    main(*sys.argv[1:])
