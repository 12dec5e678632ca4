"""What many seeds show about each variant and each pair of variants: numbers, tables and sentences.

Selection and evaluation are separate: the variant is chosen by its mean validation accuracy, and the test
accuracies only describe it. A comparison is paired: the same seeds and, where known, the same test images.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from digitnet.errors import UsageError, nearest
from digitnet.metrics import Interval
from digitnet.reporting.tables import Table
from digitnet.reporting.words import duration, percent
from digitnet.trials.collect import LAST_VALIDATIONS, VariantResults
from digitnet.trials.statistics import (
    ALPHA,
    Bools,
    McNemar,
    PairedDifference,
    Summary,
    adjust_holm,
    compare_pairs,
    describe_difference,
    mcnemar,
    summarise,
    write_chance,
)

NOTES = (
    "Accuracies are means over the seeds; sd is the standard deviation of single seeds in percentage points, and "
    "the 95% interval, also after +-, is that of the mean (Student's t).",
    "Differences are first minus second on the test images, in percentage points, paired by seed; bootstrap is a "
    "95% interval that assumes no normality. p (t) is the paired t test's, p (permutation) the permutation "
    "test's, and p (Holm), which decides, is p (t) adjusted for the number of comparisons.",
    f"At a constant learning rate, the accuracy after the last step is partly luck. The mean of the last "
    f"{LAST_VALIDATIONS} validations is less so: where both disagree, the answer depends on which one is asked.",
    "McNemar counts the seeds whose two networks differ on the same images by more than chance (exact, p < 0.05 / "
    "seeds). It is about those networks; the other p-values are about new seeds, evaluated on these images.",
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
    def seeds_that_differ(self) -> int:
        """Number of seeds whose two networks differ on the same images by more than chance."""
        return sum(answer.p < ALPHA / len(self.images) for answer in self.images)  # Bonferroni's correction


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
        return (self._choice(), *(pair.sentence for pair in self.pairs))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Validation to choose on, test to report, and the differences if pairs were asked for."""
        accuracy = ("seeds", "mean", "sd", "95% interval")
        validation = [(v.results.name, *_cells(v.validation)) for v in self.variants]
        test = [(v.results.name, *_cells(v.test), *_costs(v)) for v in self.variants]
        tables = [
            Table("Validation accuracy, to choose on", ("variant", *accuracy), tuple(validation)),
            Table("Test accuracy, to report", ("variant", *accuracy, "time", "parameters"), tuple(test)),
        ]
        difference = ("pair", "seeds", "points", "sd", "95% interval")
        if rows := tuple(_difference_cells(pair) for pair in self.pairs):
            columns = (*difference, "bootstrap", "p (t)", "p (permutation)", "p (Holm)", "McNemar")
            tables.append(Table("Differences on the test", columns, rows))
        if late := tuple(_late_cells(pair) for pair in self.pairs if pair.late):
            title = f"Differences on validation, mean of the last {LAST_VALIDATIONS}"
            tables.append(Table(title, (*difference, "p (Holm)", "as on the test"), late))
        return tuple(tables)

    def to_text(self) -> str:
        """Write tables, sentences and notes as plain text."""
        return "\n\n".join([*(table.to_text() for table in self.tables), "\n".join(self.sentences), *NOTES])

    def to_markdown(self) -> str:
        """Write sentences, tables and notes as Markdown."""
        said = "\n".join(f"- {sentence}" for sentence in self.sentences)
        return "\n\n".join([said, *(table.to_markdown() for table in self.tables), *NOTES]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON's values: the content of comparison.json."""
        return {**_plain(self), "correction": "Holm", "sentences": list(self.sentences)}

    def _choice(self) -> str:
        best = next((v for v in self.variants if v.results.name == self.chosen), None)
        if best is None or best.validation is None or best.test is None:
            return "No trial has finished, so there is nothing to compare."
        width = best.test.interval
        inside = f"95% interval {_span(width)}, {best.test.n} seeds" if width else "one seed: no interval"
        return (
            f"Chosen on validation, before the test was looked at: {self.chosen} (mean accuracy "
            f"{percent(best.validation.mean)}). On the test it reads {percent(best.test.mean)} ({inside})."
        )


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
            _difference(_values(first, measure, seeds), _values(second, measure, seeds))
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


def _values(variant: VariantResults, measure: str, seeds: Sequence[int]) -> list[float]:
    """Return a measurement of the runs of `seeds`; empty if it is unknown."""
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
    """Write seeds, mean, sd and interval; a dash for what is not defined."""
    if summary is None:
        return "0", "-", "-", "-"
    return f"{summary.n}", percent(summary.mean), _points(summary.sd), _span(summary.interval)


def _costs(variant: VariantSummary) -> tuple[str, str]:
    if variant.seconds is None:
        return "-", "-"
    return duration(variant.seconds.mean), f"{variant.results.parameters:,}"


def _difference_cells(pair: PairComparison) -> tuple[str, ...]:
    name, d = f"{pair.first} against {pair.second}", pair.difference
    if d is None:
        return name, "0", *"--------"
    spans = [f"{_points(i.low)} to {_points(i.high)}" if i else "-" for i in (d.interval, d.bootstrap_interval)]
    chances = ["-" if p is None else write_chance(p) for p in (d.p_t, d.p_permutation, pair.p)]
    differ = f"{pair.seeds_that_differ} of {len(pair.images)}" if pair.images else "-"
    return name, f"{d.n}", _points(d.mean), _points(d.sd), *spans, *chances, differ


def _late_cells(pair: PairComparison) -> tuple[str, ...]:
    """Write the difference on the last validations, and whether it says what the test says."""
    d = pair.late
    assert d is not None
    span = f"{_points(d.interval.low)} to {_points(d.interval.high)}" if d.interval else "-"
    chance = "-" if pair.p_late is None else write_chance(pair.p_late)
    same = _verdict(pair.difference, pair.p) == _verdict(d, pair.p_late)
    cells = f"{pair.first} against {pair.second}", f"{d.n}", _points(d.mean), _points(d.sd), span, chance
    return *cells, "yes" if same else "no"


def _verdict(difference: PairedDifference | None, p: float | None) -> int:
    """Return 1 if the first is better, -1 if the second is, and 0 if no difference is seen."""
    if difference is None or p is None or p >= ALPHA:
        return 0
    return 1 if difference.mean > 0 else -1


def _points(difference: float | None) -> str:
    return "-" if difference is None else f"{100 * difference:.2f}".replace("-0.00", "0.00")


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
