"""``digitnet evaluate``."""

import json

from digitnet.cli.options import Format, MovedData, RunFolder
from digitnet.cli.output import print_accuracy, print_next


def evaluate(run: RunFolder, data: MovedData = None, format: Format = "text") -> None:
    """Measure a finished run on all test images.

    For example:
        digitnet evaluate runs/fast-001
        digitnet evaluate runs/fast-001 --format json

    Args:
        run: A folder that `digitnet train` made.
        data: Where the data of the run is now.
        format: text for people, json for programs.
    """
    from digitnet.evaluation.evaluate import evaluate
    from digitnet.reporting.tables import Table
    from digitnet.run_folder import Run

    evaluation = evaluate(Run(run, data))
    if format == "json":
        print(json.dumps(evaluation.to_json(), indent=2))
        return
    print_accuracy(evaluation)
    measured = evaluation.to_json()
    print(f"Negative log-likelihood {measured['negative_log_likelihood']:.4f}.")
    print(f"Expected calibration error {measured['calibration_error']:.2%}.")
    rows = tuple(
        (row["label"], f"{row['images']:,}", _format(row["precision"]), _format(row["recall"]))
        for row in measured["classes"]
    )
    print(Table("Class by class:", ("class", "images", "precision", "recall"), rows).to_text())
    print_next("see its mistakes", "report", run)
    print_next("make a model file of it", "export", run)


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
