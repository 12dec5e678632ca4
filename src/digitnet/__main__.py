"""``python -m digitnet`` is ``digitnet``: the command line, and a shortcut for pictures without any flag."""

import sys
from functools import partial

from digitnet.exits import exit_code


def main() -> int:
    """Run the command that this process was started with, and return its exit code."""
    command, *names = sys.argv[1:] or [""]
    if command == "read" and names and not any(name.startswith("-") and name != "-" for name in names):
        from digitnet.reading.command import read_all  # loading what parses flags takes half as long as reading

        return exit_code(partial(read_all, names))
    from digitnet.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
