"""``digitnet export``."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

from digitnet.cli.options import MovedData, RunFolder
from digitnet.cli.output import print_message, print_next


def export(
    run: RunFolder,
    data: MovedData = None,
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: RUN/model.onnx)")] = None,
) -> None:
    """Write a finished run as one model file that any ONNX runtime reads, and print where.

    The file holds the preprocessing, calibration and thresholds too.

    For example:
        digitnet export runs/fast-001
        digitnet read photo.jpg --model runs/fast-001/model.onnx

    Args:
        run: A folder that `digitnet train` made.
        data: Where the data of the run is now.
        out: The file to write.
    """
    from digitnet.data.raw import DIGITS
    from digitnet.exporting.export import export
    from digitnet.run_folder import Run

    trained = Run(run, data)
    print_message("Calibrating on the validation images, and writing the model: about ten seconds.")
    file = export(trained, out)
    print(file)
    if trained.environment["label_names"] == list(DIGITS):
        print_next("read your own handwriting with it", "read", "photo.jpg", "--model", file)
    else:
        print_next("see how well it does", "evaluate", run)
