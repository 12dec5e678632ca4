"""What several commands print: answers to standard output, messages to standard error."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from digitnet.wording import command

if TYPE_CHECKING:
    from digitnet.evaluation.evaluate import Evaluation
    from digitnet.run_folder import Run
    from digitnet.trials.plan import Plan


def print_message(text: str) -> None:
    """Print a sentence to standard error."""
    print(text, file=sys.stderr)


def print_next(purpose: str, *words: object) -> None:
    """Print what to do next to standard error: why, in the imperative, and a command of digitnet by its words.

    Every command ends with one or two of these, unless its answer is for a program, or --quiet was given.
    """
    print_message(f"Next, {purpose}: {command(*words)}")


def print_next_after_run(run: "Run") -> None:
    """Print what to do after a run that has been evaluated."""
    from digitnet.reporting.next_steps import after_run

    for step in after_run(run):
        print_message(f"Next, {step.purpose}: {'; '.join(step.commands)}")


def print_next_after_reading(images: Sequence[str]) -> None:
    """Print how to draw what was read in the first picture; standard input can't be read twice."""
    if images[0] != "-":
        print_next("draw what it saw", "read", images[0], "--save-picture", "seen")


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
