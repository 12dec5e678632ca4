"""A comparison names its choice from validation alone, pairs by seed, corrects, and writes itself everywhere."""

import csv
import dataclasses
import io
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from conftest import SHORT
from digitnet.comparing.collect import VariantResults, collect
from digitnet.comparing.compare import Comparison, compare_variants
from digitnet.comparing.statistics import adjust_holm
from digitnet.config import FIELDS
from digitnet.data.dataset import Dataset, Split
from digitnet.errors import RunError, UsageError
from digitnet.evaluation.evaluate import evaluate
from digitnet.run_folder import Run, create

SEEDS = tuple(range(8))


def variant(name: str, test: float, validation: float = 0.98, seeds: tuple[int, ...] = SEEDS) -> VariantResults:
    """Make results around these accuracies, whose 1,000 test images say the same as the test accuracy."""
    source = np.random.default_rng([len(name), *map(ord, name)])
    correct = source.random((len(seeds), 1_000)) < test
    return VariantResults(
        name=name,
        fields={"kernel_size": 3 + len(name)},
        seeds=seeds,
        validation=tuple(validation + 0.001 * source.normal(size=len(seeds))),
        test=tuple(correct.mean(axis=1).tolist()),
        seconds=tuple(10 + source.random(len(seeds))),
        parameters=28_938,
        correct=correct,
    )


GOOD, SAME, POOR = variant("good", 0.97, 0.975), variant("same", 0.97, 0.985), variant("poor", 0.85, 0.85)
ALONE, NONE = variant("alone", 0.97, seeds=(3,)), variant("none", 0.5, seeds=())
ALL = [GOOD, SAME, POOR, ALONE, NONE]
PAIRS = [("good", "poor"), ("good", "same"), ("alone", "good"), ("none", "good")]


# --- the mean of the last validations ---------------------------------------------------------------------------


def late_pair(first: float, second: float) -> Comparison:
    """Two variants that are equal on the test; on the last validations they are as given, with a little noise."""
    noise = np.linspace(-0.0005, 0.0005, len(SEEDS))
    good = dataclasses.replace(GOOD, late_validation=tuple(first + noise))
    same = dataclasses.replace(SAME, late_validation=tuple(second + noise[::-1]))
    return compare_variants([good, same], [("good", "same")])


def test_the_last_validations_are_compared_in_the_way_of_the_test() -> None:
    (pair,) = late_pair(0.985, 0.982).pairs
    assert pair.late is not None and pair.late.mean == pytest.approx(0.003)
    assert pair.p_late is not None and pair.p_late < 0.05


@pytest.mark.parametrize(("second", "is_confirmed"), [(0.985, True), (0.975, False)])
def test_they_confirm_the_test_or_disagree_with_it(second: float, is_confirmed: bool) -> None:
    assert late_pair(0.985, second).pairs[0].is_confirmed is is_confirmed


def test_results_without_them_are_compared_on_the_test_alone() -> None:
    assert compare_variants([GOOD, SAME], [("good", "same")]).pairs[0].late is None


# --- choosing and comparing ------------------------------------------------------------------------------------


def test_the_choice_is_made_on_validation_whatever_the_test_says() -> None:
    chosen = compare_variants([GOOD, SAME, POOR], []).chosen
    upside_down = [
        dataclasses.replace(v, test=tuple(1 - x for x in v.test), correct=None) for v in (GOOD, SAME, POOR)
    ]
    assert chosen == compare_variants(upside_down, []).chosen == "same"


def test_of_equals_the_earlier_is_chosen() -> None:
    twin = dataclasses.replace(SAME, name="twin")
    assert compare_variants([SAME, twin], []).chosen == "same"
    assert compare_variants([twin, SAME], []).chosen == "twin"


def test_validation_and_test_are_summarised_apart() -> None:
    (summary,) = compare_variants([GOOD], []).variants
    assert summary.validation is not None
    assert summary.test is not None
    assert summary.validation.mean == pytest.approx(np.mean(GOOD.validation))
    assert summary.test.mean == pytest.approx(np.mean(GOOD.test))


def test_the_p_values_of_all_tested_pairs_are_corrected_together() -> None:
    comparison = compare_variants(ALL, PAIRS)
    raw = [stats.ttest_rel(GOOD.test, other.test).pvalue for other in (POOR, SAME)]
    assert [pair.p for pair in comparison.pairs] == [*map(pytest.approx, adjust_holm(raw)), None, None]


def test_the_permutations_are_corrected_too_before_they_vouch_for_the_t_test() -> None:
    steady = np.array([0.0100, 0.0101, 0.0102, 0.0099, 0.0098, 0.0103])  # six seeds: no p below 2 / 2^6 = 0.031

    def named(name: str, gain: float) -> VariantResults:
        start = dataclasses.replace(variant(name, 0.9, seeds=SEEDS[:6]), correct=None)
        return dataclasses.replace(start, test=tuple((0.9 + gain * steady).tolist()))

    variants = [named(name, gain) for name, gain in (("start", 0.0), ("a", 1.0), ("b", 2.0), ("c", 3.0))]
    (alone,) = compare_variants(variants, [("a", "start")]).pairs
    of_three = compare_variants(variants, [(name, "start") for name in "abc"]).pairs
    assert alone.sentence.endswith("real.")
    assert all("the permutation test, which assumes less, gives p = 0.09" in pair.sentence for pair in of_three)


def test_pairs_are_made_by_seed_and_not_by_position() -> None:
    order = (5, 0, 7, 2, 9)
    mixed = variant("good", 0.97, seeds=order)
    by_seed = dict(zip(GOOD.seeds, GOOD.test, strict=True))
    expected = np.mean([by_seed[s] - t for s, t in zip(order, mixed.test, strict=True) if s in by_seed])
    (pair,) = compare_variants([GOOD, dataclasses.replace(mixed, name="mixed")], [("good", "mixed")]).pairs
    assert pair.seeds == (0, 2, 5, 7)
    assert pair.difference is not None
    assert pair.difference.mean == pytest.approx(expected)


def test_the_images_agree_with_the_accuracies() -> None:
    for pair in compare_variants([GOOD, POOR], [("good", "poor")]).pairs:
        assert len(pair.images) == len(SEEDS)
        for k, answer in enumerate(pair.images):
            assert (answer.only_first - answer.only_second) / 1_000 == pytest.approx(GOOD.test[k] - POOR.test[k])
        assert pair.seeds_that_differ == len(SEEDS)


def test_without_the_images_there_is_no_mcnemar_and_all_else_stays() -> None:
    blind = dataclasses.replace(POOR, correct=None)
    (pair,), (other,) = (compare_variants([GOOD, v], [("good", "poor")]).pairs for v in (POOR, blind))
    assert other.images == ()
    assert dataclasses.replace(pair, images=()) == other


def test_what_has_too_few_seeds_is_said_and_stops_nothing() -> None:
    sentences = [pair.sentence for pair in compare_variants(ALL, PAIRS).pairs]
    assert "good beat poor by" in sentences[0]
    assert sentences[1].startswith("No difference seen between good and same")
    assert sentences[2].endswith("nothing can be concluded from one seed.")
    assert sentences[3] == "none and good have no finished seed in common: nothing can be compared."


def test_a_difference_is_real_not_seen_or_not_known() -> None:
    verdicts = [pair.verdict for pair in compare_variants(ALL, PAIRS).pairs]
    assert verdicts == ["real", "not seen", "not known", "not known"]


def test_nothing_finished_is_a_sentence_too() -> None:
    comparison = compare_variants([NONE], [])
    assert comparison.chosen is None
    assert comparison.sentences == ("No trial has finished, so there is nothing to compare.",)
    assert comparison.to_text()


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(UsageError, match=r"no variant 'goood' to compare. Did you mean 'good'\?"):
        compare_variants([GOOD, POOR], [("goood", "poor")])


@pytest.mark.parametrize("change", [{"test": (0.5,)}, {"seeds": (1,) * 8}, {"correct": np.ones((3, 9), bool)}])
def test_results_that_do_not_match_their_seeds_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="good: expected one value for each of different seeds"):
        dataclasses.replace(GOOD, **change)  # type: ignore[arg-type]


# --- writing ---------------------------------------------------------------------------------------------------


def test_the_text_has_the_sentences_then_mean_spread_interval_and_n() -> None:
    comparison = compare_variants(ALL, PAIRS)
    text = comparison.to_text()
    (summary, *_) = comparison.variants
    assert summary.test is not None
    assert summary.test.interval is not None
    assert summary.test.sd is not None
    row = next(line for line in text.splitlines() if line.startswith("  good "))
    mean, sd = 100 * summary.test.mean, 100 * summary.test.sd
    low, high = 100 * summary.test.interval.low, 100 * summary.test.interval.high
    assert row.split() == ["good", "8", f"{mean:.2f}%", "±", f"{sd:.2f}", f"{low:.2f}%", "to", f"{high:.2f}%"]
    assert text.startswith("\n".join(comparison.sentences))
    assert "Chosen on validation, before the test was looked at: same" in text


def test_the_columns_of_the_text_stand_under_each_other() -> None:
    _, head, *rows = compare_variants(ALL, PAIRS).accuracies("validation").to_text().splitlines()
    assert {len(row) for row in rows} == {len(head)}


def test_there_is_a_row_for_each_seed_of_each_variant() -> None:
    rows = compare_variants(ALL, PAIRS).rows()
    expected = [(v.name, v.fields["kernel_size"], seed) for v in ALL for seed in v.seeds]
    assert [(row["variant"], row["kernel_size"], row["seed"]) for row in rows] == expected
    assert [row["test_accuracy"] for row in rows[:8]] == list(GOOD.test)
    assert [row["validation_accuracy"] for row in rows[8:16]] == list(SAME.validation)


def test_a_row_holds_plain_values_alone_so_that_it_can_be_grouped() -> None:
    fields = {"filters": (8, 16), "preprocessing": "deskew", "learning_rate": 0.1}
    (row,) = compare_variants([dataclasses.replace(ALONE, fields=fields)], []).rows()
    assert row["filters"] == "8-16"
    assert all(value is None or isinstance(value, str | int | float) for value in row.values())


def test_the_csv_is_these_rows_whatever_the_names() -> None:
    comparison = compare_variants([dataclasses.replace(GOOD, name='a, "b"\nc'), SAME], [])
    read = list(csv.DictReader(io.StringIO(comparison.to_csv())))
    expected = [{k: "" if v is None else str(v) for k, v in row.items()} for row in comparison.rows()]
    assert read == expected


def test_the_json_is_plain_and_holds_every_value() -> None:
    comparison = compare_variants(ALL, PAIRS)
    content = json.loads(json.dumps(comparison.to_json(), allow_nan=False))
    assert content["chosen"] == "same"
    assert content["variants"][0]["results"]["test"] == list(GOOD.test)
    assert content["variants"][3]["test"] == {"n": 1, "mean": ALONE.test[0], "sd": None, "interval": None}
    assert content["variants"][4]["test"] is None
    assert content["pairs"][0]["difference"]["p_t"] == comparison.pairs[0].difference.p_t  # type: ignore[union-attr]
    assert len(content["pairs"][0]["images"]) == len(SEEDS)
    assert content["sentences"] == list(comparison.sentences)
    assert content["rows"] == comparison.rows()


def test_an_interval_is_not_said_to_pass_100_percent() -> None:
    near = VariantResults("near", {}, (0, 1), (0.99, 0.99), (0.98, 1.0), (1.0, 1.0), 10)
    (row,) = compare_variants([near], []).accuracies("test").rows
    assert row[-1] == "86.29% to 100.00%"


# --- run folders -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(drawn: Dataset, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Run]]:
    """Two variants of two seeds each, trained for a few steps; one more run of the second has not finished."""
    from digitnet.training.train import train

    folder, few = tmp_path_factory.mktemp("trials"), SHORT.replace(steps=6, warmup=0)
    made = {
        f"kernel_size={size}": [
            train(few.replace(kernel_size=size, seed=seed), dataset=drawn, out=folder / f"{size}-{seed}")
            for seed in (4, 1)
        ]
        for size in (3, 5)
    }
    unfinished = few.replace(kernel_size=5, seed=9)
    made["kernel_size=5"].append(create(folder / "unfinished", unfinished, made["kernel_size=5"][0].environment))
    return made


def test_finished_runs_are_collected_with_what_sets_them_apart(runs: dict[str, list[Run]], drawn: Dataset) -> None:
    three, five = collect(runs, drawn)
    assert (three.name, three.fields) == ("kernel_size=3", {"kernel_size": 3})
    assert five.seeds == (4, 1)  # without the one that has not finished
    assert five.correct is not None
    assert five.correct.shape == (2, len(drawn.test))
    for k, run in enumerate(runs["kernel_size=5"][:2]):
        assert five.test[k] == five.correct[k].mean() == evaluate(run, drawn).accuracy
        assert five.validation[k] == run.summary["validation"]["accuracy"]
        assert five.seconds[k] == run.summary["seconds"]
    assert five.parameters == runs["kernel_size=5"][0].summary["parameters"]


def test_a_row_of_a_real_run_has_all_that_it_measured(runs: dict[str, list[Run]], drawn: Dataset) -> None:
    rows = compare_variants(collect(runs, drawn), []).rows()
    run, row = runs["kernel_size=5"][1], rows[3]
    measured = evaluate(run, drawn).to_json()
    assert (row["kernel_size"], row["seed"]) == (5, 1)
    assert row["test_mistakes"] == measured["images"] - measured["correct"]
    assert row["test_loss"] == pytest.approx(measured["negative_log_likelihood"])
    assert row["test_calibration_error"] == pytest.approx(measured["calibration_error"])
    assert row["validation_loss"] == run.summary["validation"]["loss"]
    assert row["images_per_second"] == run.summary["images_per_second"]
    assert row["peak_memory_bytes"] == run.summary["peak_memory_bytes"]


def test_no_measurement_is_called_like_a_field(runs: dict[str, list[Run]], drawn: Dataset) -> None:
    rows = compare_variants(collect(runs, drawn), []).rows()
    assert set(rows[0]) & set(FIELDS) == {"kernel_size", "seed"}


def test_a_variant_without_a_finished_run_is_kept_empty(runs: dict[str, list[Run]], drawn: Dataset) -> None:
    _, five, none = collect({**runs, "kernel_size=5": runs["kernel_size=5"][2:], "other": []}, drawn)
    assert (five.seeds, five.fields) == ((), {"kernel_size": 5})
    assert (none.seeds, none.fields) == ((), {})


def test_runs_on_other_data_are_not_evaluated_on_these_images(runs: dict[str, list[Run]], drawn: Dataset) -> None:
    other = dataclasses.replace(
        drawn, fingerprint="e" * 64, test=Split(drawn.test.images[:9], drawn.test.labels[:9])
    )
    with pytest.raises(RunError, match="expected fingerprint"):
        collect(runs, other)


def test_the_data_are_read_once(
    runs: dict[str, list[Run]], drawn: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def load(data: str, **options: object) -> Dataset:
        asked.append(data)
        return drawn

    monkeypatch.setattr("digitnet.run_folder.load_dataset", load)
    opened = {name: [Run(run.path) for run in several] for name, several in runs.items()}
    for run in itertools.chain.from_iterable(opened.values()):  # as if they had not been given the data
        run.write_json("environment.json", run.environment | {"data_in_memory": False})
    assert len(collect(opened)) == 2
    assert asked == [SHORT.images.data]


def test_no_runs_are_no_results(tmp_path: Path) -> None:
    assert collect({}) == []
