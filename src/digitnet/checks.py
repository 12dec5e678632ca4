"""Checks of dataclasses whose fields are options; each raises UsageError that names the option."""

import types
import typing
from collections.abc import Callable
from typing import Any, Literal

from digitnet.errors import UsageError, guess
from digitnet.wording import option, see_options


def check(group: object, expected: str, allows: Callable[[Any], bool], *names: str) -> None:
    """Raise UsageError that names the first field whose value is not allowed."""
    for name in names:
        if not allows(value := getattr(group, name)):
            raise UsageError.mismatch(option(name), expected=expected, found=value, remedy=see_options())


def check_least(group: object, least: int, *names: str) -> None:
    """Raise UsageError that names the first field below `least`."""
    check(group, f"a whole number of at least {least:,}", lambda value: value >= least, *names)


def check_kind(name: str, value: object, kind: Any, expected: str, example: str) -> None:
    """Raise UsageError unless an argument is of a type, or of one of a union."""
    if not isinstance(value, kind):
        found = type(value).__name__
        raise UsageError.mismatch(name, expected=expected, found=found, remedy=f"For example: {example}")


def check_types(group: object) -> None:
    """Check values from TOML and Python against the annotations; the command line parses its own.

    A list where a tuple is meant becomes one, and a scalar of numpy a plain number.
    """
    for name, kind in typing.get_type_hints(type(group)).items():
        value = getattr(group, name)
        if hasattr(value, "dtype") and value.ndim == 0:  # numpy's, as grid searches give them
            value = value.item()
            object.__setattr__(group, name, value)
        if isinstance(value, list) and _expected_type(tuple(value), kind) is None:
            value = tuple(value)
            object.__setattr__(group, name, value)  # the group is frozen, and not yet in use
        if (expected := _expected_type(value, kind)) is not None:
            choices = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
            remedy = guess(str(value), choices) + see_options()
            raise UsageError.mismatch(option(name), expected=expected, found=repr(value), remedy=remedy)


def _expected_type(value: object, kind: Any) -> str | None:
    """Describe the values of this type, unless `value` is one."""
    if typing.get_origin(kind) is Literal:
        return None if value in typing.get_args(kind) else "one of " + ", ".join(typing.get_args(kind))
    if isinstance(kind, types.GenericAlias):  # tuple[int, ...]
        fits = isinstance(value, tuple) and all(type(item) is int for item in value)
        return None if fits else "a list of whole numbers"
    if type(value) is not kind and not (kind is float and type(value) is int):
        words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
        return words.get(kind, f"a {kind.__name__}")
    if isinstance(value, str) and value.encode(errors="ignore").decode() != value:
        return "text that UTF-8 can hold"
    return None
