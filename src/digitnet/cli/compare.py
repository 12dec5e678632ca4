"""``digitnet compare``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Format


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

    comparison = compare_trials(trials)
    print((trials / "comparison.json").read_text() if format == "json" else comparison.to_text())
