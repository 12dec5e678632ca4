"""``digitnet compare``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Format
from digitnet.cli.output import print_next


def compare(trials: Annotated[Positional[Path], arg(metavar="TRIALS")], format: Format = "text") -> None:
    """Compare the variants of finished trials, with intervals and in plain sentences.

    Writes comparison.json, comparison.md and figures into the folder.

    For example:
        digitnet compare trials/blog-claims

    Args:
        trials: A folder that `digitnet trials` made.
        format: text for people, json for programs.
    """
    from digitnet.trials.report import compare as compare_trials
    from digitnet.trials.run import open_folder

    folder = open_folder(trials)
    comparison = compare_trials(folder)
    if format == "json":
        print((trials / "comparison.json").read_text())
        return
    print(comparison.to_text())
    run = next(run for runs in folder.finished_runs().values() for run in runs)
    print_next("see the mistakes of one run", "report", run.path)
