"""``digitnet compare``."""

from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from digitnet.cli.options import MovedData
from digitnet.cli.output import print_next


def compare(
    trials: Annotated[Positional[Path], arg(metavar="TRIALS")],
    data: MovedData = None,
    format: Literal["text", "json", "csv"] = "text",
) -> None:
    """Compare the variants of finished trials, with intervals and in plain sentences.

    Writes comparison.html, comparison.json and figures into the folder.

    For example:
        digitnet compare trials/blog-claims
        digitnet compare trials/blog-claims --format csv > seeds.csv

    Args:
        trials: A folder that `digitnet trials` made.
        data: Where the data of the runs is now.
        format: text for people, json for programs, csv for a table with a row for each seed.
    """
    from digitnet.comparing.report import PAGE
    from digitnet.comparing.report import compare as compare_trials
    from digitnet.trials.run import open_folder

    folder = open_folder(trials)
    comparison = compare_trials(folder, data)
    if format == "json":
        print((trials / "comparison.json").read_text(encoding="utf-8"), end="")
    elif format == "csv":
        print(comparison.to_csv(), end="")
    else:
        print(comparison.to_text())
        print(f"Report: {trials / PAGE}")
        run = next(run for runs in folder.finished_runs().values() for run in runs)
        print_next("see the mistakes of one run", "report", run.path)
