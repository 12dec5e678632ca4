"""What several commands print: answers to standard output, messages to standard error."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from digitnet.evaluation.evaluate import Evaluation
    from digitnet.trials.plan import Plan


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


def print_estimate(plan: "Plan", workers: int) -> None:
    """Estimate, in a few seconds, how long the trials of a plan will take, and print it to standard error."""
    from digitnet.reporting.words import counted, duration
    from digitnet.trials.cost import estimate_seconds

    seconds = estimate_seconds(plan)
    each = f"{duration(seconds)} each{', if all take as long as the start' if plan.ranges else ''}"
    total = duration(seconds * plan.trial_count / workers)
    print_message(
        f"{counted(plan.trial_count, 'trial')} of about {each}; with {workers} at once, about {total} in all."
    )
