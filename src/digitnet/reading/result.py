"""What was read: a digit, a line of them, a picture, and what came of each of many pictures."""

from dataclasses import dataclass, field
from math import exp
from typing import TYPE_CHECKING, Any

from digitnet.finding.ink import UInt8
from digitnet.frames import to_frame
from digitnet.modelfile import Decision
from digitnet.pages import notebook

if TYPE_CHECKING:
    from pandas import DataFrame

UNSURE = "?"
"""Stands in the text for a mark that is not accepted as a digit."""

SPECK = 0.4
"""Of a line's height: a lower mark that is not a digit, a dot or a comma, is left out of the text."""


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels of the picture."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Digit:
    """A mark on a picture, and the network's answer about it."""

    label: str  #: the most probable one
    probabilities: tuple[float, ...]  #: (K,) of each label; they sum to 1
    decision: Decision
    score: float  #: of being a digit at all; see modelfile
    box: Box
    ink: UInt8 = field(compare=False, repr=False)  #: (rows, columns) its ink alone: 0 for paper, 255 for full ink
    image: UInt8 = field(compare=False, repr=False)  #: (28, 28) what the network saw

    @property
    def probability(self) -> float:
        """Probability of the label, 0 to 1."""
        return max(self.probabilities)

    @property
    def confidence(self) -> float:
        """Probability that it is a digit, and this one, 0 to 1."""
        return self.probability / (1 + exp(min(-self.score, 50)))  # the logistic function of the log odds

    @property
    def text(self) -> str:
        """The label, or ? where it is not accepted."""
        return self.label if self.decision == "accepted" else UNSURE

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pixels as plain values, by the names of the attributes."""
        return {
            "text": self.text,
            "label": self.label,
            "probability": round(self.probability, 6),
            "probabilities": [round(value, 6) for value in self.probabilities],
            "decision": self.decision,
            "score": round(self.score, 4),
            "box": vars(self.box),
        }


@dataclass(frozen=True)
class Line:
    """Marks side by side, from left to right."""

    digits: tuple[Digit, ...]

    @property
    def written(self) -> tuple[Digit, ...]:
        """The marks that appear in the text; empty where no mark is a digit.

        A mark among digits that is not one appears too, as a number that silently lacks a digit would be wrong;
        one as small as a dot or a comma does not.
        """
        if all(digit.decision == "not a digit" for digit in self.digits):
            return ()
        height = sorted(digit.box.height for digit in self.digits)[len(self.digits) // 2]
        return tuple(d for d in self.digits if d.decision != "not a digit" or d.box.height >= SPECK * height)

    @property
    def text(self) -> str:
        """The digits, with ? for each that is not sure; empty where no mark is a digit."""
        return "".join(digit.text for digit in self.written)


@dataclass(frozen=True)
class Reading:
    """What was read from one picture, or from one page of several."""

    lines: tuple[Line, ...]  #: from top to bottom
    pages: int = 1  #: of the file

    def __repr__(self) -> str:
        return f"<Reading {self.text!r}: {'sure' if self.is_sure else 'not sure'}>"

    @property
    def text(self) -> str:
        """The text of each line that has a digit, one below the other."""
        return "\n".join(text for line in self.lines if (text := line.text))

    @property
    def digits(self) -> tuple[Digit, ...]:
        """All marks, in reading order."""
        return tuple(digit for line in self.lines for digit in line.digits)

    @property
    def is_sure(self) -> bool:
        """Whether there is a text, and no ? in it."""
        return bool(self.text) and UNSURE not in self.text

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pixels as plain values."""
        lines = [{"text": line.text, "digits": [d.to_json() for d in line.digits]} for line in self.lines]
        return {"text": self.text, "sure": self.is_sure, "pages": self.pages, "lines": lines}

    def to_frame(self) -> "DataFrame":
        """Make a table with a row for each mark, in reading order; needs pandas."""
        return to_frame(
            {
                "line": number,
                "text": digit.text,
                "label": digit.label,
                "probability": digit.probability,
                "decision": digit.decision,
                "score": digit.score,
                **vars(digit.box),
            }
            for number, line in enumerate(self.lines)
            for digit in line.digits
        )

    def _repr_html_(self) -> str:
        captions = [[f"{digit.text} {digit.probability:.0%}" for digit in line.digits] for line in self.lines]
        images = [[digit.image for digit in line.digits] for line in self.lines]
        return notebook.block(repr(self), *map(notebook.gallery, images, captions))


@dataclass(frozen=True)
class Result:
    """What came of one of many pictures: a reading, or the error that prevented it."""

    picture: str  # its name
    reading: Reading | None
    error: str | None = None  # a sentence
    remark: str | None = None  # a sentence about a picture that was read, for the person who reads it

    def to_json(self) -> dict[str, Any]:
        """Return everything but the pixels as plain values."""
        return {"picture": self.picture, **(self.reading.to_json() if self.reading else {"error": self.error})}
