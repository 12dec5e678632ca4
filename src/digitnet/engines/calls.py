"""What the caller and its workers send each other, as bytes: function and task, then result or error.

Both are pickled here and not by the engines, so that the same functions and tasks work on all of them: Ray and
Dask would also accept a lambda, which a process of this machine can't.
"""

import pickle
import traceback
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from digitnet.errors import DigitnetError, Interrupted, UsageError


class Stopped(Exception):  # noqa: N818 - not an error
    """A signal asked the worker to end during a call, which may have saved its state."""


def pack(function: Callable[..., Any], task: object) -> bytes:
    """Pickle a call for `answer`; raise whatever pickling the task raises."""
    return pickle.dumps((function, task), protocol=pickle.HIGHEST_PROTOCOL)


def check_importable(function: Callable[..., Any]) -> None:
    """Raise UsageError unless a worker can import `function` by its name."""
    try:
        pickle.dumps(function)
    except Exception as error:  # PicklingError, AttributeError or TypeError, depending on function and Python
        raise UsageError(
            f"{getattr(function, '__qualname__', function)}: expected a function that workers can import by its "
            f"name, found one that can't be pickled ({first_line(error)}). Define it at the top of a module."
        ) from error


def answer(call: bytes) -> bytes:
    """Do a call in a worker, and return its result, or a sentence about its exception, as bytes.

    Raises Stopped when a signal asked the worker itself to end. That says nothing about the task, so the caller
    counts it as the worker's death.
    """
    try:
        function, task = pickle.loads(call)
    except Exception as error:
        return pickle.dumps((None, f"A worker can't load the call ({describe(error)}). {_IMPORTABLE}"))
    try:
        return pickle.dumps((function(task), None), protocol=pickle.HIGHEST_PROTOCOL)
    except (Interrupted, KeyboardInterrupt) as error:
        raise Stopped(str(error)) from None
    except (Exception, SystemExit) as error:
        return pickle.dumps((None, describe(error)))


def unpack(reply: bytes) -> tuple[Any, str | None]:
    """Read what `answer` returned: the result and None, or None and the error's sentence."""
    try:
        result, error = pickle.loads(reply)
    except Exception as error:  # an object whose own unpickling fails
        return None, f"The worker's result can't be loaded here ({describe(error)})."
    return result, error


def describe(error: BaseException) -> str:
    """Describe an exception in one line: a DigitnetError's own text, or else type, message and place."""
    if isinstance(error, DigitnetError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({PurePath(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {first_line(error)}{place}"


def first_line(error: BaseException) -> str:
    """Return the first line of a message; those of torch and Ray are pages long."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no message")


_IMPORTABLE = "Put the function in a module that the workers can import, in the same version."
