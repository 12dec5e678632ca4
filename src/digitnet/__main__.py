"""``python -m digitnet`` is ``digitnet``: the command line, and a shortcut for pictures without any flag."""

import sys
from collections.abc import Sequence
from functools import partial

from digitnet.exits import exit_code, open_outputs


def main() -> int:
    """Run the command that this process was started with, and return its exit code."""
    open_outputs()
    command, *names = sys.argv[1:] or [""]
    if command == "read" and names and not any(name.startswith("-") and name != "-" for name in names):
        return exit_code(partial(_read, names))
    from digitnet.cli.main import main

    return main()


def _read(names: Sequence[str]) -> None:
    """Do what `digitnet read` does without flags; loading what parses them takes half as long as reading."""
    from digitnet.cli.output import print_next_after_reading
    from digitnet.reading.command import read_all

    read_all(names)
    print_next_after_reading(names)


if __name__ == "__main__":
    sys.exit(main())
