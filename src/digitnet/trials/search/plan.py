"""A search: which fields of a configuration are varied, in which ranges, and how many trials that may take.

    title = "A better learning rate and width"
    preset = "blog"
    trials = 40
    seed = 0                                   # of Optuna's choices, and of every run
    prune = true                               # end a trial early that is worse than most were at that step

    [base]                                     # fields that all trials share
    steps = 1000

    [range]
    learning_rate = { low = 1e-4, high = 1e-2, log = true }
    hidden = { low = 0, high = 256, step = 64 }
    filters = { choices = [[8, 16], [16, 32]] }

A field that is a number may have a low, a high, a step and a log(arithmic scale); any field may have choices.
"""

import itertools
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from digitnet.config import FIELDS, TrainConfig, hint
from digitnet.errors import UsageError, nearest
from digitnet.trials.plan import Fields, Plan, configure, named_preset, read_plan_file, read_start, shown

_KEYS = ("title", "preset", "trials", "seed", "prune", "base", "range")
_RANGE_KEYS = ("low", "high", "step", "log", "choices")
_EXAMPLE = "learning_rate = { low = 1e-4, high = 1e-2, log = true }"
_LARGEST = 2**53  # beyond it, Optuna's floats skip whole numbers

DEFAULT_TRIALS = 40

Params = dict[str, Any]
"""A point of the ranges in Optuna's own values: numbers, and texts that stand for choices."""


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both included: whole ones where both are."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def examples(self) -> tuple[float, ...]:
        """Both ends; of whole numbers also the one after the first, for a field may take only odd ones."""
        second = (self.low + (self.step or 1),) if isinstance(self.low, int) else ()
        return (self.low, *second, self.high)

    @property
    def count(self) -> float:
        """Number of values, which may be infinite."""
        step = self.step or (1 if isinstance(self.low, int) else 0)
        return round((self.high - self.low) / step) + 1 if step else math.inf

    @property
    def distribution(self) -> BaseDistribution:
        """The same for Optuna."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return IntDistribution(self.low, self.high, step=int(self.step or 1), log=self.log)
        return FloatDistribution(self.low, self.high, step=self.step, log=self.log)

    def to_param(self, value: Any) -> Any:
        """Turn a field's value into Optuna's."""
        return value

    def to_value(self, param: Any) -> Any:
        """Turn Optuna's value into the field's."""
        return param


@dataclass(frozen=True)
class Choices:
    """Values without an order."""

    examples: tuple[Any, ...]

    @property
    def count(self) -> float:
        """Number of values."""
        return len(self.examples)

    @property
    def distribution(self) -> BaseDistribution:
        """Texts that stand for the values: Optuna takes no lists."""
        return CategoricalDistribution([shown(value) for value in self.examples])

    def to_param(self, value: Any) -> str:
        """Write a field's value as Optuna's text."""
        return shown(value)

    def to_value(self, param: Any) -> Any:
        """Find the value that a text stands for."""
        return next(value for value in self.examples if shown(value) == param)


@dataclass(frozen=True)
class Search:
    """What a search file says; two that differ in title and number of trials alone are the same search."""

    start: TrainConfig  # the preset with the base's fields and the seed
    preset: str
    base: Fields
    ranges: Mapping[str, Span | Choices]
    prune: bool
    trials: int = field(compare=False)
    title: str = field(compare=False)
    text: str = field(compare=False, repr=False)  # the file

    @cached_property
    def distributions(self) -> dict[str, BaseDistribution]:
        """The ranges for Optuna."""
        return {name: span.distribution for name, span in self.ranges.items()}

    @property
    def start_params(self) -> Params:
        """The start as a point, which may lie outside of the ranges."""
        return {name: span.to_param(self.start.value(name)) for name, span in self.ranges.items()}

    def fields(self, params: Params) -> Fields:
        """Name the fields of a point, and their values."""
        return {name: span.to_value(params[name]) for name, span in self.ranges.items()}

    def configure(self, params: Params) -> TrainConfig:
        """Make the configuration of a point."""
        return self.start.with_values(self.fields(params), "[range]")

    def examples(self) -> Iterator[TrainConfig]:
        """The start, and with each end of a range and with each choice."""
        yield self.start
        for name, span in self.ranges.items():
            for value in span.examples:
                yield configure(self.start, {name: value}, "[range]")

    @property
    def start_plan(self) -> Plan:
        """A plan of the start alone, to measure what it costs."""
        return Plan("", self.start, {}, {"start": {}}, (self.start.seed,), None, "")

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a search file; raise UsageError that begins with its path."""
        return cls.from_toml(read_plan_file(path, "search"), str(path))

    @classmethod
    def from_toml(cls, text: str, where: str = "search") -> Self:
        """Read and check a search; raise UsageError that begins with `where`."""
        try:
            values = tomllib.loads(text)
            if values.keys() & {"grid", "variant"}:
                raise UsageError(f"this is a plan of listed variants. Run: digitnet trials {where}")
            if unknown := [key for key in values if key not in _KEYS]:
                raise UsageError(f"there is no key {unknown[0]!r} in a search. {nearest(unknown[0], _KEYS)}")
            start = _read_start(values)
            search = cls(
                start=start,
                preset=named_preset(values),
                base=values.get("base", {}),
                ranges=_read_ranges(values.get("range", {}), start),
                prune=_read_prune(values.get("prune", True)),
                trials=_read_trials(values.get("trials", DEFAULT_TRIALS)),
                title=str(values.get("title", "")),
                text=text,
            )
            _check_pruning(search)
            _check_trials(search)
            return search
        except (ValueError, UsageError) as fault:
            raise UsageError(f"{where}: {fault}") from fault


def _read_prune(prune: Any) -> bool:
    if type(prune) is not bool:
        raise UsageError(f"prune: expected true or false, found {prune!r}. Correct it.")
    return prune


def _read_trials(trials: Any) -> int:
    if type(trials) is not int or trials < 1:
        raise UsageError(f"trials: expected a whole number of at least 1, found {trials!r}. Correct it.")
    return trials


def _read_start(values: Mapping[str, Any]) -> TrainConfig:
    base = values.get("base", {})
    if isinstance(base, dict) and "seed" in base:
        raise UsageError("[base]: expected fields other than the seed, found a seed. Write it above: seed = 0")
    return read_start(values).with_values({"seed": values.get("seed", 0)}, "seed")


def _check_pruning(search: Search) -> None:
    """Raise UsageError where pruning is wanted, and nothing is measured before the last step."""
    steps, every = (
        search.ranges[name].examples if name in search.ranges else (search.start.value(name),)
        for name in ("steps", "validate_every")
    )
    if search.prune and not any(0 < early < last for early, last in itertools.product(every, steps)):
        raise UsageError(
            f"prune: expected validations before the last step to judge by, found validate_every = {every[0]} and "
            f"steps = {steps[-1]}. Set a smaller validate_every in [base], or prune = false."
        )


def _check_trials(search: Search) -> None:
    """Raise UsageError for more trials than combinations: the same one, with the same seed, ends the same."""
    combinations = math.prod(span.count for span in search.ranges.values())
    if search.trials > combinations:
        raise UsageError(
            f"trials: expected at most {combinations:,}, as the ranges hold no more combinations, found "
            f"{search.trials:,}. Lower it, or list the combinations in the [grid] of a plan."
        )


def _read_ranges(ranges: Any, start: TrainConfig) -> Mapping[str, Span | Choices]:
    if not isinstance(ranges, dict) or not ranges:
        found = repr(ranges) if ranges else "none"
        raise UsageError(f"expected a [range] of fields to search, found {found}. Add one, such as: {_EXAMPLE}")
    return {name: _read_range(name, table, start) for name, table in ranges.items()}


def _read_range(name: str, table: Any, start: TrainConfig) -> Span | Choices:
    if name not in FIELDS:
        configure(start, {name: None}, "[range]")  # which knows the nearest name
    if name in _FIXED:
        raise UsageError(f"[range]: expected fields that one search may choose, found {name}. {_FIXED[name]}")
    if not isinstance(table, dict):
        raise _refusal(name, "{ low = ..., high = ... } or { choices = [...] }", repr(table), "Write it so")
    if unknown := [key for key in table if key not in _RANGE_KEYS]:
        raise UsageError(f"{name}: there is no key {unknown[0]!r} in a range. {nearest(unknown[0], _RANGE_KEYS)}")
    read = _read_choices(name, table) if "choices" in table else _read_span(name, table, hint(name))
    for value in read.examples:
        configure(start, {name: value}, "[range]")
    return read


def _read_choices(name: str, table: Mapping[str, Any]) -> Choices:
    values = table["choices"]
    if len(table) > 1:
        raise _refusal(name, "choices alone, or low and high", ", ".join(table), "Keep one of them")
    if not isinstance(values, list) or len(values) < 2 or len({shown(value) for value in values}) < len(values):
        remedy = "Add values; a single one belongs into [base]"
        raise _refusal(name, "a list of two or more different choices", repr(values), remedy)
    return Choices(tuple(values))


def _read_span(name: str, table: Mapping[str, Any], kind: Any) -> Span:
    found = ", ".join(f"{key} = {value!r}" for key, value in table.items()) or "an empty range"
    if kind not in (int, float):
        raise _refusal(name, "{ choices = [...] }, as this field is no number", found, "List the choices")
    if not {"low", "high"} <= table.keys():
        raise _refusal(name, "low and high, or choices", found, "Write both ends")
    numbers = [table[key] for key in ("low", "high", "step") if key in table]
    if type(table.get("log", False)) is not bool:
        raise _refusal(name, "log = true or log = false", found, "Correct it")
    if kind is int and not all(type(number) is int for number in numbers):
        raise _refusal(name, "whole numbers", found, "Correct them")
    if not all(type(number) in (int, float) and abs(number) <= _LARGEST for number in numbers):
        raise _refusal(name, "numbers of at most 2 to the power of 53", found, "Correct them")
    low, high, *step = map(kind, numbers)
    span = Span(low, high, step[0] if step else None, table.get("log", False))
    _check_span(name, span)
    return span


def _check_span(name: str, span: Span) -> None:
    low, high, step = span.low, span.high, span.step
    if not low < high:
        remedy = "Turn them round; a single value belongs into [base]"
        raise _refusal(name, "a low below its high", f"low = {low}, high = {high}", remedy)
    if span.log and low <= 0:
        raise _refusal(name, "a low above 0 where log = true", f"low = {low}", "Raise it, or leave log out")
    if step is None:
        return
    if span.log:
        raise _refusal(name, "a step or log = true", "both", "Leave one out")
    if step <= 0:
        raise _refusal(name, "a step above 0", f"step = {step}", "Correct it")
    steps = (Decimal(str(high)) - Decimal(str(low))) / Decimal(str(step))
    if steps % 1:
        remedy = f"The last one that is reached is {low + int(steps) * step:g}"
        raise _refusal(name, "a high that the steps reach", f"low = {low}, high = {high}, step = {step}", remedy)


def _refusal(name: str, expected: str, found: str, remedy: str) -> UsageError:
    return UsageError.mismatch(f"[range] {name}", expected=expected, found=found, remedy=f"{remedy}.")


# Accuracies that were measured on other images, or that differ by luck alone, are no grounds for a choice.
_FIXED = {
    "seed": "The best of many seeds is luck; write one above: seed = 0",
    "data": "Accuracies on different data can't be compared; set it in [base].",
    "validation_images": "Accuracies on different images can't be compared; set it in [base].",
}
