"""Build everything that the training loop uses."""

from dataclasses import dataclass

import torch

from digitnet.augmentation.augment import Augmentation, make_augmentation
from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.networks.freezing import Freeze
from digitnet.networks.models import build_network
from digitnet.training.batches import BatchSource, make_batches
from digitnet.training.device import check_device
from digitnet.training.distributed import SINGLE_PROCESS, ProcessGroup
from digitnet.training.loss import Loss, make_loss
from digitnet.training.record import Recorder
from digitnet.training.save import Saver
from digitnet.training.schedule import Schedule, make_schedule
from digitnet.training.state import TrainState


@dataclass(frozen=True)
class Session:
    """What `fit` uses; `prepare` builds it from a configuration and a data set."""

    seed: int
    steps: int  # the last one
    state: TrainState  # network, optimizer and step: everything that changes
    batches: BatchSource
    augment: Augmentation
    freeze: Freeze
    loss: Loss
    schedule: Schedule
    group: ProcessGroup
    recorder: Recorder
    saver: Saver


def prepare(
    config: TrainConfig,
    dataset: Dataset,
    *,
    device: torch.device | str = "cpu",
    group: ProcessGroup = SINGLE_PROCESS,
    recorder: Recorder | None = None,
    saver: Saver | None = None,
    on_message: OnMessage = ignore_message,
) -> Session:
    """Build everything that `fit` needs to train `config` on the training images of `dataset`, from step 0.

    Without a `recorder` nothing is recorded, without a `saver` nothing is saved. A device other than the CPU is
    checked with one batch; `on_message` receives the result. Raises UsageError for a configuration with unknown
    names or one that does not fit the data, DeviceError for a device that computes other numbers than the CPU.
    """
    device = torch.device(device)
    network = build_network(config, dataset.image_shape, dataset.classes)
    batches = make_batches(config, dataset, device, on_message)
    images, labels = batches.at(0)  # (B, 1, rows, columns) uint8, (B,) int64
    on_message(check_device(network, images.cpu(), labels.cpu(), device))
    network = network.to(device)
    optimisation = config.optimisation
    betas = optimisation.beta1, optimisation.beta2
    optimizer = torch.optim.Adam(network.parameters(), lr=optimisation.learning_rate, betas=betas, fused=True)
    return Session(
        seed=config.seed,
        steps=optimisation.steps,
        state=TrainState(network, optimizer),
        batches=batches,
        augment=make_augmentation(config),
        freeze=Freeze(network, optimisation),
        loss=make_loss(optimisation),
        schedule=make_schedule(optimisation),
        group=group,
        recorder=recorder or Recorder(),
        saver=saver or Saver(),
    )


def check_recipe(config: TrainConfig, dataset: Dataset) -> None:
    """Raise UsageError as `prepare` would, but in 10 ms: before a folder is made or a worker started."""
    make_augmentation(config)
    make_schedule(config.optimisation)
    build_network(config, dataset.image_shape, dataset.classes)
