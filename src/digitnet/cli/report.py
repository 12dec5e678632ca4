"""``digitnet report``."""

from digitnet.cli.options import RunFolder


def report(run: RunFolder) -> None:
    """Write a finished run's figures and its report.html, and print the path of the report.

    For example:
        digitnet report runs/fast-001

    Args:
        run: A folder that `digitnet train` made.
    """
    from digitnet.reporting.report import make_report

    print(make_report(run))
