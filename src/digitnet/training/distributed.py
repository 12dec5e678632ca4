"""One run on several processes, and the do-nothing twin that every other run has.

    torchrun --nproc-per-node 2 -m digitnet train

Each process, called a rank, holds the whole data and the whole state, and takes its shard of every batch. Torch's
DistributedDataParallel averages the gradients, over gloo on CPUs and NCCL on CUDA devices. The order of the images
and their augmentation are drawn for the whole batch before it is sharded, so the number of processes changes only
how sums are rounded. A network that draws random numbers itself (dropout) would draw them for its shard: none does
yet.

Rank 0 leads: only it reads and writes the run folder, measures and prints. The others receive their job from it,
and end quietly.
"""

import os
import socket
import warnings
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from digitnet.config import TrainConfig
from digitnet.errors import DeviceError, Interrupted, RunError, UsageError
from digitnet.networks.batchnorm import see_whole_batches
from digitnet.training.state import Checkpoint


@dataclass(frozen=True)
class Job:
    """What the leading rank sends to the others before the first step: all that they can't know themselves."""

    path: str  # of the run folder, for sentences
    config: TrainConfig
    threads: int
    fingerprint: str  # of the data
    checkpoint: Checkpoint | None


class ProcessGroup(Protocol):
    """The processes that train one run; a context that is open while they work together."""

    size: int  # number of processes
    leads: bool  # whether this one reads and writes the run folder, and prints

    def __enter__(self) -> Self:
        """Meet the other processes."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the group; raise RunError when another process was lost."""

    def check(self, config: TrainConfig) -> None:
        """Raise UsageError when the batch can't be cut into equal shards."""

    def place(self, device: torch.device) -> torch.device:
        """Choose this process's own among the machine's devices; raise DeviceError when there is none for it."""

    def lead(self, job: Job) -> None:
        """Send the job to the other processes."""

    def follow(self) -> Job | None:
        """Wait for the leading process's job; None when there is nothing left to train."""

    def wrap(self, network: nn.Module, freezes: bool) -> nn.Module:
        """Wrap `network` so that its gradients become those of the whole batch; weights stay shared with it.

        `freezes`: some of its layers will be frozen, and give no gradients from then on.
        """

    def shard(self, batch: Tensor) -> Tensor:
        """Cut this process's shard ``(B / size, ...)`` out of a whole batch ``(B, ...)``."""

    def all_reduce(self, loss: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a shard's mean loss and count of correct answers, scalars, into those of the whole batch."""

    def agree_on_stopping(self, signal_number: int) -> int:
        """Return the number of a signal that reached any of the processes, at the same step to all; else 0."""


class SingleProcess:
    """One process: nothing to shard and nobody to ask."""

    size = 1
    leads = True

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to do."""

    def check(self, config: TrainConfig) -> None:
        """Nothing to do."""

    def place(self, device: torch.device) -> torch.device:
        """Return the device as it is."""
        return device

    def lead(self, job: Job) -> None:
        """Nothing to do."""

    def follow(self) -> Job | None:
        """Return None: there is nobody to follow."""
        return None

    def wrap(self, network: nn.Module, freezes: bool) -> nn.Module:
        """Return the network as it is."""
        return network

    def shard(self, batch: Tensor) -> Tensor:
        """Return the whole batch."""
        return batch

    def all_reduce(self, loss: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Return both as they are."""
        return loss, correct

    def agree_on_stopping(self, signal_number: int) -> int:
        """Return the number as it is."""
        return signal_number


SINGLE_PROCESS = SingleProcess()


class Ranks:
    """Several processes that torchrun started; they meet over its store and talk over gloo.

    Small numbers always travel over gloo, so that one way is tested for every device; gradients on CUDA devices
    go over NCCL.
    """

    def __init__(self, rank: int, size: int, local_rank: int) -> None:
        self.rank = rank
        self.size = size
        self.local_rank = local_rank  # on this machine
        self.leads = rank == 0
        self.device = torch.device("cpu")
        self.job: Job | None = None
        self.wish = self.agreed = 0

    def __enter__(self) -> Self:
        """Meet the other processes; waits until all are there, 30 minutes at most."""
        self.store, _, _ = next(iter(rendezvous("env://")))
        dist.init_process_group("gloo", store=self.store, rank=self.rank, world_size=self.size)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Part; when another process was lost, raise RunError in the first that noticed, end the rest quietly."""
        if self.leads and self.job is None and error is None:
            self._broadcast(None)  # there is nothing left to train
        if error is None or isinstance(error, Interrupted):
            self._part()
            return
        first = True  # to have something to say
        with suppress(RuntimeError):  # the store may be gone as well
            first = self.store.add("digitnet/told", 1) == 1
        if not _is_lost_contact(error):
            dist.destroy_process_group()
        elif first:
            raise self._lost() from None
        else:
            raise SystemExit(1) from None

    def check(self, config: TrainConfig) -> None:
        """Raise UsageError when the batch can't be cut into equal shards."""
        if config.optimisation.batch_size % self.size:
            below = config.optimisation.batch_size // self.size * self.size
            raise UsageError.mismatch(
                "--batch-size",
                expected=f"a multiple of the {self.size} processes of this run",
                found=config.optimisation.batch_size,
                remedy=f"Use --batch-size {below or self.size} or another multiple, or other --nproc-per-node.",
            )

    def place(self, device: torch.device) -> torch.device:
        """Choose the CUDA device of the process's place on its machine; the CPU is everyone's."""
        if device.type == "cpu":
            return device
        count = torch.cuda.device_count() if device.type == "cuda" else 0
        if self.local_rank >= count:
            raise DeviceError.mismatch(
                f"--device {device.type}",
                expected="a CUDA device for each process of a machine",
                found=f"{count} on {socket.gethostname()} for process {self.local_rank + 1}",
                remedy="Start fewer with --nproc-per-node, or use --device cpu.",
            )
        self.device = torch.device("cuda", self.local_rank)
        torch.cuda.set_device(self.device)
        return self.device

    def lead(self, job: Job) -> None:
        """Send the job to the other processes."""
        self._broadcast(job)

    def follow(self) -> Job | None:
        """Wait for the leading rank's job; None when there is nothing left to train."""
        return self._broadcast(None)

    def wrap(self, network: nn.Module, freezes: bool) -> nn.Module:
        """Wrap `network`, and make its BatchNorms see the whole batch; weights and buffers stay shared with it.

        Where layers are frozen, each backward pass must find out which gradients not to wait for; torch would warn
        at the first pass, where there is none yet.
        """
        warnings.filterwarnings("ignore", "find_unused_parameters=True was specified", UserWarning)
        cuda = self.device.type == "cuda"
        return DistributedDataParallel(
            see_whole_batches(network),
            device_ids=[self.local_rank] if cuda else None,
            process_group=dist.new_group(backend="nccl") if cuda else None,
            find_unused_parameters=freezes,
        )

    def shard(self, batch: Tensor) -> Tensor:
        """Cut this rank's shard out of a whole batch."""
        images = len(batch) // self.size
        return batch[self.rank * images : (self.rank + 1) * images]

    def all_reduce(self, loss: Tensor, correct: Tensor) -> tuple[Tensor, Tensor]:
        """Average the losses of the shards, which are of one size, and add up their correct answers."""
        rows = torch.zeros(self.size, 3, dtype=torch.float64)
        rows[self.rank] = torch.tensor([float(loss), float(correct), self.wish], dtype=torch.float64)
        dist.all_reduce(rows)  # the others' zeros change nothing, so every rank has the numbers of all
        self.agreed = int(rows[:, 2].max())
        return rows[:, 0].mean(), rows[:, 1].sum()

    def agree_on_stopping(self, signal_number: int) -> int:
        """Return the number that all know by now, and let one's own travel with the next step's loss.

        So the end comes a step later, and asking costs no message of its own.
        """
        self.wish = signal_number
        return self.agreed

    def _part(self) -> None:
        """Close the connections once all are done with them: earlier can cut off another's last message."""
        if self.store.add("digitnet/parting", 1) == self.size:
            self.store.set("digitnet/parted", "yes")
        self.store.wait(["digitnet/parted"])
        dist.destroy_process_group()

    def _broadcast(self, job: Job | None) -> Job | None:
        """Send the leading rank's job to all; pickled, but only from process to process."""
        jobs = [job]
        dist.broadcast_object_list(jobs)
        self.job = jobs[0]
        return self.job

    def _lost(self) -> RunError:
        path = self.job.path if self.job else "DIR"
        return RunError(
            f"One of the {self.size} processes of this run has ended, or can't be reached any more, so all stop. "
            f"Go on from the last checkpoint, with any number of processes: digitnet train --resume --out {path}"
        )


def find_process_group() -> ProcessGroup:
    """See from the environment that torchrun sets whether this process is one of several."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if not dist.is_torchelastic_launched() or size == 1:
        return SINGLE_PROCESS
    return Ranks(int(os.environ["RANK"]), size, int(os.environ["LOCAL_RANK"]))


def _is_lost_contact(error: BaseException | None) -> bool:
    """Tell whether a collective failed: gloo has no error class of its own."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
