"""A plan: which variants of a configuration are trained, with which seeds, and which of them are compared.

    title = "Do more layers help?"
    preset = "blog"
    seeds = 10                                 # 0 to 9; or a list of seeds
    compare = [["filters=16-32", "filters=16"]]    # by default, each variant with the first

    [base]                                     # fields that all variants share
    steps = 1000

    [grid]                                     # every combination of these fields
    filters = [[16], [16, 32], [16, 32, 64]]

Instead of a grid, variants can be listed, each with a name of its own:

    [[variant]]
    name = "two layers"
    filters = [16, 32]

Or Optuna samples variants from ranges, one after another, to find the best on validation. This is a search:

    trials = 40
    seed = 0                                   # of Optuna's choices, and of every run
    prune = true                               # end a trial early if it is worse than most were at that step

    [range]
    learning_rate = { low = 1e-4, high = 1e-2, log = true }
"""

import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from digitnet.config import TrainConfig
from digitnet.errors import UsageError, nearest
from digitnet.files import expand_home
from digitnet.presets import preset
from digitnet.trials.ranges import Choices, Span, read_ranges, shown

_KINDS = ("grid", "variant", "range")
_KEYS = ("title", "preset", "base", "grid", "variant", "seeds", "compare")
_SAMPLED_KEYS = ("title", "preset", "base", "range", "trials", "seed", "prune")

Fields = Mapping[str, Any]
"""Names of fields of TrainConfig, and their values."""


@dataclass(frozen=True)
class Variant:
    """A configuration under test; its seed is set by each trial."""

    name: str
    fields: Fields  # in which it differs from the other variants
    config: TrainConfig


@dataclass(frozen=True)
class Trial:
    """One variant with one seed: one run."""

    name: str  # path of its run inside the folder ``runs``
    variant: Variant
    seed: int

    @property
    def config(self) -> TrainConfig:
        """The variant's configuration with this seed."""
        return self.variant.config.replace(seed=self.seed)


@dataclass(frozen=True)
class Plan:
    """The content of a plan file. Plans are equal if they have the same trials, or sample from the same ranges."""

    start: TrainConfig  # the preset with the fields of [base]
    seeds: tuple[int, ...]  # a single one if variants are sampled
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # the values of each varied field
    listed: Mapping[str, Fields] = field(default_factory=dict)  # the fields of each named variant
    ranges: Mapping[str, Span | Choices] = field(default_factory=dict)  # of each sampled field
    prune: bool = False
    samples: int = field(default=0, compare=False)  # number of sampled variants
    compare: tuple[tuple[str, str], ...] | None = field(default=None, compare=False)
    title: str = field(default="", compare=False)
    table: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)  # the file's preset and base
    text: str = field(default="", compare=False, repr=False)  # the file
    where: str = field(default="plan", compare=False)  # its path

    @property
    def trial_count(self) -> int:
        """Number of trials, computed without making them: a grid may have millions."""
        return self.samples or len(self.seeds) * (len(self.listed) or math.prod(map(len, self.grid.values())))

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every variant, in the plan's order; only the start if variants are sampled."""
        if self.ranges:
            return (Variant("start", {}, self.start),)
        named = self.listed or {_name(fields): fields for fields in _combinations(self.grid)}
        return tuple(Variant(name, fields, configure(self.start, fields, name)) for name, fields in named.items())

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names of the variants to compare: those of the plan, or else each variant with the first."""
        first, *others = (variant.name for variant in self.variants)
        return tuple((other, first) for other in others) if self.compare is None else self.compare

    def trials(self) -> Iterator[Trial]:
        """Yield every trial: all variants with one seed, then with the next, so that means compare early."""
        return (self.trial(variant, seed) for seed in self.seeds for variant in self.variants)

    def trial(self, variant: Variant, seed: int) -> Trial:
        """Make the trial of a variant with a seed; its name is safe for any file system."""
        return Trial(f"{_folder_name(variant.name)}/seed-{seed}", variant, seed)

    def sample(self, name: str, fields: Fields) -> Trial:
        """Make the trial of sampled fields."""
        return Trial(name, Variant(name, fields, self.start.with_values(fields, "[range]")), self.seeds[0])

    @property
    def start_fields(self) -> Fields:
        """The start's values of the sampled fields, as in TOML; they may lie outside the ranges."""
        values = {name: self.start.value(name) for name in self.ranges}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def is_start(self, fields: Fields | None) -> bool:
        """Tell whether sampled fields have the values of the start."""
        return self.start.with_values(fields or {}, "[range]") == self.start

    @classmethod
    def from_file(cls, path: Path | str) -> "Plan":
        """Read a plan file; raise UsageError that begins with its path."""
        return cls.from_toml(read_plan_file(expand_home(path)), str(path))

    @classmethod
    def from_toml(cls, text: str, where: str = "plan") -> "Plan":
        """Read and check a plan; raise UsageError that begins with `where`."""
        try:
            values = tomllib.loads(text)
            kinds = [kind for kind in _KINDS if values.get(kind, {}) not in ({}, [])]
            keys = _SAMPLED_KEYS if "range" in values else _KEYS
            if len(kinds) > 1:
                raise UsageError(
                    f"expected a [grid], [[variant]]s or a [range], found {_listed(kinds)}. Keep one."
                )
            if unknown := [key for key in values if key not in keys]:
                raise UsageError(f"there is no key {unknown[0]!r} in such a plan. {nearest(unknown[0], keys)}")
            if not kinds:
                raise UsageError("expected a [grid], [[variant]]s or a [range], found none. Write one of them.")
            start = configure(preset(_preset_name(values)), values.get("base", {}), "[base]")
            title = str(values.get("title", ""))
            plan = cls(start, (0,), title=title, table=values, text=text, where=where)
            if "range" in values:
                return _read_sampled(plan)
            listed = replace(
                plan,
                seeds=_read_seeds(values.get("seeds", 5)),
                grid=_read_grid(values.get("grid", {}), start),
                listed=_read_variants(values.get("variant", []), start),
            )
            return replace(listed, compare=_read_pairs(values["compare"], listed) if "compare" in values else None)
        except (ValueError, UsageError) as error:
            raise UsageError(f"{where}: {error}") from error


def read_plan_file(path: Path) -> str:
    """Read a file's text; raise UsageError if it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise UsageError(f"{path}: expected a plan file, found none to read ({reason}).") from error


def _preset_name(values: Mapping[str, Any]) -> str:
    return str(values.get("preset", "fast"))


def _read_sampled(plan: Plan) -> Plan:
    """Read the seed, the ranges and the number of samples of a plan with ranges."""
    values = plan.table
    seed, prune, trials = values.get("seed", 0), values.get("prune", True), values.get("trials", 40)
    plan.start.with_values({"seed": seed}, "seed")
    if type(prune) is not bool:
        raise UsageError(f"prune: expected true or false, found {prune!r}. Correct it.")
    if type(trials) is not int or trials < 1:
        raise UsageError(f"trials: expected a whole number of at least 1, found {trials!r}. Correct it.")
    ranges = read_ranges(values["range"], plan.start)
    plan = replace(plan, seeds=(seed,), ranges=ranges, prune=prune, samples=trials)
    _check_pruning(plan)
    combinations = math.prod(span.count for span in ranges.values())
    if trials > combinations:  # the same combination with the same seed gives the same result
        raise UsageError(
            f"trials: expected at most {combinations:,}, the number of combinations in the ranges, found "
            f"{trials:,}. Lower it, or list the combinations in a [grid]."
        )
    return plan


def _check_pruning(plan: Plan) -> None:
    """Raise UsageError if pruning is on, but nothing is measured before the last step."""
    steps, every = (
        plan.ranges[name].examples if name in plan.ranges else (plan.start.value(name),)
        for name in ("steps", "validate_every")
    )
    if plan.prune and not any(0 < early < last for early, last in itertools.product(every, steps)):
        raise UsageError(
            f"prune: expected validations before the last step, found validate_every = {every[0]} and "
            f"steps = {steps[-1]}. Set a smaller validate_every in [base], or prune = false."
        )


def _listed(kinds: Sequence[str]) -> str:
    return " and ".join(f"[{kind}]" for kind in kinds)


def _combinations(grid: Mapping[str, Sequence[Any]]) -> Iterator[Fields]:
    return (dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()))


def _name(fields: Fields) -> str:
    """Name a combination: ``filters=16-32 kernel_size=5``."""
    return " ".join(f"{name}={shown(value)}" for name, value in fields.items())


def _folder_name(name: str) -> str:
    """Make a variant's name safe for any file system: never hidden, and never a parent folder."""
    return "".join(letter if letter.isalnum() or letter in "-._=" else "-" for letter in name).lstrip(".")


def configure(start: TrainConfig, fields: Any, where: str) -> TrainConfig:
    """Give some fields of `start` other values; raise UsageError that begins with `where`."""
    if not isinstance(fields, dict) or "seed" in fields:
        found = "a seed" if isinstance(fields, dict) else repr(fields)
        raise UsageError(f"{where}: expected fields other than the seed, found {found}. Name seeds at the top.")
    return start.with_values(fields, where)


def _read_grid(grid: Any, start: TrainConfig) -> Mapping[str, Sequence[Any]]:
    for name, values in grid.items() if isinstance(grid, dict) else [("[grid]", None)]:
        if not isinstance(values, list) or not values:
            raise UsageError(f"{name}: expected a list of values to try, found {values!r}. Add values.")
        if len({_folder_name(shown(value)).lower() for value in values}) < len(values):
            raise UsageError(
                f"{name}: expected different values, found two with the same folder name. Remove one."
            )
        for value in values:
            configure(start, {name: value}, "[grid]")
    return dict(grid)


def _read_variants(variants: Any, start: TrainConfig) -> Mapping[str, Fields]:
    named: dict[str, Fields] = {}
    folders: set[str] = set()
    for table in variants if isinstance(variants, list) else [variants]:
        name = table.get("name") if isinstance(table, dict) else None
        folder = _folder_name(name).lower() if isinstance(name, str) else ""  # some file systems ignore case
        if not isinstance(name, str) or not folder or folder in folders:
            raise UsageError(f"[[variant]]: expected a unique name, found {name!r}. Name each variant.")
        folders.add(folder)
        named[name] = {field: value for field, value in table.items() if field != "name"}
        configure(start, named[name], name)
    return named


def _read_seeds(seeds: Any) -> tuple[int, ...]:
    if type(seeds) is int and seeds > 0:
        return tuple(range(seeds))
    listed = isinstance(seeds, list) and all(type(seed) is int and seed >= 0 for seed in seeds)
    if listed and 0 < len(set(seeds)) == len(seeds):
        return tuple(seeds)
    raise UsageError(
        f"seeds: expected a number of seeds, or a list of different whole numbers, found {seeds!r}. Correct it."
    )


def _read_pairs(pairs: Any, plan: Plan) -> tuple[tuple[str, str], ...]:
    names = [variant.name for variant in plan.variants]
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        if not isinstance(pair, list) or len(pair) != 2 or pair[0] == pair[1]:
            raise UsageError(f"compare: expected pairs of two variants, found {pair!r}. Correct it.")
        for name in pair:
            if name not in names:
                raise UsageError(f"compare: there is no variant {name!r}. {nearest(str(name), names)}")
    return tuple((first, second) for first, second in pairs)
