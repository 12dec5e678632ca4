"""What adapting did, before and after, and what can be said of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitnet.adapting.judge import Bools
from digitnet.comparing.statistics import ALPHA, McNemar, mcnemar
from digitnet.metrics import Interval, wilson_interval


@dataclass(frozen=True)
class Group:
    """The same images, judged by the network before and after."""

    before: Bools  # (n,) whether the answer is as it should be
    after: Bools  # (n,)

    @property
    def counts(self) -> tuple[int, int]:
        """How many answers are as they should be, before and after."""
        return int(self.before.sum()), int(self.after.sum())

    @property
    def intervals(self) -> tuple[Interval, Interval]:
        """95% Wilson intervals of both fractions."""
        before, after = (wilson_interval(count, len(self.before)) for count in self.counts)
        return before, after

    @property
    def cells(self) -> tuple[str, str]:
        """Both counts in words, with their intervals."""
        before, after = (
            f"{count:,} of {len(self.before):,} ({interval.low:.1%} to {interval.high:.1%})"
            for count, interval in zip(self.counts, self.intervals, strict=True)
        )
        return before, after

    @property
    def test(self) -> McNemar:
        """McNemar's exact test; `only_first` counts what was lost, `only_second` what was gained."""
        return mcnemar(self.before, self.after)

    def to_json(self) -> dict[str, Any]:
        """Return the counts, intervals and the test as plain values."""
        (before, after), intervals, test = self.counts, self.intervals, self.test
        return {
            "images": len(self.before),
            "before": before,
            "after": after,
            "interval_before": [intervals[0].low, intervals[0].high],
            "interval_after": [intervals[1].low, intervals[1].high],
            "gained": test.only_second,
            "lost": test.only_first,
            "p": test.p,
        }


@dataclass(frozen=True)
class Adaptation:
    """A model file that was adapted to one's own hand, and what is known of it."""

    model: Path
    steps: int
    own: Group  # own digits accepted and right; after: by networks that had not learned the digit
    validation: Group  # MNIST's validation images accepted and right
    outliers: Group  # what is no digit, not accepted

    @property
    def is_better(self) -> bool:
        """Whether it reads one's own digits better, by more than chance explains."""
        before, after = self.own.counts
        return after > before and self.own.test.p < ALPHA

    @property
    def verdict(self) -> str:
        """Say in a sentence or two what can be said of one's own digits, and no more."""
        (before, after), test = self.own.counts, self.own.test
        p = f"p = {test.p:.2f}" if test.p >= 0.01 else f"p = {test.p:.3f}" if test.p >= 0.001 else "p < 0.001"
        change = f"{test.only_second} that were wrong are right now, {test.only_first or 'none'} the other way"
        if test.p < ALPHA:
            return f"{'Better' if after > before else 'Worse'} on your digits: {change} ({p})."
        if test.only_first == test.only_second == 0:
            return f"Nothing changed on your digits: {after} of {len(self.own.after)} are right, as before."
        return (
            f"It can't be told whether it is better on your digits: {change}, which may be chance ({p}). "
            "Draw more, and adapt again."
        )

    @property
    def price(self) -> str:
        """Say what it lost elsewhere, beyond chance; empty if nothing."""
        lost = []
        if self._has_lost(self.validation):
            before, after = self.validation.counts
            lost.append(f"{before - after} fewer of MNIST's {len(self.validation.before):,} are read rightly")
        if self._has_lost(self.outliers):
            before, after = self.outliers.counts
            lost.append(f"{before - after} more of {len(self.outliers.before):,} that are no digit are accepted")
        return f"The price: {', and '.join(lost)}." if lost else ""

    def to_json(self) -> dict[str, Any]:
        """Return everything but the path of the file as plain values."""
        return {
            "steps": self.steps,
            "is_better": self.is_better,
            "verdict": self.verdict,
            "price": self.price,
            "own": self.own.to_json(),
            "mnist_validation": self.validation.to_json(),
            "outliers": self.outliers.to_json(),
        }

    @staticmethod
    def _has_lost(group: Group) -> bool:
        before, after = group.counts
        return after < before and group.test.p < ALPHA
