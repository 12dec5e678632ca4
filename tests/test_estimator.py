"""DigitClassifier at home in scikit-learn: pipelines, searches, copies, and its own checks."""

import gc
import json
import pickle
import subprocess
import sys
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import check_estimator

from digitnet import DigitClassifier
from digitnet.errors import RunError, StorageError
from digitnet.evaluation.evaluate import evaluate
from digitnet.installation import install_command

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def digits() -> Arrays:
    """Training and test images ``(n, 64)`` of 0 to 16, and their labels."""
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images, labels, random_state=0)
    return split[0], split[1], split[2], split[3]


@pytest.fixture(scope="module")
def fitted(digits: Arrays) -> DigitClassifier:
    return DigitClassifier("blog", steps=100, learning_rate=0.005, hidden=0).fit(digits[0], digits[2])


def test_it_learns_to_read_digits_of_scikit_learn(fitted: DigitClassifier, digits: Arrays) -> None:
    assert fitted.score(digits[1], digits[3]) > 0.9
    probabilities = fitted.predict_proba(digits[1])
    assert probabilities.shape == (len(digits[1]), 10)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert np.array_equal(fitted.classes_[probabilities.argmax(axis=1)], fitted.predict(digits[1]))
    assert fitted.run_.is_finished and fitted.network_.training is False


def test_images_may_have_rows_and_columns_and_a_channel(fitted: DigitClassifier, digits: Arrays) -> None:
    answers = fitted.predict_proba(digits[1])
    for shape in [(-1, 8, 8), (-1, 1, 8, 8), (-1, 8, 8, 1)]:
        assert np.array_equal(fitted.predict_proba(digits[1].reshape(shape)), answers)
    again = DigitClassifier("blog", steps=100, learning_rate=0.005, hidden=0).fit(
        digits[0].reshape(-1, 8, 8), digits[2]
    )
    assert np.array_equal(again.predict_proba(digits[1]), answers)


@pytest.mark.parametrize(("factor", "kind"), [(1 / 16, float), (255 / 16, float), (1, np.uint8)])
def test_the_range_of_the_pixels_does_not_matter(
    fitted: DigitClassifier, digits: Arrays, factor: float, kind: type
) -> None:
    images, others = ((part * factor).astype(kind) for part in digits[:2])
    again = DigitClassifier("blog", steps=100, learning_rate=0.005, hidden=0).fit(images, digits[2])
    assert np.allclose(again.predict_proba(others), fitted.predict_proba(digits[1]), atol=1e-4)


def test_labels_may_be_words(digits: Arrays) -> None:
    words = np.array(["even", "odd"])[digits[2] % 2]
    classifier = DigitClassifier("blog", steps=40, hidden=0).fit(digits[0], words)
    assert classifier.classes_.tolist() == ["even", "odd"]
    assert set(classifier.predict(digits[1])) == {"even", "odd"}


def test_it_works_in_pipelines_cross_validation_and_searches(digits: Arrays) -> None:
    classifier = DigitClassifier("blog", steps=20, hidden=0)
    assert len(cross_val_score(make_pipeline(MinMaxScaler(), classifier), digits[0], digits[2], cv=2)) == 2
    search = GridSearchCV(classifier, {"learning_rate": [0.01, 0.00001], "steps": [20]}, cv=2)
    assert search.fit(digits[0], digits[2]).best_params_["learning_rate"] == 0.01


def test_fields_of_the_configuration_are_its_parameters() -> None:
    classifier = DigitClassifier("tiny", steps=7, augment="none")
    assert classifier.get_params() == {
        "preset": "tiny",
        "random_state": 0,
        "verbose": False,
        "steps": 7,
        "augment": "none",
    }
    assert clone(classifier).set_params(tta=1, preset="blog").get_params()["tta"] == 1
    assert repr(classifier) == "DigitClassifier(augment='none', preset='tiny', steps=7)"
    with pytest.raises(TypeError, match=r"no parameter 'stepz'. Did you mean 'steps'"):
        DigitClassifier(stepz=3)
    with pytest.raises(ValueError, match="stepz"):
        classifier.set_params(stepz=3)


def test_what_is_saved_is_loaded_without_a_pickle(fitted: DigitClassifier, digits: Arrays, tmp_path: Path) -> None:
    run = fitted.save(tmp_path / "kept")
    assert run.is_finished and run.config.optimisation.steps == 100
    assert not [file for file in run.path.rglob("*") if file.suffix in (".pkl", ".pt", ".joblib")]
    loaded = DigitClassifier.load(tmp_path / "kept")
    assert loaded.get_params() == fitted.get_params()
    assert np.array_equal(loaded.predict_proba(digits[1]), fitted.predict_proba(digits[1]))
    with pytest.raises(StorageError, match="kept"):
        fitted.save(tmp_path / "kept")
    again = DigitClassifier.load(loaded.save(tmp_path / "again"))
    assert np.array_equal(again.predict_proba(digits[1]), fitted.predict_proba(digits[1]))
    with pytest.raises(RunError, match="Fit it"):
        pickle.loads(pickle.dumps(fitted)).save(tmp_path / "third")


@pytest.mark.parametrize(
    "damage",
    [{"preset": "fastt"}, {"preset": 3}, {"pixel_range": [0, 0]}, {"image_shape": [8]}, {"n_features": "x"}],
)
def test_a_damaged_file_of_a_saved_classifier_is_one_sentence(
    fitted: DigitClassifier, tmp_path: Path, damage: dict[str, Any]
) -> None:
    file = fitted.save(tmp_path / "kept").path / "classifier.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | damage))
    with pytest.raises(RunError, match=r"classifier\.json: is damaged\."):
        DigitClassifier.load(tmp_path / "kept")


def test_the_data_of_a_saved_classifier_are_asked_for_and_not_guessed(
    fitted: DigitClassifier, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="was trained on data in memory"):
        evaluate(fitted.save(tmp_path / "kept"))


def test_values_may_be_numpys_own(digits: Arrays) -> None:
    search = GridSearchCV(
        DigitClassifier("blog", hidden=0), {"learning_rate": np.logspace(-3, -2, 2), "steps": np.array([3])}, cv=2
    )
    assert search.fit(digits[0], digits[2]).best_params_["steps"] == 3


def test_its_folder_goes_with_it(digits: Arrays) -> None:
    classifier = DigitClassifier("blog", steps=2, hidden=0).fit(digits[0], digits[2])
    first = classifier.run_.path
    second = classifier.fit(digits[0], digits[2]).run_.path
    assert second.exists() and not first.exists()
    del classifier
    gc.collect()
    assert not second.exists()


def test_a_run_of_the_command_line_is_not_mistaken_for_a_saved_classifier(
    fitted: DigitClassifier, tmp_path: Path
) -> None:
    run = fitted.save(tmp_path / "run")
    (run.path / "classifier.json").unlink()
    with pytest.raises(RunError, match=r"was not saved by DigitClassifier\.save"):
        DigitClassifier.load(run.path)


def test_a_copy_in_another_process_answers_alike(fitted: DigitClassifier, digits: Arrays) -> None:
    copied = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(copied.predict_proba(digits[1]), fitted.predict_proba(digits[1]))


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (np.zeros((8, 16)), np.zeros(8), "expected from 2 to 256 classes, found 1 class"),
        (np.full((8, 16), np.nan), np.arange(8) % 2, "NaN"),
        (np.full((8, 16), "7a"), np.arange(8) % 2, "not compatible with arrays of bytes/strings"),
        (np.zeros((8, 785)), np.arange(8) % 2, r"such as 784 pixels for 28 x 28, found 785 columns\. Drop"),
        (np.zeros((8, 16)), np.arange(8) / 3, "continuous"),
        (np.zeros((8, 16)), np.arange(7), "inconsistent numbers of samples"),
        (np.zeros((8, 16)), None, "requires y to be passed"),
        (np.zeros((2, 16)), np.arange(2), "expected from 1 to 1 of the 2 training images"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(images: Any, labels: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        DigitClassifier("blog", steps=2).fit(images, labels)


def test_a_bad_field_is_refused_by_its_name(digits: Arrays) -> None:
    with pytest.raises(ValueError, match=r"^steps: expected a whole number of at least 1, found 0"):
        DigitClassifier(steps=0).fit(digits[0], digits[2])
    with pytest.raises(ValueError, match="Did you mean 'fast'"):
        DigitClassifier("fastt").fit(digits[0], digits[2])


def test_nothing_is_predicted_before_it_is_fitted(digits: Arrays, tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        DigitClassifier().predict(digits[0])
    with pytest.raises(NotFittedError):
        DigitClassifier().save(tmp_path / "run")


def test_images_of_another_size_are_refused(fitted: DigitClassifier) -> None:
    with pytest.raises(ValueError, match="expecting 64 features"):
        fitted.predict(np.zeros((3, 784)))


def test_without_scikit_learn_a_sentence_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['sklearn'] = None\n"
        "try:\n    from digitnet import DigitClassifier\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == f"DigitClassifier needs scikit-learn. Run: {install_command('sklearn')}\n"


class Padded(DigitClassifier):
    """Fills rows of any length up to a square: the tables that scikit-learn draws for its checks are no images."""

    def __init__(
        self,
        preset: str = "blog",
        *,
        random_state: Any = 0,
        verbose: bool = False,
        steps: int = 200,
        learning_rate: float = 0.005,
    ) -> None:
        super().__init__(
            preset, random_state=random_state, verbose=verbose, steps=steps, learning_rate=learning_rate
        )

    def _find_shape(self, flat: np.ndarray) -> tuple[int, int]:
        side = isqrt(flat.shape[1] - 1) + 1
        return side, side

    def _scale(self, flat: np.ndarray) -> np.ndarray:
        rows, columns = self.image_shape_
        return super()._scale(np.pad(flat, ((0, 0), (0, rows * columns - flat.shape[1]))))


@pytest.mark.acceptance
def test_every_check_of_scikit_learn_passes() -> None:
    results = check_estimator(Padded(), on_fail=None, on_skip=None)
    assert len(results) > 40
    assert {result["check_name"] for result in results if result["status"] == "failed"} == set()
    # it is about arrays that are not numpy's, which the environment must switch on
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= {"check_array_api_input"}
