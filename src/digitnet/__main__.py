"""``python -m digitnet`` is ``digitnet``: the command line, and a shorter way for pictures without any flag."""

import sys
from functools import partial

from digitnet.exits import exit_code


def main() -> int:
    """Run the command that this process was started with, and return its exit code."""
    command, *names = sys.argv[1:] or [""]
    if command == "read" and names and not any(name.startswith("-") and name != "-" for name in names):
        # What reads flags takes half as long to load as a picture takes to read.
        from digitnet.engines.options import EngineOptions
        from digitnet.reading.command import read_all
        from digitnet.reading.many import Settings

        return exit_code(partial(read_all, names, Settings(), EngineOptions()))
    from digitnet.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
