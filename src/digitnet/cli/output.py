"""What several commands print: answers to standard output, messages to standard error."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitnet.evaluation.evaluate import Evaluation


def print_message(text: str) -> None:
    """Print a sentence to standard error."""
    print(text, file=sys.stderr)


def print_accuracy(evaluation: "Evaluation") -> None:
    """Print the test accuracy, its interval and the count of mistakes."""
    wrong = evaluation.images - evaluation.correct
    print(
        f"Test accuracy {evaluation.accuracy:.4f} (95% interval {evaluation.interval}): "
        f"{wrong:,} of {evaluation.images:,} images read wrongly."
    )
