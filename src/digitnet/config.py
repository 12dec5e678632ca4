"""The configuration of a run: small frozen dataclasses, checked when they are made.

The command line is made from them: each field is a flag, and the text under the field is the flag's help. Names of
fields are unique among all groups, so flags, plans and ``TrainConfig(steps=1_000)`` leave out the group.
"""

import dataclasses
import math
import tomllib
import typing
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import tomli_w

from digitnet.checks import check, check_least, check_types
from digitnet.errors import UsageError, nearest
from digitnet.wording import option

NetworkName = Literal["blog", "fast", "best", "tiny", "micro", "reader"]
InitialWeightsName = Literal["torch", "truncated_normal"]
PreprocessingName = Literal["scale", "deskew"]
ScheduleName = Literal["constant", "linear", "cosine"]
AugmentationName = Literal["none", "gentle", "affine", "ink"]
Device = Literal["auto", "cpu", "cuda", "mps"]

_BELOW_1 = "a number from 0 up to, not including, 1"


@dataclass(frozen=True, kw_only=True)
class BlogLayers:
    """The layers of the network blog; other networks ignore them."""

    filters: tuple[int, ...] = (16, 32)
    """Filters of each convolutional layer, one number a layer."""
    kernel_size: int = 5
    """Side of the square filters in pixels; odd, so that 'same' padding is symmetric."""
    hidden: int = 256
    """Units of a dense layer before the last one; 0 leaves it out."""

    def __post_init__(self) -> None:
        """Check every field; raise UsageError."""
        check_types(self)
        check(
            self, "one or more whole numbers of at least 1", lambda counts: min(counts, default=0) >= 1, "filters"
        )
        check_least(self, 1, "kernel_size")
        check(self, "an odd number", lambda side: side % 2 == 1, "kernel_size")
        check_least(self, 0, "hidden")


@dataclass(frozen=True, kw_only=True)
class Model:
    """Which network is trained."""

    network: NetworkName = "fast"
    """Name of the network; each preset has a network of the same name."""
    blog: BlogLayers = BlogLayers()
    """The layers of the network blog."""
    initial_weights: InitialWeightsName = "torch"
    """First weights: torch (its own), or truncated_normal (the blog program's: deviation 0.1, biases 0.1)."""
    preprocessing: PreprocessingName = "deskew"
    """Before the network: scale (0 to 255 becomes 0 to 1), or deskew (also centre and straighten the digit)."""
    tta: int = 5
    """Test-time augmentation: average over 5 copies of an image, four shifted by a pixel; 1 turns it off."""
    members: int = 1
    """Networks trained side by side, each on its own batches; their answer is the mean probability."""

    def __post_init__(self) -> None:
        """Check every field; raise UsageError."""
        check_types(self)
        check(self, "1 or 5", lambda copies: copies in (1, 5), "tta")
        check_least(self, 1, "members")

    @property
    def layers(self) -> dict[str, Any]:
        """The layers of every network that can be configured, by its name."""
        return {name: value for name, value in vars(self).items() if dataclasses.is_dataclass(value)}

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of the fields that set the layers of other networks than this one."""
        others = (layers for network, layers in self.layers.items() if network != self.network)
        return tuple(name for layers in others for name in vars(layers))


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How the weights are learned."""

    steps: int = 430
    """Optimizer steps (batches) to take."""
    batch_size: int = 128
    """Images in a batch."""
    learning_rate: float = 0.03
    """Adam's highest learning rate."""
    schedule: ScheduleName = "linear"
    """Learning rate after the warm-up: constant, linear or cosine (both fall to zero)."""
    warmup: float = 0.1
    """Fraction of the steps, 0 to 1, during which the learning rate rises linearly from zero."""
    beta1: float = 0.7
    """Adam's decay of the gradient's moving mean, 0 to 1."""
    beta2: float = 0.9
    """Adam's decay of the squared gradient's moving mean, 0 to 1."""
    label_smoothing: float = 0.1
    """Fraction of the probability, 0 to 1, that is spread evenly over all classes."""
    freeze_after: float = 0.2
    """Fraction of the steps, 0 to 1, after which the first layer is frozen, which saves time; 1: never."""

    def __post_init__(self) -> None:
        """Check every field; raise UsageError."""
        check_types(self)
        check_least(self, 1, "steps", "batch_size")
        check(self, "a positive number", lambda rate: 0 < rate < math.inf, "learning_rate")
        check(self, "a fraction from 0 to 1", lambda part: 0 <= part <= 1, "warmup", "freeze_after")
        check(self, _BELOW_1, lambda part: 0 <= part < 1, "beta1", "beta2", "label_smoothing")

    @property
    def freezes(self) -> bool:
        """Whether the first layer is frozen before the last step."""
        return self.freeze_after < 1


@dataclass(frozen=True, kw_only=True)
class Images:
    """Which images the network sees."""

    data: str = "mnist"
    """Data set: mnist, emnist-letters or another in docs/data.md, or a path to IDX files, a CSV, image folders."""
    validation_images: int = 5_000
    """Training images, the first ones, kept for validation; a tenth where 5000 are too many, or the data's own."""
    augment: AugmentationName = "none"
    """Augmentation: none, gentle, affine (rotate, scale, shear, shift) or ink (other pens)."""
    outliers: float = 0.0
    """Outlier exposure: fraction of each batch, 0 to 1, that is synthetic images, most of which are not digits."""
    photographs: float = 0.0
    """Fraction of each batch, 0 to 1, that the digit finder cut out of made photographs, digits and the rest."""
    characters: str = ""
    """Characters of other scripts among the outliers: omniglot, or a folder with its files; empty: none."""

    def __post_init__(self) -> None:
        """Check every field; raise UsageError."""
        check_types(self)
        check_least(self, 1, "validation_images")
        check(self, _BELOW_1, lambda part: 0 <= part < 1, "outliers", "photographs")
        check(
            self,
            f"a fraction that with {option('outliers')} is below 1",
            lambda part: part + self.outliers < 1,
            "photographs",
        )

    @property
    def has_outliers(self) -> bool:
        """Whether the network learns what is no digit, as a class of its own."""
        return self.outliers > 0 or self.photographs > 0


@dataclass(frozen=True, kw_only=True)
class Running:
    """How the run is recorded, and where it computes."""

    log_every: int = 10
    """Steps between two printed and recorded measurements of training loss and accuracy."""
    validate_every: int = 86
    """Steps between two measurements on the validation images; 0 measures only at the end."""
    save_every: int = 86
    """Steps between two checkpoints, which is the most that a crash can lose."""
    keep_checkpoints: bool = False
    """Keep the weights of some steps, 1, 2, 5, 10 and so on: `digitnet serve` shows how the network learned."""
    device: Device = "cpu"
    """Where to compute: auto takes CUDA if it is available, else MPS, else the CPU."""
    threads: int = 0
    """CPU threads; 0 leaves the choice to torch: OMP_NUM_THREADS, or one for each core."""

    def __post_init__(self) -> None:
        """Check every field; raise UsageError."""
        check_types(self)
        check_least(self, 1, "log_every", "save_every")
        check_least(self, 0, "validate_every", "threads")


@dataclass(frozen=True, kw_only=True, init=False)
class TrainConfig:
    """Everything that decides the outcome of a run. The default is the preset fast.

    `TrainConfig(steps=1_000, seed=3)` names single fields; `TrainConfig(model=Model(tta=1))` names whole groups.
    """

    seed: int = 0
    """Seed of the first weights, the order of the images and the augmentation."""
    model: Model = Model()
    optimisation: Optimisation = Optimisation()
    images: Images = Images()
    running: Running = Running()

    def __init__(self, **values: Any) -> None:
        groups = {name: values.pop(name, default) for name, default in _DEFAULTS.items()}
        for name, value in values.items():
            if name in _RENAMED:
                warnings.warn(f"{name} is now called {_RENAMED[name]}", DeprecationWarning, stacklevel=2)
            if (present := _RENAMED.get(name, name)) not in _PLACES:
                raise TypeError(f"TrainConfig has no field {name!r}. {nearest(name, _PLACES)}")
            _put(groups, _PLACES[present], value)
        for name, group in groups.items():
            object.__setattr__(self, name, group)  # as the __init__ of any frozen dataclass does
        check_types(self)
        check_least(self, 0, "seed")
        check(self, "a whole number below 2 to the power of 63", lambda seed: seed < 2**63, "seed")
        expected = f"0, or a fraction that makes an image of {self.images_per_step:,}"
        check(
            self.images, expected, lambda part: part == 0 or round(part * self.images_per_step) > 0,
            "outliers", "photographs",
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        if name not in _PLACES and name not in _RENAMED:
            raise AttributeError(f"TrainConfig has no field {name!r}")
        name = _RENAMED.get(name, name)
        path = ".".join(("config", *_PLACES[name]))
        warnings.warn(f"read {path} in place of config.{name}", DeprecationWarning, stacklevel=2)
        return self.value(name)

    def replace(self, **values: Any) -> Self:
        """Copy the configuration, with other values of some fields or groups."""
        return type(self)(**{**vars(self), **values})

    def value(self, name: str) -> Any:
        """Return the value of the field `name`, whatever its group."""
        value: Any = self
        for part in _PLACES[name]:
            value = getattr(value, part)
        return value

    def differences(self, other: Self) -> list[str]:
        """Names of the fields whose values differ."""
        return [name for name in _PLACES if self.value(name) != other.value(name)]

    @property
    def images_per_step(self) -> int:
        """Images that all members together are shown in a step."""
        return self.model.members * self.optimisation.batch_size

    def to_toml(self) -> str:
        """Write every field, in a table for each group; another network's layers only if they are set."""
        tables = dataclasses.asdict(self)
        for network, layers in self.model.layers.items():
            if network != self.model.network and layers == type(layers)():
                del tables["model"][network]
        return tomli_w.dumps(tables)

    @classmethod
    def from_toml(cls, text: str, where: str = "config.toml", without_removed: bool = False) -> Self:
        """Read what `to_toml` wrote, also of older versions; raise UsageError, which begins with `where`.

        A field that the file lacks did not exist yet, and has the value at which it does nothing. With
        `without_removed`, fields that no longer exist are left out, although the run of the file was another one.
        """
        try:
            values = tomllib.loads(text)
        except ValueError as error:  # also a number of 5,000 digits, which Python refuses to read
            raise UsageError(f"{where}: is not TOML ({error}). Restore the file, or begin a new run.") from error
        if values.get("network", "blog") != "blog" and values.get("hidden") == 0:
            del values["hidden"]  # version 0.1 wrote the blog's layers for every network
        if without_removed:
            values = {name: value for name, value in values.items() if name not in _REMOVED}
        return cls(**_BEFORE_THEY_EXISTED).with_values(values, where)

    def with_values(self, values: Mapping[str, Any], where: str) -> Self:
        """Copy the configuration with plain values, in tables of groups or not; UsageError begins with `where`."""
        try:
            return self.replace(**dict(_flatten(values)))
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error


def hint(name: str) -> Any:
    """Return the type of the field `name`: int, float, str, a Literal or tuple[int, ...]."""
    kind: Any = TrainConfig
    for part in _PLACES[name]:
        kind = typing.get_type_hints(kind)[part]
    return kind


_DEFAULTS: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(TrainConfig)}

# Fields as they were called in version 0.1; the removed one did nothing at this value.
_RENAMED = {"prepare": "preprocessing", "views": "tta", "not_digits": "outliers"}
_REMOVED = {"ema_decay": 0.0}

OFF: dict[str, Any] = {
    "augment": "none",
    "characters": "",
    "freeze_after": 1.0,
    "initial_weights": "torch",
    "keep_checkpoints": False,
    "label_smoothing": 0.0,
    "members": 1,
    "outliers": 0.0,
    "photographs": 0.0,
    "preprocessing": "scale",
    "tta": 1,
    "warmup": 0.0,
}
"""Values at which a field does nothing."""

# What runs did before a field existed: nothing, and Adam had its usual rates.
_BEFORE_THEY_EXISTED = {**OFF, "beta1": 0.9, "beta2": 0.999}


def _find_places(kind: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield every field below a dataclass, and the names that lead to it."""
    for field in dataclasses.fields(kind):
        place = (*path, field.name)
        if dataclasses.is_dataclass(field.type):
            yield from _find_places(field.type, place)
        else:
            yield field.name, place


_PLACES = dict(_find_places(TrainConfig))

FIELDS = tuple(_PLACES)
"""Names of all fields, without their groups."""


def _put(tree: dict[str, Any], place: tuple[str, ...], value: Any) -> None:
    """Replace the value at `place` in a tree of frozen dataclasses."""
    first, *rest = place
    if rest:
        inside = {rest[0]: getattr(tree[first], rest[0])}
        _put(inside, tuple(rest), value)
        value = dataclasses.replace(tree[first], **inside)
    tree[first] = value


def _flatten(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a TOML file by their present names, whether they are in tables or not."""
    groups = {place[len(path)] for place in _PLACES.values() if place[: len(path)] == path} - _PLACES.keys()
    for name, value in table.items():
        present = _RENAMED.get(name, name)
        if name in groups:
            if not isinstance(value, Mapping):
                raise UsageError(f"expected a table [{'.'.join((*path, name))}], found {value!r}. Correct it.")
            yield from _flatten(value, (*path, name))
        elif present in _PLACES and (not path or _PLACES[present][:-1] == path):
            yield present, tuple(value) if isinstance(value, list) else value
        elif name not in _REMOVED:
            raise UsageError(f"there is no field {name!r}. {nearest(name, _PLACES)}")
        elif value != _REMOVED[name]:
            raise UsageError(f"{name} = {value} is of digitnet 0.1 and no longer exists. Leave it out.")
