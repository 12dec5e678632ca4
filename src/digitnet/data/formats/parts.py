"""Which files or folders hold the training, the validation and the test part, by their names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from digitnet.data.raw import Part, find_part
from digitnet.errors import DataError


def find_parts(entries: Iterable[Path], pattern: re.Pattern[str]) -> dict[Part, list[Path]]:
    """Find the entries of each part, in the order of their names; `pattern` has a group ``part``."""
    found: dict[Part, list[Path]] = {}
    for entry in sorted(entries):
        match = pattern.fullmatch(entry.name)
        if match and (part := find_part(match["part"])):
            found.setdefault(part, []).append(entry)
    return found


def take_one(found: Mapping[Part, Sequence[Path]], where: Path, kind: str) -> dict[Part, Path]:
    """Return the only entry of each part; raise DataError where a part has several of the `kind`."""
    for part, entries in found.items():
        if len(entries) > 1:
            raise DataError.mismatch(
                where,
                expected=f"one {kind} of the {part} part",
                found=" and ".join(entry.name for entry in entries),
                remedy="Name the one that you want, or move the others.",
            )
    return {part: entries[0] for part, entries in found.items()}
