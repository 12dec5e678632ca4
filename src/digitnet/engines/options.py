"""The choice of an engine, as plain values."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EngineOptions:
    """The flags of every command that works in parallel."""

    engine: Literal["processes", "ray", "dask"] = "processes"
    """What does the work: processes of this machine, Ray, or Dask."""
    jobs: int | None = None
    """Workers at once; by default one for each core."""
    address: str | None = None
    """Address of a running Ray or Dask cluster; by default this machine is used."""
