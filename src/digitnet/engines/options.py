"""The choice of an engine, as plain values."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EngineOptions:
    """What does the work of a command that works in parallel. None: one worker for each core of this machine."""

    engine: Literal["processes", "ray", "dask"] = "processes"
    """Processes of this machine, Ray, or Dask."""
    jobs: int | None = None
    """Number of workers at once."""
    address: str | None = None
    """Address of a running Ray or Dask cluster."""
