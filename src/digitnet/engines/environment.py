"""Environment variables for processes that are about to start; afterwards they are as they were."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

# OMP_NUM_THREADS is what torch goes by; MKL and OpenBLAS only where they have no variable of their own.
_NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def thread_variables(threads: int) -> dict[str, str]:
    """Name the variables that limit a process to `threads` threads for computing.

    They must be set before it starts: libraries read them when they are loaded, and a script's own imports come
    before any line of ours.
    """
    return dict.fromkeys(_NAMES, str(threads))


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables while the context is open."""
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
