"""The training loop (`fit`), and what stands around it (`train`)."""

import contextlib
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from digitnet.augmentation.augment import Augmentation, make_augmentation
from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.errors import DataError, DigitnetError, DivergedError, Interrupted
from digitnet.networks.freezing import make_freeze
from digitnet.networks.models import build_network, parameter_count
from digitnet.presets import nearest_preset
from digitnet.progress import Progress
from digitnet.run_folder import RUNS, Run, ValidationRow, create, create_next, find_unfinished, require_free
from digitnet.training.batches import BatchSource, make_batches
from digitnet.training.checkpoint import load_checkpoint
from digitnet.training.device import check_device, choose_device
from digitnet.training.distributed import ALONE, Order, World, find_world
from digitnet.training.environment import describe_environment
from digitnet.training.loss import Loss, make_loss
from digitnet.training.memory import keep_freed_memory, peak_memory
from digitnet.training.randomness import seed_step
from digitnet.training.record import NoRecorder, Recorder, RunRecorder, right_answers
from digitnet.training.save import RunSaver, Saver, Stop, StopsWithTheOthers, stop_on_signals
from digitnet.training.schedule import Schedule, make_schedule
from digitnet.training.state import TrainState


def take_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss: Loss,
    images: Tensor,
    labels: Tensor,
    learning_rate: float,
) -> tuple[Tensor, Tensor]:
    """Move the weights once; return the batch's mean cross-entropy and its count of right answers, from before."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    logits = network(images)  # (B, K)
    descended, recorded = loss(logits, labels)
    optimizer.zero_grad()
    descended.backward()  # type: ignore[no-untyped-call]  # torch has not annotated it
    optimizer.step()
    return recorded, right_answers(logits.detach(), labels)


def fit(
    state: TrainState,
    config: TrainConfig,
    batches: BatchSource,
    augment: Augmentation,
    schedule: Schedule,
    recorder: Recorder,
    saver: Saver,
    world: World = ALONE,
) -> None:
    """Train from the state's step to the configuration's last: the loop."""
    network, optimizer, loss = (
        world.spread(state.network, config.optimisation.freezes),
        state.optimizer,
        make_loss(config.optimisation),
    )
    freeze = make_freeze(state.network, config.optimisation)
    for step in range(state.step, config.optimisation.steps):
        freeze.before_step(step)
        images, labels = batches.at(step)  # (B, 1, 28, 28) uint8, (B,) int64
        seed_step(config.seed, step)
        slices = world.share(augment(images)), world.share(labels)  # all of it, for one process
        nats, right = world.total(*take_step(network, optimizer, loss, *slices, schedule(step)))
        state.step = step + 1
        recorder.after_step(state, nats, right, len(labels))
        saver.after_step(state)


def train(
    config: TrainConfig | None = None,
    *,
    dataset: Dataset | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    on_validation: Callable[[ValidationRow], None] | None = None,
    watch: Progress | None = None,
) -> Run:
    """Train a network, and return the folder that holds everything about the run.

    `config` is the default preset, `fast`; with `resume`, the run's own. `dataset` saves reading the data
    again. `out` is the run's folder; by default the next free ``runs/NAME-001``, with `resume` the newest
    unfinished one. `progress` shows how far it is, by default nothing; `on_validation` is called with each
    measurement on the validation images, and what it raises ends the training. On Ctrl-C or SIGTERM the state is
    saved and Interrupted is raised; `resume` goes on to a bit-identical result. Under torchrun the processes train
    one run together, and only the leading one returns from here; the others end. Raises a child of DigitnetError
    for everything that a person can put right.
    """
    if watch:
        warnings.warn(
            "watch= is called progress= now; the next version will not know watch=.",
            DeprecationWarning,
            stacklevel=2,
        )
    progress, world = progress or watch or Progress(), find_world()
    if not world.leads:
        follow(world, dataset)
    run = (Run(out) if out else find_unfinished(RUNS)) if resume else None
    config = run.check_config(config) if run else config or TrainConfig()
    world.check(config)
    if out and not run:
        require_free(Path(out))  # before the data takes its time
    augment, schedule = make_augmentation(config), make_schedule(config.optimisation)
    device = world.place(choose_device(config.running.device))
    dataset = dataset or load_dataset(
        config.images.data, validation_images=config.images.validation_images, on_message=progress.message
    )
    dataset.check_split(config.images.validation_images)
    network = build_network(config, dataset.image_shape, dataset.classes)
    environment = describe_environment(config, dataset, device, world.size)
    if run:
        run.check_data(dataset)
    elif out:
        run = create(Path(out), config, environment)
    else:
        run = create_next(RUNS, nearest_preset(config), config, environment)

    threads = run.environment["threads"]
    with run.locked(), world, progress, torch_prepared(threads), stop_on_signals() as stop:
        if run.is_finished:
            progress.message(f"{run.path} is finished already; there is nothing left to train.")
            return run
        batches = make_batches(config, dataset, device)
        progress.message(check_device(network, *_on_cpu(batches.at(0)), device))
        state = begin(network.to(device), config)
        recorder = RunRecorder(run, config, schedule, dataset, progress, on_validation)
        checkpoint = load_checkpoint(run)
        if checkpoint:
            state.restore(checkpoint)
            recorder.rewind(checkpoint)
        recorder.begin()
        progress.begin(config.optimisation.steps, state.step, unit="steps")
        world.lead(Order(str(run.path), config, threads, dataset.fingerprint, checkpoint))
        saver = RunSaver(run, config, recorder, stop, world)
        try:
            fit(state, config, batches, augment, schedule, recorder, saver, world)
        except DivergedError as fault:
            raise DivergedError(f"{fault} {_advice(run)}") from fault
        run.write_json("summary.json", summarise(run, state))
    return run


def follow(world: World, dataset: Dataset | None) -> NoReturn:
    """Train as a process that does not lead: without a folder, and without words unless its own set-up fails."""
    try:
        with world, stop_on_signals() as stop:
            if order := world.follow():
                with torch_prepared(order.threads):
                    _follow(order, dataset, stop, world)
    except Interrupted:
        pass  # the leading process says so; a failure here would make torchrun end it before it has
    except DigitnetError as error:
        raise SystemExit(f"digitnet: {error}") from None  # printed by Python, with exit code 1
    raise SystemExit(0)


def _follow(order: Order, dataset: Dataset | None, stop: Stop, world: World) -> None:
    config = order.config
    device = world.place(choose_device(config.running.device))
    dataset = dataset or load_dataset(config.images.data, validation_images=config.images.validation_images)
    dataset.check_split(config.images.validation_images)
    if dataset.fingerprint != order.fingerprint:
        raise DataError.mismatch(
            f"{dataset.name} on {socket.gethostname()}",
            expected=f"the leading process's data, fingerprint {order.fingerprint}",
            found=dataset.fingerprint,
            remedy="Give every machine the same data.",
        )
    network = build_network(config, dataset.image_shape, dataset.classes)
    batches = make_batches(config, dataset, device)
    check_device(network, *_on_cpu(batches.at(0)), device)
    state = begin(network.to(device), config)
    if order.checkpoint:
        state.restore(order.checkpoint)
    augment, schedule = make_augmentation(config), make_schedule(config.optimisation)
    fit(state, config, batches, augment, schedule, NoRecorder(), StopsWithTheOthers(stop, world), world)


def begin(network: nn.Module, config: TrainConfig) -> TrainState:
    """Make the state of a run before its first step, for a network that is on its device."""
    betas = config.optimisation.beta1, config.optimisation.beta2
    optimizer = torch.optim.Adam(
        network.parameters(), lr=config.optimisation.learning_rate, betas=betas, fused=True
    )
    return TrainState(network, optimizer)


@contextlib.contextmanager
def torch_prepared(threads: int) -> Iterator[None]:
    """Set torch up as a run needs it while the context is open.

    The number of threads decides the last bits of a sum. Numbers below 1e-38 mean nothing, and cost a
    convolution up to fifty times its time (pytorch issues 19651, 21734): they become zero. Freed memory is kept
    for the next step, from here to the end of the process.
    """
    before = torch.get_num_threads()
    keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)


def summarise(run: Run, state: TrainState) -> dict[str, Any]:
    """Collect the outcome of the training; the test images are left to `evaluate`."""
    last = run.history.validation[-1]
    return {
        "validation": {"accuracy": last.validation_accuracy, "loss": last.validation_loss},
        "steps": state.step,
        "parameters": parameter_count(state.network),
        "seconds": round(state.seconds, 3),
        "images_per_second": round(state.step * run.config.images_per_step / state.seconds, 1),
        "peak_memory_bytes": peak_memory(),
        "versions": run.environment["versions"],
        "command": run.environment["command"],
    }


def _on_cpu(batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    images, labels = batch
    return images.cpu(), labels.cpu()


def _advice(run: Run) -> str:
    checkpoint = load_checkpoint(run)
    kept = f"The last good state, step {checkpoint.step:,}, is kept in {run.path}. " if checkpoint else ""
    return f"{kept}Train again in a new folder with a lower --learning-rate."
