"""Flags that were renamed: the old name works for one version more, with a warning."""

import sys
from collections.abc import Iterable

from digitnet.exits import is_follower

RENAMED = {
    "train": {"--prepare": "--preprocessing", "--views": "--tta", "--not-digits": "--outliers"},
    "read": {"--fields": "--digits"},
}
"""For each command, the new name of every old flag."""


def rename_flags(command: str, arguments: Iterable[str]) -> list[str]:
    """Replace the old flags of a command, ``--old`` and ``--old=value``, and warn about each on standard error."""
    renamed = []
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        new = RENAMED.get(command, {}).get(flag.replace("_", "-"))
        if new and not is_follower():
            sys.stderr.write(f"digitnet: {flag} is called {new} now; the next version will not know {flag}.\n")
        renamed.append(f"{new}{equals}{value}" if new else argument)
    return renamed
