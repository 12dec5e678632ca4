"""Labels for images that have none: as evaluation reads them, and as Kaggle wants them written."""

import csv
from pathlib import Path

import numpy as np
import pytest

from digitnet.cli.main import main
from digitnet.data.dataset import Dataset
from digitnet.errors import DataError
from digitnet.evaluation.evaluate import evaluate
from digitnet.evaluation.predict import predict
from digitnet.metrics import softmax
from digitnet.run_folder import Run


def write_table(file: Path, dataset: Dataset) -> Path:
    names = ",".join(f"pixel{number}" for number in range(784))
    lines = (",".join(map(str, image.ravel())) for image in dataset.test.images)
    file.write_text("\n".join([names, *lines]) + "\n")
    return file


def test_a_run_predicts_what_its_evaluation_says(finished: Run, drawn: Dataset) -> None:
    np.testing.assert_allclose(
        predict(finished, drawn.test.images), softmax(evaluate(finished, drawn).logits), atol=1e-6
    )


def test_kaggles_file_becomes_kaggles_submission(finished: Run, drawn: Dataset, tmp_path: Path) -> None:
    table, out = write_table(tmp_path / "test.csv", drawn), tmp_path / "submission.csv"
    assert main(["predict", str(finished.path), str(table), "--out", str(out)]) == 0
    head, *lines = csv.reader(out.read_text().splitlines())
    assert head == ["ImageId", "Label"]
    assert [int(number) for number, _ in lines] == list(range(1, 104))
    expected = evaluate(finished, drawn).logits.argmax(axis=1)
    assert [int(label) for _, label in lines] == expected.tolist()


def test_a_model_file_predicts_too(
    model: Path, drawn: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "my.npy", drawn.test.images)
    assert main(["predict", str(model), str(tmp_path / "my.npy")]) == 0
    head, *lines = csv.reader(capsys.readouterr().out.splitlines())
    assert head == ["image", "label", "probability"] and len(lines) == 103
    assert all(0 < float(probability) <= 1 for _, _, probability in lines)


def test_images_of_another_size_are_refused(finished: Run) -> None:
    with pytest.raises(DataError, match=r"expected 28 x 28 pixels, .*, found the shape \(3, 8, 8\)"):
        predict(finished, np.zeros((3, 8, 8), np.uint8))


def test_a_file_that_exists_is_not_overwritten(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "submission.csv").write_text("mine")
    assert main(["predict", str(finished.path), "test.csv", "--out", str(tmp_path / "submission.csv")]) == 1
    assert (tmp_path / "submission.csv").read_text() == "mine"
    assert "submission.csv" in capsys.readouterr().err
