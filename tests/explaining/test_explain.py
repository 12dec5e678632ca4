"""One picture and its explanation: a test image or a photograph, read as the run's model file reads it."""

import csv
import io
import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
import scipy.special
from PIL import Image, ImageDraw, ImageFont

from digitnet.data.dataset import Dataset
from digitnet.errors import DataError, DigitnetError, PictureError, RunError, StorageError, UsageError
from digitnet.explaining.explain import explain
from digitnet.explaining.own_picture import find_digit, lay_out
from digitnet.progress import make_progress
from digitnet.reading.network import Network
from digitnet.reading.reader import Reader
from digitnet.run_folder import Run

UInt8 = npt.NDArray[np.uint8]

PLACES = [folder / "shared" / "handwriting" for folder in Path(__file__).parents[2:4]]
HANDWRITING = next((place for place in PLACES if place.is_dir()), PLACES[0])


def written(text: str) -> Image.Image:
    """A sheet of paper with digits on it."""
    sheet = Image.new("L", (70 + 60 * len(text), 140), 225)
    font = ImageFont.load_default(size=80)
    ImageDraw.Draw(sheet).text((30, 20), " ".join(text), fill=40, font=font)
    return sheet


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A file with one digit."""
    written("3").save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


def test_a_test_image_is_explained_in_the_run_folder(finished: Run, drawn: Dataset) -> None:
    explained = explain(finished, 5, dataset=drawn)
    assert explained.page == finished.path / "explain-5.html"
    assert explained.page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert explained.explanation.true == drawn.test.labels[5]
    np.testing.assert_array_equal(explained.explanation.image, drawn.test.images[5])
    assert explain(finished, np.int64(5), dataset=drawn).sentence == explained.sentence


def test_a_terminal_sees_how_many_squares_have_been_taken_away(
    finished: Run, drawn: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    explain(finished, 5, dataset=drawn, progress=make_progress())
    assert "squares of ink" in terminal.getvalue()


def test_a_picture_of_ones_own_is_explained_under_its_name(finished: Run, drawn: Dataset, picture: Path) -> None:
    explained = explain(finished, picture, dataset=drawn)
    assert explained.page == finished.path / "explain-mine.html"
    assert explained.explanation.true is None
    assert "mine.png" in explained.page.read_text(encoding="utf-8")


def test_a_picture_named_like_an_index_keeps_the_page_of_the_test_image(
    finished: Run, drawn: Dataset, picture: Path
) -> None:
    seven = picture.rename(picture.with_name("7.png"))
    assert explain(finished, seven, dataset=drawn).page.name == "explain-7.png.html"


def test_the_page_goes_where_it_is_asked_to(finished: Run, drawn: Dataset, tmp_path: Path) -> None:
    before = set(finished.path.iterdir())
    assert explain(finished, 0, dataset=drawn, out=tmp_path / "page.html").page == tmp_path / "page.html"
    assert (tmp_path / "page.html").is_file()
    assert set(finished.path.iterdir()) == before


def test_a_picture_may_be_an_image_in_memory(finished: Run, drawn: Dataset, picture: Path) -> None:
    from_file = explain(finished, picture, dataset=drawn)
    from_memory = explain(finished, np.asarray(written("3")), dataset=drawn)
    assert from_memory.page.name == "explain-picture.html"
    assert from_memory.explanation.probabilities == from_file.explanation.probabilities


@pytest.mark.parametrize("digit", "12345")
def test_the_answer_is_that_of_the_exported_model_to_the_same_crop(
    digit: str, finished: Run, drawn: Dataset, model: Path
) -> None:
    sheet = written(digit)
    found = explain(finished, sheet, dataset=drawn).explanation
    assert_parity(found.probabilities, found.image, sheet, Network(model))


@pytest.mark.parametrize("digit", "235")
def test_single_reads_what_digitnet_read_reads_with_single(
    digit: str, finished: Run, drawn: Dataset, model: Path
) -> None:
    sheet = written(digit)
    (read,) = Reader().read(sheet, single=True).digits
    answer = Network(model).answer_crops(read.ink[None, :, :, None])
    found = explain(finished, sheet, single=True, dataset=drawn).explanation
    assert found.answer == answer.probabilities[0].argmax()
    np.testing.assert_array_equal(found.image, answer.images[0].round())


def assert_parity(
    probabilities: tuple[float, ...], image: UInt8, sheet: Image.Image | Path, file: Network
) -> None:
    """Compare with a model file, whose probabilities are calibrated, and whose pixels are not rounded."""
    found = [mark for line in Reader().find(sheet).digits for mark in line if mark.decision != "not a digit"]
    (digit,) = found or [mark for line in Reader().find(sheet, single=True).digits for mark in line]
    crop = file.answer_crops(digit.ink[None, :, :, None])
    calibrated = scipy.special.softmax(np.log(probabilities) / file.info.calibration.temperature)
    assert np.abs(crop.images[0] - image).max() <= 0.51
    np.testing.assert_allclose(
        file.answer_images(image[None].astype(np.float32)).probabilities[0], calibrated, atol=1e-4
    )
    np.testing.assert_allclose(crop.probabilities[0], calibrated, atol=0.02)
    assert crop.probabilities[0].argmax() == np.argmax(probabilities)


def test_the_frame_is_around_the_digit() -> None:
    sheet = written("3")
    own, image = find_digit(sheet, "sheet")
    left, top, width, height = own.box
    rows, columns = np.nonzero(np.asarray(sheet) < 130)
    assert (left, top) == pytest.approx((columns.min(), rows.min()), abs=4)
    assert (left + width, top + height) == pytest.approx((columns.max() + 1, rows.max() + 1), abs=4)
    assert not own.is_doubted
    assert image.shape == (28, 28)
    assert image.max() == 255


def test_ink_is_laid_out_with_20_pixels_and_its_centre_of_mass_in_the_middle() -> None:
    ink = np.zeros((90, 60), np.uint8)
    ink[5:85, 20:30] = 255
    image = lay_out(ink)
    assert image[:, 14].sum() / 255 == pytest.approx(20, abs=0.1)
    for axis in (0, 1):
        assert np.average(np.arange(28), weights=image.sum(axis=axis)) == pytest.approx(14, abs=0.01)


def test_a_photograph_of_a_telephone_is_laid_out_as_its_png(picture: Path) -> None:
    with Image.open(picture) as opened:
        pillow_heif.from_pillow(opened).save(picture.with_suffix(".heic"))
    (png, expected), (heic, image) = (find_digit(picture.with_suffix(suffix), "") for suffix in (".png", ".heic"))
    assert heic.pixels.shape[:2] == png.pixels.shape[:2]
    assert np.abs(image.astype(int) - expected).mean() < 4


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        (103, UsageError, r"from 0 to 102, found 103\."),
        (-1, UsageError, r"from 0 to 102, found -1\."),
        ("~nobody-of-that-name/3.png", UsageError, "found neither"),
        ("x" * 1_000, PictureError, "file name too long"),
        ("nowhere.png", UsageError, r"nowhere.png: expected the index .* or a picture's file, found neither"),
        (Image.new("L", (90, 90), 230), PictureError, "found no ink on it"),
        (written("472"), PictureError, r"found 3 digits \(472\)\. Crop it to one .* single=True"),
        (np.zeros((4, 4, 4, 4)), PictureError, "The array: expected the shape"),
        (Path(__file__), PictureError, "test_explain.py: expected a PNG"),
    ],
)
def test_what_is_no_image_is_answered_in_a_sentence(
    asked: object, error: type[DigitnetError], words: str, finished: Run, drawn: Dataset
) -> None:
    before = set(finished.path.iterdir())
    with pytest.raises(error, match=words):
        explain(finished, asked, dataset=drawn)  # type: ignore[arg-type]
    assert set(finished.path.iterdir()) == before


def test_several_digits_are_one_if_one_says_so(finished: Run, drawn: Dataset) -> None:
    page = explain(finished, written("472"), single=True, dataset=drawn).page.read_text(encoding="utf-8")
    assert "The reader itself would not accept this as a digit" in page


def test_a_run_on_letters_takes_all_ink_as_one(finished: Run, drawn: Dataset, tmp_path: Path) -> None:
    run = Run(shutil.copytree(finished.path, tmp_path / "run"))
    run.write_json("environment.json", {**run.environment, "label_names": list("abcdefghij")})
    explained = explain(run, written("472"), dataset=replace(drawn, label_names=tuple("abcdefghij")))
    assert re.match(r"Read as [a-j], ", explained.sentence)
    assert "would not accept" not in explained.page.read_text(encoding="utf-8")


def test_an_unfinished_run_is_not_explained(finished: Run, drawn: Dataset) -> None:
    (finished.path / "summary.json").unlink()
    with pytest.raises(RunError, match="has not finished"):
        explain(finished, 0, dataset=drawn)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"image_shape": [32, 32]}, r"28 x 28 images of digits or letters.*found one on 32 x 32"),
        ({"label_names": ["shoe", "bag"]}, r"digits or letters.*found one that knows 'shoe'"),
    ],
)
def test_a_run_on_other_images_takes_no_pictures(
    changed: dict[str, object], words: str, finished: Run, picture: Path, tmp_path: Path
) -> None:
    other = Run(shutil.copytree(finished.path, tmp_path / "run"))
    other.write_json("environment.json", {**other.environment, **changed})
    with pytest.raises(UsageError, match=words):
        explain(other, picture)


def test_an_explanation_does_not_evaluate_the_test_images(finished: Run, drawn: Dataset) -> None:
    for name in ("test_logits.npy", "evaluation.json", "report.html"):
        (finished.path / name).unlink(missing_ok=True)
    page = explain(finished, 0, dataset=drawn).page.read_text(encoding="utf-8")
    assert not (finished.path / "test_logits.npy").exists()
    assert "Explain another test image, with an index of 0 to 102" in page
    assert "digitnet report" in page


@pytest.mark.acceptance
@pytest.mark.skipif(not HANDWRITING.is_dir(), reason="the photographs are not here")
@pytest.mark.parametrize("recipe", [{}, {"members": 2}])
def test_photographs_are_answered_as_the_exported_model_answers_them(
    recipe: dict[str, object], tmp_path: Path
) -> None:
    from digitnet.data.load import load_dataset
    from digitnet.evaluation.explanation import explain_image
    from digitnet.exporting.export import export
    from digitnet.presets import PRESETS
    from digitnet.training.checkpoint import load_network
    from digitnet.training.train import train

    config = PRESETS["fast"].replace(steps=100, threads=1, **recipe)
    try:
        mnist = load_dataset("mnist", validation_images=config.images.validation_images)
    except (DataError, StorageError) as error:
        pytest.skip(str(error))
    run = train(config, dataset=mnist, out=tmp_path / "run")
    file, network = Network(export(run)), load_network(run)
    with (HANDWRITING / "answers.csv").open(encoding="utf-8") as table:
        photographs = [HANDWRITING / row["file"] for row in csv.DictReader(table) if row["tier"] == "digit"][::8]
    assert len(photographs) >= 20
    refused = 0
    for path in photographs:
        try:
            _, image = find_digit(path, path.name)
        except PictureError as error:
            assert "digits (" in str(error)
            refused += 1
            continue
        found = explain_image(network, image, mnist)
        assert_parity(found.probabilities, image, path, file)
    assert refused <= len(photographs) // 10
    explained = explain(run, photographs[0], dataset=mnist)
    assert json.dumps(explained.explanation.to_json())
