"""The flags of `digitnet read`, as plain values; a module of its own, so that --help loads nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Format = Literal["text", "json", "csv"]


@dataclass(frozen=True)
class ReadOptions:
    """How pictures are read, and what becomes of the results."""

    model: Path | None = None
    """A model file that `digitnet export` wrote, in place of digitnet's own."""
    format: Format | None = None
    """Digits for people, everything for programs, or a table. Text is the default; with --out, csv."""
    single: bool = False
    """Each picture is one digit, whatever it looks like."""
    digits: int | None = None
    """Each picture is one field of exactly so many digits: touching ones are cut apart, broken ones joined."""
    expect: str | None = None
    """A regular expression that the digits of each line match, '[01][0-9]{3}' for example."""
    save_picture: Path | None = None
    """Draw what was read, and where, into this folder."""
    out: Path | None = None
    """Write the results to this CSV file; after an interruption, the same command continues it."""
    quiet: bool = False
    """Show no progress."""
