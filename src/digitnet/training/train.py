"""The training loop, `fit`, and `train`, which runs it in a run folder."""

import contextlib
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from digitnet.checks import check_kind
from digitnet.config import TrainConfig
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.errors import DataError, DigitnetError, DivergedError, Interrupted
from digitnet.files import expand_home
from digitnet.networks.models import parameter_count
from digitnet.presets import nearest_preset, preset
from digitnet.progress import Progress
from digitnet.run_folder import RUNS, Run, ValidationRow, create, create_next, find_unfinished, require_free
from digitnet.tracking.track import make_tracker
from digitnet.training.batches import prepare_pools
from digitnet.training.checkpoint import load_checkpoint
from digitnet.training.device import choose_device
from digitnet.training.distributed import Job, ProcessGroup, find_process_group
from digitnet.training.environment import describe_environment
from digitnet.training.loss import Loss
from digitnet.training.memory import peak_memory
from digitnet.training.randomness import seed_step
from digitnet.training.record import RunRecorder, count_correct
from digitnet.training.save import FollowerSaver, RunSaver, Stop, stop_on_signals
from digitnet.training.session import Session, check_recipe, prepare
from digitnet.training.state import TrainState
from digitnet.wording import option


def take_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_function: Loss,
    images: Tensor,
    labels: Tensor,
    learning_rate: float,
) -> tuple[Tensor, Tensor]:
    """Update the weights once; return the mean cross-entropy and number of correct answers, from before."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    logits = network(images)  # (B, K)
    loss, cross_entropy = loss_function(logits, labels)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch has not annotated it
    optimizer.step()
    return cross_entropy, count_correct(logits.detach(), labels)


def fit(session: Session) -> None:
    """Train from the step of the session's state to its last step: the training loop."""
    state, group = session.state, session.group
    network = group.wrap(state.network, freezes=bool(session.freeze.parameters))
    for step in range(state.step, session.steps):
        session.freeze.before_step(step)
        images, labels = session.batches.at(step)  # (B, 1, 28, 28) uint8, (B,) int64
        seed_step(session.seed, step)
        shard = group.shard(session.augment(images)), group.shard(labels)  # the whole batch, for one process
        loss, correct = take_step(network, state.optimizer, session.loss, *shard, session.schedule(step))
        loss, correct = group.all_reduce(loss, correct)
        state.step = step + 1
        session.recorder.after_step(state, loss, correct, len(labels))
        session.saver.after_step(state)


def train(
    config: TrainConfig | str | None = None,
    *,
    dataset: Dataset | None = None,
    out: Path | str | None = None,
    resume: bool = False,
    progress: Progress | None = None,
    on_validation: Callable[[ValidationRow], None] | None = None,
    track: str | None = None,
    watch: Progress | None = None,
    **fields: Any,
) -> Run:
    """Train a network, and return the run, a folder with everything about it.

    For example ``train("blog", steps=1_000, seed=1)``. `config`, or the name of a preset, is by default the preset
    `fast`; with `resume`, the run's own. `fields` are other values of some of its fields. `dataset` saves loading
    the data again. `out` is the run's folder: by default the next free ``runs/NAME-001``, with `resume` the newest
    unfinished run. `progress` shows the progress, by default nowhere. `on_validation` is called with each
    measurement on the validation images; an exception that it raises ends the training. `track` is ``tensorboard``
    or ``mlflow``: the measurements are also shown there. Ctrl-C and SIGTERM save
    the state and raise Interrupted; `resume` continues to a bit-identical result. Under torchrun the processes
    train one run together; only the leading one returns, the others exit. The command line also calls
    `keep_freed_memory`, which affects the whole process. Raises a subclass of DigitnetError for every error that a
    person can fix.
    """
    if watch:
        warnings.warn("watch= is now called progress=", DeprecationWarning, stacklevel=2)
    progress, group = progress or watch or Progress(), find_process_group()
    out = expand_home(out) if out else None
    if not group.leads:
        follow(group, dataset)
    check_kind("dataset", dataset, Dataset | None, "a Dataset", 'dataset=load_dataset("mnist")')
    run = (Run(out) if out else find_unfinished(RUNS)) if resume else None
    config = _configure(config, fields, run)
    group.check(config)
    if out and not run:
        require_free(out)  # before the data is loaded
    device = group.place(choose_device(config.running.device))
    dataset = dataset or (run.load(progress.message) if run else _load(config, progress.message))
    dataset.check_split(config.images.validation_images)
    tracker = make_tracker(track, progress.message)  # early, as its package may be missing
    check_recipe(config, dataset)
    prepare_pools(config, dataset, progress.message)  # minutes, once: before there is a run to interrupt
    if run:
        run.check_data(dataset)
    else:
        environment = describe_environment(config, dataset, device, group.size)
        run = _create(out, config, environment)
    run.dataset = dataset

    threads = run.environment["threads"]
    with run.locked(), group, progress, torch_settings(threads), stop_on_signals() as stop:
        if run.is_finished:
            progress.message(f"{run.path} is already finished; there is nothing left to train.")
            return run
        recorder = RunRecorder(run, dataset, progress, on_validation, tracker)
        saver = RunSaver(run, recorder, stop, group)
        session = prepare(
            config,
            dataset,
            device=device,
            group=group,
            recorder=recorder,
            saver=saver,
            on_message=progress.message,
        )
        checkpoint = load_checkpoint(run)
        if checkpoint:
            session.state.restore(checkpoint)
            recorder.rewind(checkpoint)
        recorder.begin()
        saver.begin(session.state)
        progress.begin(session.steps, session.state.step, unit="steps")
        group.lead(Job(str(run.path), config.replace(data=dataset.name), threads, dataset.fingerprint, checkpoint))
        with tracker.follow(run):
            try:
                fit(session)
            except DivergedError as error:
                raise DivergedError(f"{error} {_advice(run)}") from error
            run.write_json("summary.json", summarise(run, session.state))
        run.cache["network"] = session.state.network.cpu().eval()  # its last step was saved
        run.cache["tracker"] = tracker
    return run


def _configure(config: TrainConfig | str | None, fields: dict[str, Any], resumed: Run | None) -> TrainConfig:
    """Find the configuration of a run; raise RunError if that of a resumed one is another."""
    check_kind(
        "config", config, str | TrainConfig | None, "a preset's name or a TrainConfig", 'train("fast", steps=100)'
    )
    start = preset(config) if isinstance(config, str) else config
    if resumed is None:
        return (start or TrainConfig()).replace(**fields)
    return resumed.check_config((start or resumed.config).replace(**fields))


def follow(group: ProcessGroup, dataset: Dataset | None) -> NoReturn:
    """Train in a process that does not lead: without a run folder, printing only errors of its own set-up."""
    try:
        with group, stop_on_signals() as stop:
            if job := group.follow():
                with torch_settings(job.threads):
                    _follow(job, dataset, stop, group)
    except Interrupted:
        pass  # the leading process reports it; with another exit code torchrun would kill it before that
    except DigitnetError as error:
        raise SystemExit(f"digitnet: {error}") from None  # printed by Python, with exit code 1
    raise SystemExit(0)


def _follow(job: Job, dataset: Dataset | None, stop: Stop, group: ProcessGroup) -> None:
    device = group.place(choose_device(job.config.running.device))
    dataset = dataset or _load(job.config, ignore_message)
    dataset.check_split(job.config.images.validation_images)
    if dataset.fingerprint != job.fingerprint:
        raise DataError.mismatch(
            f"{dataset.name} on {socket.gethostname()}",
            expected=f"the leading process's data, fingerprint {job.fingerprint}",
            found=dataset.fingerprint,
            remedy="Give every machine the same data.",
        )
    session = prepare(job.config, dataset, device=device, group=group, saver=FollowerSaver(stop, group))
    if job.checkpoint:
        session.state.restore(job.checkpoint)
    fit(session)


def _load(config: TrainConfig, on_message: OnMessage) -> Dataset:
    images = config.images
    return load_dataset(images.data, validation_images=images.validation_images, on_message=on_message)


def _create(out: Path | None, config: TrainConfig, environment: dict[str, Any]) -> Run:
    if out:
        return create(out, config, environment)
    return create_next(RUNS, nearest_preset(config), config, environment)


@contextlib.contextmanager
def torch_settings(threads: int) -> Iterator[None]:
    """Set torch's threads and flush denormal numbers to zero while the context is open; restore both afterwards.

    The number of threads determines the last bits of sums. Denormal numbers, below 1e-38, don't matter, but make
    convolutions up to fifty times as slow (pytorch issues 19651, 21734).
    """
    threads_before, flushed_before = torch.get_num_threads(), _flushes_denormals()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_num_threads(threads_before)
        torch.set_flush_denormal(flushed_before)


def _flushes_denormals() -> bool:
    """Find out by arithmetic, as torch has no function for it."""
    return float(torch.tensor(1e-39) * torch.tensor(1.0)) == 0.0


def summarise(run: Run, state: TrainState) -> dict[str, Any]:
    """Summarise the training; `evaluate` adds the results on the test images."""
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


def _advice(run: Run) -> str:
    checkpoint = load_checkpoint(run)
    saved = f"The last good state, step {checkpoint.step:,}, is saved in {run.path}. " if checkpoint else ""
    return f"{saved}Train again in a new folder with a lower {option('learning_rate')}."
