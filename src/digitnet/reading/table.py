"""Answers as a CSV table."""

import csv
import io
from collections.abc import Sequence

from digitnet.modelfile import Decision
from digitnet.reading.answer import UNSURE, Line
from digitnet.reading.many import Answer

COLUMNS = ("picture", "line", "text", "decision", "probability", "fault")
"""A row is a line of digits: `line` counts from 1, `probability` is that of its least sure digit.

A picture without a digit, and one that could not be read, has one row, with `line` and more left empty.
"""

HEADER = ",".join(COLUMNS) + "\n"


def to_csv(answers: Sequence[Answer]) -> str:
    """Write the rows of answers."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for answer in answers:
        writer.writerows(_rows(answer))
    return text.getvalue()


def _rows(answer: Answer) -> list[tuple[object, ...]]:
    if answer.reading is None:
        return [(answer.picture, "", "", "", "", answer.fault)]
    lines = [line for line in answer.reading.lines if line.text]
    if not lines:
        return [(answer.picture, "", "", "not a digit", "", "")]
    return [(answer.picture, number, *_describe_line(line), "") for number, line in enumerate(lines, start=1)]


def _describe_line(line: Line) -> tuple[str, Decision, str]:
    least = min(digit.probability for digit in line.written)
    return line.text, "not sure" if UNSURE in line.text else "accepted", f"{least:.6f}"
