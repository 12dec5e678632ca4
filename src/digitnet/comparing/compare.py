"""What many seeds show about each variant and each pair of variants: numbers, sentences, tables and rows.

Selection and evaluation are separate: the variant is chosen by its mean validation accuracy, and the test
accuracies only describe it. A comparison is paired: the same seeds and, where known, the same test images.
"""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from digitnet.comparing.collect import Measure, VariantResults
from digitnet.comparing.statistics import (
    ALPHA,
    Bools,
    McNemar,
    PairedDifference,
    Summary,
    adjust_holm,
    compare_pairs,
    describe_difference,
    mcnemar,
    points,
    summarise,
)
from digitnet.errors import UsageError, nearest
from digitnet.frames import to_frame
from digitnet.metrics import Interval
from digitnet.pages import notebook
from digitnet.reporting.tables import Table
from digitnet.reporting.words import percent

if TYPE_CHECKING:
    from pandas import DataFrame

Verdict = Literal["real", "not seen", "not known"]
"""Of a difference: told from zero, not told from it, or of too few seeds for either."""

NOTE = (
    "± sd is the standard deviation of single seeds, in percentage points; the 95% interval, also after ± in a "
    "sentence, is that of the mean (Student's t)."
)


@dataclass(frozen=True)
class VariantSummary:
    """The means of a variant; None if no trial has finished."""

    results: VariantResults
    validation: Summary | None
    test: Summary | None
    seconds: Summary | None


@dataclass(frozen=True)
class PairComparison:
    """Two variants on the test images, over the seeds that both have."""

    first: str
    second: str
    seeds: tuple[int, ...]
    difference: PairedDifference | None  # first minus second; None without a common seed
    p: float | None  # the p-value that decides, Holm-adjusted; None without two common seeds
    images: tuple[McNemar, ...]  # for each seed, on the same images; empty if unknown
    sentence: str
    late: PairedDifference | None = None  # the same on the mean of the last validations; None if that is unknown
    p_late: float | None = None

    @property
    def name(self) -> str:
        """The pair as tables and figures name it."""
        return f"{self.first} against {self.second}"

    @property
    def seeds_that_differ(self) -> int:
        """Number of seeds whose two networks differ on the same images by more than chance."""
        return sum(answer.p < ALPHA / len(self.images) for answer in self.images)  # Bonferroni's correction

    @property
    def verdict(self) -> Verdict:
        """Whether the difference on the test images is real."""
        return "not known" if self.p is None else "real" if self.p < ALPHA else "not seen"

    @property
    def is_confirmed(self) -> bool:
        """Whether the last validations say what the test says: the same is better, or nothing is seen in both."""
        return _direction(self.late, self.p_late) == _direction(self.difference, self.p)


@dataclass(frozen=True)
class Comparison:
    """Every variant, and every pair that was asked for."""

    variants: tuple[VariantSummary, ...]
    chosen: str | None  #: the first with the best mean validation accuracy; None if nothing has finished
    pairs: tuple[PairComparison, ...]

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.variants)} variants, chosen: {self.chosen}>"

    @property
    def sentences(self) -> tuple[str, ...]:
        """The chosen variant, and what each pair shows."""
        return (self.choice, *(pair.sentence for pair in self.pairs))

    @property
    def choice(self) -> str:
        """Which variant validation chooses, and what the test says of it, in a sentence."""
        best = next((v for v in self.variants if v.results.name == self.chosen), None)
        if best is None or best.validation is None or best.test is None:
            return "No trial has finished, so there is nothing to compare."
        width = best.test.interval
        inside = f"95% interval {_span(width)}, {best.test.n} seeds" if width else "one seed: no interval"
        return (
            f"Chosen on validation, before the test was looked at: {self.chosen} (mean accuracy "
            f"{percent(best.validation.mean)}). On the test it reads {percent(best.test.mean)} ({inside})."
        )

    def accuracies(self, measure: Measure) -> Table:
        """Make the table of the accuracy of each variant: seeds, mean ± sd over them, interval of the mean."""
        rows = tuple((v.results.name, *_cells(getattr(v, measure))) for v in self.variants)
        return Table(f"{measure.title()} accuracy", ("variant", "seeds", "mean ± sd", "95% interval"), rows)

    def to_text(self) -> str:
        """Write the sentences and the test accuracies as plain text, for a terminal."""
        return "\n\n".join(["\n".join(self.sentences), self.accuracies("test").to_text(), NOTE])

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each run, the tidy table: variant, its varied fields, seed, and all that was measured.

        Accuracies are fractions from 0 to 1, and losses mean negative log-likelihoods; what is not known is None.
        """
        return [row for variant in self.variants for row in variant.results.rows()]

    def to_frame(self) -> "DataFrame":
        """Make a table of `rows`; needs pandas."""
        return to_frame(self.rows())

    def _repr_html_(self) -> str:
        table = self.accuracies("test")
        rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
        return notebook.block(repr(self), notebook.table(rows), *map(notebook.paragraph, self.sentences))

    def to_csv(self) -> str:
        """Write the rows as CSV; what is not known is empty."""
        rows, table = self.rows(), io.StringIO()
        columns = dict.fromkeys(name for row in rows for name in row)
        writer = csv.DictWriter(table, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return table.getvalue()

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON's values: the content of comparison.json."""
        return {**_plain(self), "correction": "Holm", "sentences": list(self.sentences), "rows": self.rows()}


def compare_variants(variants: Sequence[VariantResults], pairs: Sequence[tuple[str, str]]) -> Comparison:
    """Summarise each variant, choose one on validation, and compare the pairs on the test.

    Raises UsageError for a pair that names an unknown variant.
    """
    named = {variant.name: variant for variant in variants}
    if unknown := [name for pair in pairs for name in pair if name not in named]:
        raise UsageError(f"There is no variant {unknown[0]!r} to compare. {nearest(unknown[0], named)}")
    summaries = tuple(
        VariantSummary(v, *(summarise(x) if v.seeds else None for x in (v.validation, v.test, v.seconds)))
        for v in variants
    )
    finished = [(v.validation.mean, v.results.name) for v in summaries if v.validation]
    chosen = max(finished, key=lambda pair: pair[0])[1] if finished else None
    return Comparison(
        summaries, chosen, _compare_pairs([(named[first], named[second]) for first, second in pairs])
    )


def _compare_pairs(pairs: Sequence[tuple[VariantResults, VariantResults]]) -> tuple[PairComparison, ...]:
    """Compare each pair, and adjust the p-values for the number of those that have one."""
    common = [tuple(sorted(set(first.seeds) & set(second.seeds))) for first, second in pairs]
    differences, late = (
        [
            _difference(values_of(first, measure, seeds), values_of(second, measure, seeds))
            for (first, second), seeds in zip(pairs, common, strict=True)
        ]
        for measure in ("test", "late_validation")
    )
    chances, late_chances = (adjust_holm([d.p if d else None for d in found]) for found in (differences, late))
    permutations = adjust_holm([d.p_permutation if d else None for d in differences])
    comparisons = max(sum(p is not None for p in chances), 1)
    compared = (
        _conclude(*pair, seeds, difference, p, p_permutation, comparisons)
        for pair, seeds, difference, p, p_permutation in zip(
            pairs, common, differences, chances, permutations, strict=True
        )
    )
    return tuple(
        dataclasses.replace(pair, late=difference, p_late=p)
        for pair, difference, p in zip(compared, late, late_chances, strict=True)
    )


def _difference(first: Sequence[float], second: Sequence[float]) -> PairedDifference | None:
    return compare_pairs(first, second) if first and second else None


def _conclude(
    first: VariantResults,
    second: VariantResults,
    seeds: tuple[int, ...],
    difference: PairedDifference | None,
    p: float | None,
    p_permutation: float | None,
    comparisons: int,
) -> PairComparison:
    images = tuple(mcnemar(one, other) for one, other in zip(*_correct(first, second, seeds), strict=True))
    sentence = (
        describe_difference(first.name, second.name, difference, p, p_permutation, comparisons)
        if difference
        else f"{first.name} and {second.name} have no finished seed in common: nothing can be compared."
    )
    return PairComparison(first.name, second.name, seeds, difference, p, images, sentence)


def values_of(variant: VariantResults, measure: str, seeds: Sequence[int]) -> list[float]:
    """Return a measurement of a variant's runs with `seeds`; empty if it is unknown."""
    values = getattr(variant, measure)
    return [values[variant.seeds.index(seed)] for seed in seeds] if values else []


def _correct(
    first: VariantResults, second: VariantResults, seeds: Sequence[int]
) -> tuple[list[Bools], list[Bools]]:
    """Return which images each read correctly, an array ``(N,)`` for each seed; empty unless both are known."""
    if first.correct is None or second.correct is None:
        return [], []
    return (
        [first.correct[first.seeds.index(seed)] for seed in seeds],
        [second.correct[second.seeds.index(seed)] for seed in seeds],
    )


def _cells(summary: Summary | None) -> tuple[str, ...]:
    """Write seeds, mean ± sd and interval; a dash for what is not defined."""
    if summary is None:
        return "0", "-", "-"
    sd = "" if summary.sd is None else f" ± {points(summary.sd)}"
    return f"{summary.n}", f"{percent(summary.mean)}{sd}", _span(summary.interval)


def _direction(difference: PairedDifference | None, p: float | None) -> int:
    """Return 1 if the first is better, -1 if the second is, and 0 if no difference is seen."""
    if difference is None or p is None or p >= ALPHA:
        return 0
    return 1 if difference.mean > 0 else -1


def _span(interval: Interval | None) -> str:
    """Write an interval of accuracies, cut off at 0 and 100%, which a t interval may exceed."""
    if interval is None:
        return "-"
    return f"{percent(max(0.0, interval.low))} to {percent(min(1.0, interval.high))}"


def _plain(value: object) -> Any:
    """Convert results to JSON's values recursively; an interval becomes a list of its two ends."""
    if isinstance(value, Interval):
        return [value.low, value.high]
    if dataclasses.is_dataclass(value):
        return {part.name: _plain(getattr(value, part.name)) for part in dataclasses.fields(value) if part.repr}
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value
