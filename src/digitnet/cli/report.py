"""``digitnet report``."""

from digitnet.cli.options import RunFolder
from digitnet.cli.output import print_next_after_run


def report(run: RunFolder) -> None:
    """Write a finished run's figures and its report.html, and print the path of the report.

    For example:
        digitnet report runs/fast-001

    Args:
        run: A folder that `digitnet train` made.
    """
    from digitnet.reporting.report import make_report
    from digitnet.run_folder import Run

    reported = Run(run)
    print(make_report(reported))
    print_next_after_run(reported)
