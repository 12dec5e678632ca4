"""Environment variables for processes that are about to start, restored afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# torch reads OMP_NUM_THREADS; MKL and OpenBLAS do so only if their own variable is not set.
_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_variables(threads: int) -> dict[str, str]:
    """Return the variables that limit a process to `threads` threads for computing.

    They must be set before it starts: libraries read them when they are loaded, and a script's own imports run
    before our code.
    """
    return dict.fromkeys(_NAMES, str(threads))


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables within the context."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
