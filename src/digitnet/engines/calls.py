"""What travels between the caller and its workers, as bytes: function and task there, result or fault back.

Both ways are pickled here and not by the engines, so that the same functions and tasks work on all of them: Ray
and Dask would also take a lambda, which a process of this machine can't.
"""

import pickle
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from digitnet.errors import DigitnetError, Interrupted, UsageError


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """A signal asked the worker to end in the middle of a call, which may have saved its state."""


def pack(function: Callable[..., Any], task: object) -> bytes:
    """Make the bytes that `answer` takes; raise whatever the task's own pickling raises."""
    return pickle.dumps((function, task), protocol=pickle.HIGHEST_PROTOCOL)


def check_importable(function: Callable[..., Any]) -> None:
    """Raise UsageError unless a worker can find `function` by its name."""
    try:
        pickle.dumps(function)
    except (
        Exception
    ) as fault:  # PicklingError, AttributeError or TypeError, by kind of function and Python version
        raise UsageError(
            f"{getattr(function, '__qualname__', function)}: expected a function that workers can import by its "
            f"name, found one that can't be pickled ({first_line(fault)}). Define it at the top of a module."
        ) from fault


def answer(call: bytes) -> bytes:
    """Do a call, in a worker, and give its result or a sentence about what was raised.

    It raises Stopped when a signal asked the worker itself to end. That says nothing about the task, so the caller
    counts it as the worker's death.
    """
    try:
        function, task = pickle.loads(call)
    except Exception as fault:
        return pickle.dumps((None, f"A worker can't load the call ({describe(fault)}). {_IMPORTABLE}"))
    try:
        return pickle.dumps((function(task), None), protocol=pickle.HIGHEST_PROTOCOL)
    except (Interrupted, KeyboardInterrupt) as fault:
        raise Stopped(str(fault)) from None
    except (Exception, SystemExit) as fault:
        return pickle.dumps((None, describe(fault)))


def unpack(reply: bytes) -> tuple[Any, str | None]:
    """Read what `answer` gave: the result and None, or None and the fault's sentence."""
    try:
        result, fault = pickle.loads(reply)
    except Exception as fault:  # an object whose own unpickling fails
        return None, f"The result came back, and can't be loaded here ({describe(fault)})."
    return result, fault


def describe(fault: BaseException) -> str:
    """Say what was raised in one line: a DigitnetError's own text, else type, message and place."""
    if isinstance(fault, DigitnetError):
        return str(fault)
    frames = traceback.extract_tb(fault.__traceback__)
    place = f" ({PurePath(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(fault).__name__}: {first_line(fault)}{place}"


def first_line(fault: BaseException) -> str:
    """Take the first line of a message; torch and Ray put pages below theirs."""
    return next((line.strip() for line in str(fault).splitlines() if line.strip()), "no message")


_IMPORTABLE = "Put the function in a module that the workers can import, in the same version."
