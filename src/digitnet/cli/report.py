"""``digitnet report``."""

from digitnet.cli.options import MovedData, RunFolder
from digitnet.cli.output import print_next_after_run


def report(run: RunFolder, data: MovedData = None) -> None:
    """Write a finished run's figures and its report.html, and print the path of the report.

    For example:
        digitnet report runs/fast-001

    Args:
        run: A folder that `digitnet train` made.
        data: Where the data of the run is now.
    """
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import Run

    reported = Run(run, data)
    print(make_report(reported))
    print_next_after_run(reported)
