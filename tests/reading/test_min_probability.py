"""The least probability of an accepted answer: a person's own trade between ? and mistakes."""

import itertools
import json
import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from scipy.special import expit

from digitnet import Reader, load_dataset
from digitnet.cli.main import main
from digitnet.engines.engine import Engine, Outcome
from digitnet.errors import UsageError
from digitnet.modelfile import DECISIONS
from digitnet.reading.batch import Batch, read_here, read_with
from digitnet.reading.network import Answers
from digitnet.reading.options import ReadOptions
from sheets import draw_sheet

ROOT = Path(__file__).parents[2]
NOT_A_DIGIT = DECISIONS.index("not a digit")


@pytest.fixture(scope="module")
def images() -> Any:
    """Some of MNIST's images, and some of noise, which is not a digit."""
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    return np.concatenate([load_dataset("mnist").test.images[:2_000], noise])


def confidence_of(answers: Answers) -> Any:
    """The probability that each image is a digit, and the one it is taken for."""
    return answers.probabilities.max(axis=1) * expit(answers.scores.astype(np.float64))


@pytest.mark.parametrize("least", [0, 0.5, np.float32(0.9), 0.999, 1])
def test_what_is_at_least_so_probable_is_accepted_and_what_is_not_a_digit_stays_that(
    least: float, images: Any
) -> None:
    own, found = Reader().answer(images), Reader(min_probability=least).answer(images)
    assert (own.decisions == NOT_A_DIGIT).any()
    np.testing.assert_array_equal(found.decisions == NOT_A_DIGIT, own.decisions == NOT_A_DIGIT)
    is_digit = own.decisions != NOT_A_DIGIT
    accepted = found.decisions == DECISIONS.index("accepted")
    np.testing.assert_array_equal(accepted, is_digit & (confidence_of(own) >= least))
    np.testing.assert_array_equal(found.probabilities, own.probabilities)


def test_the_model_s_own_is_what_is_taken_otherwise(images: Any) -> None:
    reader = Reader()
    assert reader.min_probability == reader.info.calibration.sure
    same, own = Reader(min_probability=reader.min_probability).answer(images), reader.answer(images)
    near = np.abs(confidence_of(own) - reader.min_probability) < 1e-6  # the file calculates in single precision
    np.testing.assert_array_equal(same.decisions[~near], own.decisions[~near])


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    return draw_sheet(tmp_path / "sheet.png", "1472")


def test_marks_of_a_picture_are_decided_by_it_with_an_expectation_and_without(sheet: Path) -> None:
    every, none = Reader(min_probability=0), Reader(min_probability=1)
    for expect in (None, "[0-9]{4}", "[1-9]+"):
        reading = every.read(sheet, expect=expect)
        assert "?" not in reading.text and len(reading.text) == 4
        least = min(digit.confidence for digit in reading.digits)
        assert least < 1
        for digit in none.read(sheet, expect=expect).digits:
            assert (digit.decision == "accepted") == (digit.confidence >= 1)


def test_the_flag_is_the_argument(sheet: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for least in (0.0, 0.97, 1.0):
        for flags, expect in (([], None), (["--expect", "[0-9]+"], "[0-9]+")):
            assert main(["read", str(sheet), "--min-probability", str(least), "--format", "json", *flags]) == 0
            answer = json.loads(capsys.readouterr().out)
            expected = Reader(min_probability=least).read(sheet, expect=expect).to_json()
            assert answer == {"picture": str(sheet), **expected}


class Here:
    """In the place of an engine."""

    def run(self, function: Any, tasks: Any) -> Any:
        for task in tasks:
            yield Outcome[Batch, Any](task, function(task), None)


def test_workers_take_it_from_the_options_of_each_batch(sheet: Path) -> None:
    for least in (1.0, 0.0, 0.9):
        options = ReadOptions(min_probability=least)
        found = itertools.chain(*read_with(cast(Engine, Here()), [str(sheet)], options))
        assert list(found) == list(read_here([str(sheet)], options))


@pytest.mark.parametrize("wrong", [-0.001, 1.001, 95, float("nan"), "0.9"])
def test_what_is_no_probability_is_refused_by_the_argument_s_name(wrong: Any) -> None:
    with pytest.raises(UsageError, match=r"^min_probability: expected a number from 0 to 1, found .* 95% as"):
        Reader(min_probability=wrong)


# What the documents say of the model that comes with digitnet.


def test_the_help_names_the_model_s_own(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["read", "--help"])
    printed = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    assert f"(default: the model's own, {Reader().min_probability:.2f} for digitnet's; " in printed


@pytest.fixture(scope="module")
def validation() -> tuple[Answers, Any]:
    """What the model answers to the validation images, and which answers are correct."""
    images = load_dataset("mnist").validation
    answers = Reader().answer(images.images)
    return answers, answers.probabilities.argmax(axis=1) == images.labels


def test_the_page_on_reading_says_what_it_does(validation: tuple[Answers, Any]) -> None:
    answers, correct = validation
    confidence, own = confidence_of(answers), Reader().min_probability
    rows = []
    for least in (0, 0.5, own, 0.9, 0.95, 0.99, 0.995, 0.999):
        accepted = (answers.decisions != NOT_A_DIGIT) & (confidence >= least)
        name = f"{least:.2f}, the model's own" if least == own else f"{least}"
        doubted, wrong = ~accepted, accepted & ~correct
        rows.append(f"| {name} | {doubted.sum()} ({doubted.mean():.1%}) | {wrong.sum()} ({wrong.mean():.2%}) |")
    expected = "\n".join(["| least probability | `?` | mistakes |", "|---|---|---|", *rows])
    assert expected in (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("least", [0.5, 0.9, 0.99, 0.999])
def test_the_model_file_s_curve_says_the_same(least: float, validation: tuple[Answers, Any]) -> None:
    answers, correct = validation
    covered = answers.probabilities.max(axis=1) >= least
    coverages, accuracies = np.array(Reader().info.calibration.curve).T
    assert np.interp(covered.mean(), coverages[::-1], accuracies[::-1]) == pytest.approx(
        correct[covered].mean(), abs=0.0003
    )
