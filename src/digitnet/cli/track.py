"""``digitnet track``."""

import os
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Tracker
from digitnet.cli.output import print_message
from digitnet.errors import UsageError
from digitnet.wording import command


def track(
    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN ...", help_behavior_hint="")], *, to: Tracker
) -> None:
    """Send what runs have measured to TensorBoard or MLflow, where each step is shown once however often.

    For example:
        digitnet track runs/fast-001 --to tensorboard
        digitnet track trials/fast/runs/*/* --to mlflow

    Args:
        runs: Folders of runs.
        to: TensorBoard's event files, in the folder of each run, or MLflow's server or database.
    """
    from digitnet.tracking.track import track

    if not runs:
        example = command("track", "runs/fast-001", "--to", to)
        raise UsageError.mismatch(
            "RUN", expected="folders of runs", found="none", remedy=f"For example: {example}"
        )
    for run in runs:
        track(run, to)
        print(f"{run}: in {to}")
    if to == "tensorboard":
        folder = os.path.commonpath([run.resolve().parent for run in runs])
        print_message(f"Next, see the curves: tensorboard --logdir {os.path.relpath(folder)}")
    else:
        print_message("Next, see the curves on MLflow's page: docs/tracking.md says how to start it.")
