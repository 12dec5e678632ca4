"""Train one run in several processes, with torch's DistributedDataParallel.

    torchrun --nproc-per-node 2 -m digitnet train

Each process, called a rank, holds the whole data and the whole state, and takes its shard of every batch. The
gradients are averaged over gloo on CPUs and NCCL on CUDA devices. The order of the images and their augmentation
are drawn for the whole batch before it is sharded, so the number of processes changes only how sums are rounded. A
network with dropout would draw random numbers for its shard alone; there is none yet.

Rank 0 leads: only it reads and writes the run folder, validates and prints. The others receive their job from it,
and exit silently.
"""

import os
import socket
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from digitnet.config import TrainConfig
from digitnet.errors import DeviceError, Interrupted, RunError, UsageError
from digitnet.networks.batchnorm import synchronise_batchnorm
from digitnet.training.state import Checkpoint
from digitnet.training.watchdog import Watchdog
from digitnet.wording import option, resume_command


@dataclass(frozen=True)
class Job:
    """What the leading rank sends to the others before the first step."""

    path: str  # of the run folder, for messages
    config: TrainConfig
    threads: int
    fingerprint: str  # of the data
    checkpoint: Checkpoint | None


class ProcessGroup:
    """The processes that train one run together, as a context; this base class is a group of one process."""

    size = 1  # number of processes
    leads = True  # whether this process reads and writes the run folder, and prints

    def __enter__(self) -> Self:
        """Connect to the other processes."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the group; raise RunError when another process was lost."""

    def check(self, config: TrainConfig) -> None:
        """Raise UsageError when the batch can't be divided into equal shards."""

    def place(self, device: torch.device) -> torch.device:
        """Choose this process's own device on its machine; raise DeviceError when there is none left for it."""
        return device

    def lead(self, job: Job) -> None:
        """Send the job to the other processes."""

    def follow(self) -> Job | None:
        """Wait for the job of the leading process; None when there is nothing left to train."""
        return None

    def wrap(self, network: nn.Module, freezes: bool) -> nn.Module:
        """Wrap `network` so that its gradients become those of the whole batch; the weights stay shared with it.

        `freezes`: some of its layers will be frozen, and have no gradients from then on.
        """
        return network

    def shard(self, batch: Tensor) -> Tensor:
        """Return this process's shard ``(B / size, ...)`` of a whole batch ``(B, ...)``."""
        return batch

    def all_reduce(self, loss: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a shard's mean loss and number of correct answers, scalars, into those of the whole batch."""
        return loss, correct

    def agree_on_stopping(self, signal_number: int) -> int:
        """Return the number of a signal that any process got, at the same step in all processes; otherwise 0."""
        return signal_number


SINGLE_PROCESS = ProcessGroup()


class Ranks(ProcessGroup):
    """Several processes that torchrun started; they connect through its store.

    Jobs, losses and counts always go over gloo, so that every device uses the same tested code; only the gradients
    on CUDA devices go over NCCL.
    """

    def __init__(self, rank: int, size: int, local_rank: int) -> None:
        self.rank = rank
        self.size = size
        self.local_rank = local_rank  # on this machine
        self.leads = rank == 0
        self.device = torch.device("cpu")
        self.job: Job | None = None
        self.own_signal = self.agreed_signal = 0

    def __enter__(self) -> Self:
        """Connect to the other processes; waits for all of them, 30 minutes at most."""
        self.store, _, _ = next(iter(rendezvous("env://")))
        dist.init_process_group("gloo", store=self.store, rank=self.rank, world_size=self.size)
        self._watchdog = Watchdog(self.store, self.rank, self.size, self._report_lost)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the group. If a process was lost, the first to notice raises RunError, the rest exit silently."""
        try:
            self._end(error)
        finally:
            self._watchdog.leave()

    def _end(self, error: BaseException | None) -> None:
        if self.leads and self.job is None and error is None:
            self._broadcast(None)  # there is nothing left to train
        if error is None or isinstance(error, Interrupted):
            self._leave()
            return
        first = self._is_first_to_report()
        if not _is_lost_contact(error):
            dist.destroy_process_group()
        elif first:
            raise self._lost() from None
        else:
            raise SystemExit(1) from None

    def check(self, config: TrainConfig) -> None:
        """Raise UsageError when the batch can't be divided into equal shards."""
        if config.optimisation.batch_size % self.size:
            below = config.optimisation.batch_size // self.size * self.size
            raise UsageError.mismatch(
                option("batch_size"),
                expected=f"a multiple of the {self.size} processes of this run",
                found=config.optimisation.batch_size,
                remedy=f"Use {option('batch_size', below or self.size)} or change --nproc-per-node.",
            )

    def place(self, device: torch.device) -> torch.device:
        """Choose the CUDA device with the process's local rank; all processes share the CPU."""
        if device.type == "cpu":
            return device
        count = torch.cuda.device_count() if device.type == "cuda" else 0
        if self.local_rank >= count:
            raise DeviceError.mismatch(
                option("device", device.type),
                expected="a CUDA device for each process of a machine",
                found=f"{count} on {socket.gethostname()} for process {self.local_rank + 1}",
                remedy=f"Start fewer with --nproc-per-node, or use {option('device', 'cpu')}.",
            )
        self.device = torch.device("cuda", self.local_rank)
        torch.cuda.set_device(self.device)
        return self.device

    def lead(self, job: Job) -> None:
        """Send the job to the other processes."""
        self._broadcast(job)

    def follow(self) -> Job | None:
        """Wait for the job of the leading rank; None when there is nothing left to train."""
        return self._broadcast(None)

    def wrap(self, network: nn.Module, freezes: bool) -> nn.Module:
        """Wrap `network` in DistributedDataParallel with synchronised BatchNorm; tensors stay shared with it.

        Where layers will be frozen, each backward pass must find out which gradients not to wait for; torch would
        warn at the first pass, when none is frozen yet.
        """
        warnings.filterwarnings("ignore", "find_unused_parameters=True was specified", UserWarning)
        cuda = self.device.type == "cuda"
        return DistributedDataParallel(
            synchronise_batchnorm(network),
            device_ids=[self.local_rank] if cuda else None,
            process_group=dist.new_group(backend="nccl") if cuda else None,
            find_unused_parameters=freezes,
        )

    def shard(self, batch: Tensor) -> Tensor:
        """Return this rank's shard of a whole batch."""
        images = len(batch) // self.size
        return batch[self.rank * images : (self.rank + 1) * images]

    def all_reduce(self, loss: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Average the losses of the shards, which have equal sizes, and sum their correct answers."""
        rows = torch.zeros(self.size, 3, dtype=torch.float64)
        rows[self.rank] = torch.tensor([float(loss), float(correct), self.own_signal], dtype=torch.float64)
        dist.all_reduce(rows)  # the others' zeros change nothing, so every rank has the numbers of all
        self.agreed_signal = int(rows[:, 2].max())
        return rows[:, 0].mean(), rows[:, 1].sum()

    def agree_on_stopping(self, signal_number: int) -> int:
        """Return the signal that all ranks know of, and send this rank's own with the loss of the next step.

        So training stops a step later, and agreeing needs no message of its own.
        """
        self.own_signal = signal_number
        return self.agreed_signal

    def _leave(self) -> None:
        """Close the connections once all ranks are done: earlier could cut off another's last message."""
        if self.store.add("digitnet/leaving", 1) == self.size:
            self.store.set("digitnet/left", "yes")
        self.store.wait(["digitnet/left"])
        dist.destroy_process_group()

    def _broadcast(self, job: Job | None) -> Job | None:
        """Send the job of the leading rank to all; it is pickled, but only between processes."""
        jobs = [job]
        dist.broadcast_object_list(jobs)
        self.job = jobs[0]
        return self.job

    def _is_first_to_report(self) -> bool:
        with suppress(RuntimeError):  # the store may be gone as well
            return int(self.store.add("digitnet/reported", 1)) == 1
        return True

    def _report_lost(self) -> None:
        if self._is_first_to_report():
            sys.stderr.write(f"digitnet: {self._lost()}\n")

    def _lost(self) -> RunError:
        path = self.job.path if self.job else "DIR"
        return RunError(
            f"One of the {self.size} processes of this run has ended, or can't be reached any more, so all stop. "
            f"Resume from the last checkpoint, with any number of processes: {resume_command(path)}"
        )


def find_process_group() -> ProcessGroup:
    """Find out from torchrun's environment variables whether this process is one of several."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if not dist.is_torchelastic_launched() or size == 1:
        return SINGLE_PROCESS
    return Ranks(int(os.environ["RANK"]), size, int(os.environ["LOCAL_RANK"]))


def _is_lost_contact(error: BaseException | None) -> bool:
    """Tell whether a collective operation failed; gloo has no error class of its own."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
