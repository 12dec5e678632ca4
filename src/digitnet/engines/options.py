"""Which engine runs a command's work, as plain values."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class EngineOptions:
    """The flags of every command that works in parallel."""

    engine: Literal["processes", "ray", "dask"] = "processes"
    """What does the work: processes of this machine, Ray, or Dask."""
    jobs: int | None = None
    """Workers at once; by default one a core."""
    address: str | None = None
    """A Ray or Dask cluster that runs already; by default this machine."""
