"""The flags of `digitnet read`, as plain values; a module of its own, so that --help loads nothing else."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Format = Literal["text", "json", "csv"]


@dataclass(frozen=True)
class ReadOptions:
    """How pictures are read, and what is done with the results."""

    model: Path | None = None
    """A model file that `digitnet export` wrote."""
    format: Format | None = None
    """The digits for people, everything for programs, or a table."""
    single: bool = False
    """Each picture is one digit, whatever it looks like."""
    digits: int | None = None
    """Each picture is a field of exactly N digits: touching ones are cut apart, broken ones joined."""
    page: int = 1
    """Of a document or a TIFF file with several pages, the page N is read."""
    expect: str | None = None
    """A regular expression that the digits of each line match, for example '[01][0-9]{3}'."""
    min_probability: float | None = None
    """The least probability, 0 to 1, of an accepted digit: the higher, the more ? and the fewer mistakes."""
    save_picture: Path | None = None
    """Draw each picture with what was read into this folder."""
    out: Path | None = None
    """Write the results to this CSV file; after an interruption, the same command continues it."""
    quiet: bool = False
    """Show neither progress nor remarks."""
