"""``digitnet track``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Tracker


def track(
    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN ...", help_behavior_hint="")], *, to: Tracker
) -> None:
    """Send what runs have measured to TensorBoard or MLflow, unless it is already there.

    For example:
        digitnet track runs/fast-001 --to tensorboard
        digitnet track trials/fast/runs/*/* --to mlflow

    Args:
        runs: Folders of runs.
        to: TensorBoard's event files, in the folder of each run, or MLflow's server or database.
    """
    from digitnet.tracking.track import track

    for run in runs:
        track(run, to)
