"""``digitnet evaluate``."""

import json

from digitnet.cli.options import Format, RunFolder
from digitnet.cli.output import print_accuracy, print_table


def evaluate(run: RunFolder, format: Format = "text") -> None:
    """Measure a finished run on all of its test images.

    Args:
        run: A folder that `digitnet train` made.
        format: For people, or for programs.
    """
    from digitnet.evaluation.evaluate import evaluate

    evaluation = evaluate(run)
    if format == "json":
        print(json.dumps(evaluation.to_json(), indent=2))
        return
    print_accuracy(evaluation)
    measured = evaluation.to_json()
    print(f"Negative log-likelihood {measured['negative_log_likelihood']:.4f} nats.")
    print(f"Calibration error {measured['calibration_error']:.2%}.")
    rows = [
        [row["label"], f"{row['images']:,}", _format(row["precision"]), _format(row["recall"])]
        for row in measured["classes"]
    ]
    print_table(["class", "images", "precision", "recall"], rows)


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
