"""What several commands print: a person's answers to standard output, and messages to standard error."""

import sys
from collections.abc import Sequence
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


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, its first column aligned to the left and the others to the right."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == heads[0] else "right")
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)
