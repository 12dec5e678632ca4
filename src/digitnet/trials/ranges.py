"""The ranges from which a plan's variants are sampled.

    [range]
    learning_rate = { low = 1e-4, high = 1e-2, log = true }
    hidden = { low = 0, high = 256, step = 64 }
    filters = { choices = [[8, 16], [16, 32]] }

A field that is a number may have a low, a high, a step and a log(arithmic scale); any field may have choices.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from digitnet.config import FIELDS, TrainConfig, hint
from digitnet.errors import UsageError, nearest

_KEYS = ("low", "high", "step", "log", "choices")
_EXAMPLE = "learning_rate = { low = 1e-4, high = 1e-2, log = true }"
_LARGEST = 2**53  # beyond it, Optuna's floats skip whole numbers

# Fields that must not be chosen by accuracy: the images would differ, or the difference be chance.
_FIXED = {
    "seed": "The best of many seeds is luck. Write one seed at the top: seed = 0",
    "data": "Accuracies on different data can't be compared; set it in [base].",
    "validation_images": "Accuracies on different images can't be compared; set it in [base].",
}


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both included; whole numbers if both are."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def examples(self) -> tuple[float, ...]:
        """Both ends; for whole numbers also the second, because a field may allow only odd ones."""
        second = (self.low + (self.step or 1),) if isinstance(self.low, int) else ()
        return (self.low, *second, self.high)

    @property
    def count(self) -> float:
        """Number of values, which may be infinite."""
        step = self.step or (1 if isinstance(self.low, int) else 0)
        return round((self.high - self.low) / step) + 1 if step else math.inf


@dataclass(frozen=True)
class Choices:
    """Values without an order."""

    examples: tuple[Any, ...]

    @property
    def count(self) -> float:
        """Number of values."""
        return len(self.examples)


def shown(value: Any) -> str:
    """Write a field's value as part of a name: the list ``[16, 32]`` is ``16-32``."""
    return "-".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def read_ranges(ranges: Any, start: TrainConfig) -> Mapping[str, Span | Choices]:
    """Check the table [range] of a plan that begins with `start`; raise UsageError."""
    if not isinstance(ranges, dict) or not ranges:
        raise UsageError(f"expected a [range] of fields, found {ranges!r}. Add one, such as: {_EXAMPLE}")
    return {name: _read_range(name, table, start) for name, table in ranges.items()}


def _read_range(name: str, table: Any, start: TrainConfig) -> Span | Choices:
    if name not in FIELDS:
        start.with_values({name: None}, "[range]")  # its error names the nearest field
    if name in _FIXED:
        raise UsageError(f"[range]: expected fields that may be chosen by accuracy, found {name}. {_FIXED[name]}")
    if not isinstance(table, dict):
        raise _refusal(name, "{ low = ..., high = ... } or { choices = [...] }", repr(table), "Write it so")
    if unknown := [key for key in table if key not in _KEYS]:
        raise UsageError(f"{name}: there is no key {unknown[0]!r} in a range. {nearest(unknown[0], _KEYS)}")
    read = _read_choices(name, table) if "choices" in table else _read_span(name, table, hint(name))
    for value in read.examples:
        start.with_values({name: value}, "[range]")
    return read


def _read_choices(name: str, table: Mapping[str, Any]) -> Choices:
    values = table["choices"]
    if len(table) > 1:
        raise _refusal(name, "choices alone, or low and high", ", ".join(table), "Keep one of them")
    if not isinstance(values, list) or len(values) < 2 or len({shown(value) for value in values}) < len(values):
        remedy = "Add values; a single one belongs in [base]"
        raise _refusal(name, "a list of two or more different choices", repr(values), remedy)
    return Choices(tuple(values))


def _read_span(name: str, table: Mapping[str, Any], kind: Any) -> Span:
    found = ", ".join(f"{key} = {value!r}" for key, value in table.items()) or "an empty range"
    if kind not in (int, float):
        raise _refusal(name, "{ choices = [...] }, as this field is not a number", found, "List the choices")
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
        remedy = "Swap them; a single value belongs in [base]"
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
