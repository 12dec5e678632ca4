"""The run folder: its layout, reading and writing it. Needs no torch.

    config.toml               the configuration
    environment.json          command, versions, machine, data fingerprint: what else is needed to repeat the run
    metrics.jsonl             a line per measurement, in the order of the steps
    checkpoint.json           the newest checkpoint: step, tensor file and its SHA-256; written last
    checkpoint-STEP.safetensors   weights and optimizer at that step
    checkpoints/STEP.safetensors  with --keep-checkpoints: the weights at some steps
    events.out.tfevents.*     with --track tensorboard: the same measurements as metrics.jsonl
    mlflow.json               with --track mlflow: the ID of the run in MLflow
    summary.json              the results in numbers
    evaluation.json           all metrics on the test images
    test_logits.npy           (N, K) float32, the logits of the test images
    figures/*.png, report.html    for people
    model.onnx                the calibrated network as one ONNX file, which reads pictures
    model.checkpoints/STEP.onnx   the same for each kept checkpoint

Every file is written atomically, and holds plain values: text, JSON, arrays without pickle.
"""

import json
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from digitnet.config import TrainConfig
from digitnet.data.catalog import DATASETS
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.errors import RunError, UsageError
from digitnet.files import expand_home, make_folder, storage_error, sweep, write_whole
from digitnet.frames import to_frame
from digitnet.pages import notebook
from digitnet.presets import to_command
from digitnet.wording import name_data, option

if TYPE_CHECKING:
    from pandas import DataFrame

RUNS = Path("runs")
"""Folder of the runs, unless another is named."""


@dataclass(frozen=True)
class TrainingRow:
    """Training metrics, measured without an extra pass over the data."""

    step: int  # steps taken so far
    loss: float  # cross-entropy of this step's batch, before its update
    accuracy: float  # fraction of this step's batch that was correct, before its update
    mean_loss: float  # mean loss of the steps since the last row
    mean_accuracy: float
    learning_rate: float


@dataclass(frozen=True)
class ValidationRow:
    """Metrics of all validation images."""

    step: int
    validation_loss: float  # cross-entropy
    validation_accuracy: float


@dataclass(frozen=True)
class History:
    """The measurements of a run, in the order of the steps."""

    training: tuple[TrainingRow, ...]
    validation: tuple[ValidationRow, ...]

    def __repr__(self) -> str:
        return f"<History: {len(self.training):,} training and {len(self.validation):,} validation measurements>"

    def rows(self) -> list[dict[str, float | None]]:
        """Return a row for each measured step, with all columns; what was not measured then is None."""
        kinds = (TrainingRow, ValidationRow)
        empty = dict.fromkeys(name for kind in kinds for name in kind.__annotations__)
        rows: dict[int, dict[str, float | None]] = {}
        measured: tuple[TrainingRow | ValidationRow, ...] = (*self.training, *self.validation)
        for row in measured:
            rows.setdefault(row.step, dict(empty)).update(vars(row))
        return [rows[step] for step in sorted(rows)]

    def to_frame(self) -> "DataFrame":
        """Make a table of `rows`; needs pandas."""
        return to_frame(self.rows())

    def _repr_html_(self) -> str:
        return notebook.block(repr(self), notebook.table(self.rows()))


class Run:
    """An existing run folder; each part is read when it is first used, and cached.

    `data` is where the data of the run is now, if that is not where it was.
    """

    def __init__(self, path: Path | str, data: Path | str | None = None) -> None:
        self.path = expand_home(path)
        self.data = data
        self.cache: dict[str, Any] = {}  # network, evaluation and tracker, once they are loaded
        try:
            found = "none in it" if self.path.is_dir() else "no such folder"
            is_run = (self.path / "config.toml").is_file()
        except OSError as error:  # an invalid path
            found, is_run = (error.strerror or "nothing").lower(), False
        if not is_run:
            raise RunError.mismatch(
                self.path,
                expected="a run folder with a config.toml",
                found=found,
                remedy="Name a folder that `digitnet train` made.",
            )

    def __repr__(self) -> str:
        try:
            if not self.is_finished:
                return f"<Run {self.path.name}: not finished>"
            test, steps = self.summary.get("test"), self.summary["steps"]
            accuracy = f"{test['accuracy']:.2%}, " if test else ""
            return f"<Run {self.path.name}: {accuracy}{steps:,} steps>"
        except (RunError, LookupError, TypeError, ValueError):  # a debugger must be able to show a damaged run
            return f"<Run {self.path.name}: damaged>"

    def _repr_html_(self) -> str:
        """Show the figures of the report that say most, once there is one."""
        figures = {"loss": "Loss and accuracy while training", "mistakes": "Test images that are read wrongly"}
        files = {self.path / "figures" / f"{name}.png": text for name, text in figures.items()}
        shown = [notebook.picture(file.read_bytes(), text) for file, text in files.items() if file.is_file()]
        return notebook.block(repr(self), *shown)

    @cached_property
    def config(self) -> TrainConfig:
        """The configuration of the run."""
        file = self.path / "config.toml"
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self._damaged(file.name, error) from error
        try:
            return TrainConfig.from_toml(text, where=file.name)
        except UsageError as error:
            raise self._older(text, error) from error

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Command, versions, machine and data fingerprint."""
        return self.read_json("environment.json")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """The results in numbers; RunError when the run has not finished."""
        unfinished = f"the run has not finished: continue it with {option('resume', True)}"
        return self.read_json("summary.json", missing=unfinished)

    def require_finished(self) -> None:
        """Raise RunError unless training reached its last step."""
        _ = self.summary

    @property
    def is_finished(self) -> bool:
        """Whether training reached its last step."""
        return (self.path / "summary.json").is_file()

    @cached_property
    def history(self) -> History:
        """The metrics recorded in training."""
        try:
            lines = (self.path / "metrics.jsonl").read_bytes().splitlines()
            rows = [_parse_row(line, number) for number, line in enumerate(lines, start=1)]
        except (OSError, ValueError) as error:
            raise self._damaged("metrics.jsonl", error) from error
        return History(
            training=tuple(row for row in rows if isinstance(row, TrainingRow)),
            validation=tuple(row for row in rows if isinstance(row, ValidationRow)),
        )

    def check_config(self, asked: TrainConfig) -> TrainConfig:
        """Return the run's own configuration; raise RunError when `asked` is another one.

        Where the data is no longer, another place may be asked for.
        """
        names = asked.differences(self.config)
        if "data" in names and self._find_data() is None:
            names.remove("data")
            self.data = asked.images.data
        if names:
            listed = ", ".join(f"{option(n, self.config.value(n))} (not {asked.value(n)})" for n in names)
            raise RunError(
                f"{self.path}: this run was made with {listed}. "
                f"Resume it without those, or name a new folder with {option('out')}."
            )
        return self.config

    @cached_property
    def dataset(self) -> Dataset:
        """The data set that the run was trained on; raises the errors of `load`."""
        return self.load()

    def load(self, on_message: OnMessage = ignore_message) -> Dataset:
        """Load the data set that the run was trained on.

        Raises RunError when it is gone, and the errors of `load_dataset` and `check_data`.
        """
        images = self.config.images
        if self.data is None and self.environment.get("data_in_memory"):
            raise RunError(f"{self.path}: was trained on data in memory. Give the same: dataset=...")
        if (data := self.data or self._find_data()) is None:
            raise RunError(
                f"{self.path}: was trained on {images.data}, which is gone. "
                f"Name its new place with {name_data(self.path)}."
            )
        return self.check_data(
            load_dataset(data, validation_images=images.validation_images, on_message=on_message)
        )

    def _find_data(self) -> str | None:
        """Find the data by its whole path, which holds in every folder, or as it was named; None if it is gone."""
        named = self.config.images.data
        places = [str(self.environment.get("data_path", named)), named]
        return next((place for place in places if place in DATASETS or expand_home(place).exists()), None)

    def check_data(self, dataset: Dataset) -> Dataset:
        """Return `dataset`; raise RunError unless it is, byte for byte, what the run was trained on.

        Raises DataError when it has another number of validation images.
        """
        dataset.check_split(self.config.images.validation_images)
        expected = self.environment.get("data_fingerprint")
        if dataset.fingerprint != expected:
            raise RunError.mismatch(
                f"{dataset.name}, the data of {self.path}",
                expected=f"fingerprint {expected}",
                found=dataset.fingerprint,
                remedy="Restore the data that the run was trained on, or train in a new folder.",
            )
        kept = self.environment.get(
            "validation_images", self.config.images.validation_images
        )  # older runs: as asked
        if len(dataset.validation) != kept:
            raise RunError.mismatch(
                f"{dataset.name}, the data of {self.path}",
                expected=f"{kept:,} validation images, which the run has kept",
                found=f"{len(dataset.validation):,}",
                remedy="Train in a new folder, or use the version of digitnet that trained this one.",
            )
        return dataset

    def read_json(self, name: str, missing: str = "the file is missing") -> dict[str, Any]:
        """Read one of the folder's JSON files; raise RunError when it is missing or damaged."""
        try:
            content = json.loads((self.path / name).read_bytes())
        except FileNotFoundError as error:
            raise RunError(f"{self.path / name}: {missing}.") from error
        except (OSError, ValueError) as error:
            raise self._damaged(name, error) from error
        if not isinstance(content, dict):
            raise self._damaged(name, TypeError("not an object"))
        return content

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        """Write one of the folder's JSON files, atomically."""
        write_whole(self.path / name, json.dumps(content, indent=2) + "\n")
        self.__dict__.pop(name.removesuffix(".json"), None)  # no longer cached

    def locked(self) -> AbstractContextManager[object]:
        """Lock the folder for writing until the block ends; RunError when another process has locked it."""
        return hold(self.path)

    def _older(self, text: str, error: UsageError) -> RunError:
        """Make the error for a config.toml that can't be read; name the command if only removed fields are why."""
        try:
            config = TrainConfig.from_toml(text, without_removed=True)
        except UsageError:
            return self._damaged("config.toml", error)
        reason = str(error).removeprefix("config.toml: ").removesuffix(" Leave it out.")
        return RunError(
            f"{self.path / 'config.toml'}: {reason} Train the run anew, without it: {to_command(config)}"
        )

    def _damaged(self, name: str, error: Exception) -> RunError:
        return RunError(
            f"{self.path / name}: can't be read ({error}). Restore the file, or remove the folder and train again."
        )


def _parse_row(line: bytes, number: int) -> TrainingRow | ValidationRow:
    """Parse a line of metrics.jsonl; raise ValueError when it is not a measurement."""
    values = json.loads(line)
    for kind in (TrainingRow, ValidationRow):
        if isinstance(values, dict) and values.keys() == kind.__annotations__.keys():
            return kind(**values)
    raise ValueError(f"line {number} is not a measurement")


def create(path: Path, config: TrainConfig, environment: dict[str, Any]) -> Run:
    """Make a new run folder; raise RunError when there is something at `path` already."""
    require_free(path)
    make_folder(path)
    with hold(path):
        require_free(path)  # another process may have made it in the meantime
        write_whole(path / "environment.json", json.dumps(environment, indent=2) + "\n")
        write_whole(path / "config.toml", config.to_toml())  # last: its presence makes the folder a run
    return Run(path)


def create_next(folder: Path, name: str, config: TrainConfig, environment: dict[str, Any]) -> Run:
    """Make the next free run under `folder`, ``name-001``, ``name-002``, ..., also among concurrent processes."""
    make_folder(folder)
    while True:
        path = next_free(folder, name)
        try:
            path.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise storage_error(path, error) from error
        return create(path, config, environment)


def require_free(path: Path) -> None:
    """Raise RunError unless `path` does not exist, is empty, or holds only what a killed `create` left behind."""
    try:
        files = list(path.iterdir()) if path.exists() else []
    except NotADirectoryError:
        files = [path]
    except OSError as error:
        raise storage_error(path, error) from error
    if any(file.name not in (".lock", "environment.json") and not fnmatch(file.name, ".*.part") for file in files):
        raise RunError(
            f"{path}: expected a new or an empty folder, found one with files in it. "
            f"Name another with {option('out')}, or continue the run with {option('resume', True)}."
        )


def hold(path: Path) -> AbstractContextManager[object]:
    """Lock a folder for writing until the block ends, and remove temporary files that a killed process left in it.

    Raises RunError when another process has locked it, StorageError when it can't be written.
    """
    try:
        lock = FileLock(path / ".lock", timeout=0).acquire()
    except Timeout as error:
        raise RunError(
            f"{path}: another process is writing to this folder. "
            f"Wait for it to end, or name another folder with {option('out')}."
        ) from error
    except OSError as error:
        raise storage_error(path, error) from error
    sweep(path)
    return lock


def find_unfinished(folder: Path) -> Run:
    """Find the newest unfinished run under `folder`; raise RunError when there is none."""
    runs = [run for file in folder.glob("*/config.toml") if not (run := Run(file.parent)).is_finished]
    if not runs:
        raise RunError(
            f"{folder.resolve()}: expected an unfinished run to resume, found none. Name one with {option('out')}."
        )
    return max(runs, key=lambda run: (run.path / "config.toml").stat().st_mtime)


def next_free(folder: Path, name: str) -> Path:
    """Return the path of a run that does not exist yet: ``folder/name-001``, ``name-002``, ..."""
    found = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(match[1]) for other in found if (match := re.fullmatch(re.escape(name) + "-([0-9]+)", other))]
    return folder / f"{name}-{max(numbers, default=0) + 1:03d}"
