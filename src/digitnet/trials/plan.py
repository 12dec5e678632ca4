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
"""

import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from digitnet.config import TrainConfig
from digitnet.errors import UsageError, nearest
from digitnet.presets import preset

_KEYS = ("title", "preset", "seeds", "compare", "base", "grid", "variant")

Fields = Mapping[str, Any]
"""Names of fields of TrainConfig, and their values."""


@dataclass(frozen=True)
class Variant:
    """A configuration under test; its seed is set by each trial."""

    name: str
    fields: Fields  # what sets it apart
    config: TrainConfig


@dataclass(frozen=True)
class Trial:
    """One variant with one seed: one run."""

    variant: Variant
    seed: int

    @property
    def name(self) -> str:
        """Path of its run below the folder ``runs``: the variant's name, safe for any disk, and the seed."""
        return f"{_folder_name(self.variant.name)}/seed-{self.seed}"

    @property
    def config(self) -> TrainConfig:
        """The variant's configuration with this seed."""
        return self.variant.config.replace(seed=self.seed)


@dataclass(frozen=True)
class Plan:
    """What a plan file says."""

    title: str
    start: TrainConfig  # the preset with the base's fields
    grid: Mapping[str, Sequence[Any]]  # the values of each varied field; empty where variants are listed
    listed: Mapping[str, Fields]  # the fields of each named variant; empty where there is a grid
    seeds: tuple[int, ...]
    compare: tuple[tuple[str, str], ...] | None
    text: str  # the file

    @property
    def trial_count(self) -> int:
        """Number of trials, known without making any of them: a grid may have millions."""
        return len(self.seeds) * (len(self.listed) or math.prod(map(len, self.grid.values())))

    @cached_property
    def variants(self) -> tuple[Variant, ...]:
        """Every variant, in the plan's order."""
        named = self.listed or {_name(fields): fields for fields in _combinations(self.grid)}
        return tuple(Variant(name, fields, configure(self.start, fields, name)) for name, fields in named.items())

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names of the variants to compare: the plan's, or each variant with the first."""
        first, *others = (variant.name for variant in self.variants)
        return tuple((other, first) for other in others) if self.compare is None else self.compare

    def trials(self) -> Iterator[Trial]:
        """Every trial: all variants with one seed, then with the next, so that means can be compared early."""
        return (Trial(variant, seed) for seed in self.seeds for variant in self.variants)

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a plan file; raise UsageError that begins with its path."""
        return cls.from_toml(read_plan_file(path), str(path))

    @classmethod
    def from_toml(cls, text: str, where: str = "plan") -> Self:
        """Read and check a plan; raise UsageError that begins with `where`."""
        try:
            values = tomllib.loads(text)
            if "range" in values:
                raise UsageError(f"this is a search over ranges. Run: digitnet search {where}")
            if unknown := [key for key in values if key not in _KEYS]:
                raise UsageError(f"there is no key {unknown[0]!r} in a plan. {nearest(unknown[0], _KEYS)}")
            start = read_start(values)
            plan = cls(
                title=str(values.get("title", "")),
                start=start,
                grid=_read_grid(values.get("grid", {}), start),
                listed=_read_variants(values.get("variant", []), start),
                seeds=_read_seeds(values.get("seeds", 5)),
                compare=None,
                text=text,
            )
            if bool(plan.grid) == bool(plan.listed):
                found = "both" if plan.grid else "neither"
                raise UsageError(f"expected a [grid] or [[variant]]s, found {found}. Write one of them.")
            return plan if "compare" not in values else replace(plan, compare=_read_pairs(values["compare"], plan))
        except (ValueError, UsageError) as fault:
            raise UsageError(f"{where}: {fault}") from fault


def read_plan_file(path: Path, kind: str = "plan") -> str:
    """Read a file's text; raise UsageError that says which `kind` of file was expected."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise UsageError(f"{path}: expected a {kind} file, found none to read ({reason}).") from fault


def shown(value: Any) -> str:
    """Write a field's value as part of a name: the list ``[16, 32]`` is ``16-32``."""
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _combinations(grid: Mapping[str, Sequence[Any]]) -> Iterator[Fields]:
    return (dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values()))


def _name(fields: Fields) -> str:
    """Name a combination: ``filters=16-32 kernel_size=5``."""
    return " ".join(f"{name}={shown(value)}" for name, value in fields.items())


def _folder_name(name: str) -> str:
    """Make a variant's name safe for any disk; never hidden, and never a step up."""
    return "".join(letter if letter.isalnum() or letter in "-._=" else "-" for letter in name).lstrip(".")


def configure(start: TrainConfig, fields: Any, where: str) -> TrainConfig:
    """Give some fields of `start` other values; raise UsageError that begins with `where`."""
    if not isinstance(fields, dict) or "seed" in fields:
        found = "a seed" if isinstance(fields, dict) else repr(fields)
        raise UsageError(f"{where}: expected fields other than the seed, found {found}. Use: seeds = [...]")
    return start.with_values(fields, where)


def read_start(values: Mapping[str, Any]) -> TrainConfig:
    """Make the configuration that a file's preset and base say; raise UsageError for bad ones."""
    return configure(preset(named_preset(values)), values.get("base", {}), "[base]")


def named_preset(values: Mapping[str, Any]) -> str:
    """Name the preset that a file starts from: `fast` unless it says else."""
    return str(values.get("preset", "fast"))


def _read_grid(grid: Any, start: TrainConfig) -> Mapping[str, Sequence[Any]]:
    for name, values in grid.items() if isinstance(grid, dict) else [("[grid]", None)]:
        if not isinstance(values, list) or not values:
            raise UsageError(f"{name}: expected a list of values to try, found {values!r}. Add values.")
        if len({_folder_name(shown(value)).lower() for value in values}) < len(values):
            raise UsageError(
                f"{name}: expected different values, found two whose folders would be one. Remove one."
            )
        for value in values:
            configure(start, {name: value}, "[grid]")
    return dict(grid)


def _read_variants(variants: Any, start: TrainConfig) -> Mapping[str, Fields]:
    named: dict[str, Fields] = {}
    folders: set[str] = set()
    for table in variants if isinstance(variants, list) else [variants]:
        name = table.get("name") if isinstance(table, dict) else None
        folder = _folder_name(name).lower() if isinstance(name, str) else ""  # some disks take A for a
        if not isinstance(name, str) or not folder or folder in folders:
            raise UsageError(f"[[variant]]: expected a name of its own, found {name!r}. Name each variant.")
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
        f"seeds: expected how many, or a list of different whole numbers, found {seeds!r}. Correct it."
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
