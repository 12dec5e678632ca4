"""What is read from a picture: digits, in lines, each with how sure it is."""

from dataclasses import dataclass, field
from typing import Any

from digitnet.modelfile import Decision
from digitnet.reading.find import Box
from digitnet.reading.ink import UInt8

UNSURE = "?"
"""What stands in the text for a mark that is not sure to be this or that digit."""

SPECK = 0.4
"""Share of its line's height below which a mark that is no digit is left out of the text: a dot, a comma."""


@dataclass(frozen=True)
class Digit:
    """A mark on a picture, and what the network says about it."""

    label: str  # the most probable one
    probabilities: tuple[float, ...]  # of each label; they sum to 1
    decision: Decision
    score: float  # how much it is a digit at all, in nats
    box: Box  # where it is, in pixels of the picture
    ink: UInt8 = field(compare=False, repr=False)  # (rows, columns) what was lifted off the paper, 255 is full ink
    image: UInt8 = field(compare=False, repr=False)  # (28, 28) what the network saw

    @property
    def probability(self) -> float:
        """Of the label, 0 to 1."""
        return max(self.probabilities)

    @property
    def text(self) -> str:
        """The label, or ? where it is not accepted."""
        return self.label if self.decision == "accepted" else UNSURE

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "text": self.text,
            "digit": self.label,
            "probability": round(self.probability, 6),
            "probabilities": [round(value, 6) for value in self.probabilities],
            "decision": self.decision,
            "score": round(self.score, 4),
            "box": vars(self.box),
        }


@dataclass(frozen=True)
class Line:
    """Marks that stand side by side, from left to right."""

    digits: tuple[Digit, ...]

    @property
    def written(self) -> tuple[Digit, ...]:
        """The marks that stand in the text; none where no mark is a digit.

        Among digits, a mark that is none stands there too, for a number that silently lacks one would be wrong;
        but not if it is as small as a dot or a comma.
        """
        if all(digit.decision == "not a digit" for digit in self.digits):
            return ()
        height = sorted(digit.box.height for digit in self.digits)[len(self.digits) // 2]
        return tuple(d for d in self.digits if d.decision != "not a digit" or d.box.height >= SPECK * height)

    @property
    def text(self) -> str:
        """The digits, ? for each that is not sure; empty where no mark is a digit."""
        return "".join(digit.text for digit in self.written)


@dataclass(frozen=True)
class Reading:
    """What was read from one picture."""

    lines: tuple[Line, ...]  # from top to bottom

    @property
    def text(self) -> str:
        """The lines' texts, one below the other; lines without a digit are left out."""
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
        """Everything as plain values."""
        lines = [{"text": line.text, "digits": [d.to_json() for d in line.digits]} for line in self.lines]
        return {"text": self.text, "sure": self.is_sure, "lines": lines}
