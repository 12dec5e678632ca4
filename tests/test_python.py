"""In Python: short to write, and short to look at."""

import html
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import SHORT
from digitnet import PRESETS, TrainConfig, load_network, make_report, predict, preset, train
from digitnet.data.dataset import Dataset
from digitnet.data.load import load_dataset
from digitnet.errors import DataError, RunError, UsageError
from digitnet.evaluation.evaluate import evaluate
from digitnet.evaluation.mistakes import find_mistakes
from digitnet.reading.reader import Reader
from digitnet.run_folder import Run

FIELDS = {
    name: SHORT.value(name) for name in ("validation_images", "tta", "batch_size", "validate_every", "save_every")
}


def test_a_preset_is_named_and_changed_in_one_call() -> None:
    assert preset("blog", seed=1, steps=7) == PRESETS["blog"].replace(seed=1, steps=7)
    assert preset("fast") == TrainConfig()


def test_a_run_is_trained_by_the_name_of_a_preset_and_some_fields(drawn: Dataset, tmp_path: Path) -> None:
    run = train("fast", seed=3, steps=4, dataset=drawn, out=tmp_path / "named", **FIELDS)
    assert run.config == PRESETS["fast"].replace(seed=3, steps=4, **FIELDS)
    run = train(SHORT, steps=5, dataset=drawn, out=tmp_path / "changed")
    assert run.config == SHORT.replace(steps=5)


def test_what_is_misspelt_is_refused_before_anything_is_made(drawn: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'fast'"):
        train("fastt", dataset=drawn, out=tmp_path / "new")
    with pytest.raises(TypeError, match=r"no field 'stepz'\. Did you mean 'steps'"):
        train("fast", stepz=3, dataset=drawn, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_list_does_where_a_tuple_is_meant() -> None:
    assert TrainConfig(filters=[8, 16]) == TrainConfig(filters=(8, 16))


def test_everything_is_shown_in_one_short_line(finished: Run, drawn: Dataset) -> None:
    assert repr(finished) == "<Run finished: 40 steps>"
    evaluation = evaluate(finished, drawn)
    assert repr(Run(finished.path)) == f"<Run finished: {evaluation.accuracy:.2%}, 40 steps>"
    assert repr(drawn) == "<Dataset drawn: 500 + 60 + 103 images of 28 x 28, 10 classes>"
    assert repr(drawn.test) == "<Split: 103 images of 28 x 28>"
    for mistake in find_mistakes(evaluation.logits, drawn):
        assert repr(mistake).startswith(f"<Mistake {mistake.index}: {mistake.true} read as {mistake.predicted}, ")
    image = 255 - load_dataset("mnist").test.images[0]
    assert repr(Reader().read(image, single=True)) == "<Reading '7': sure>"


def test_a_damaged_run_can_still_be_shown(finished: Run) -> None:
    (finished.path / "summary.json").write_text("{")
    assert repr(Run(finished.path)) == "<Run finished: damaged>"
    (finished.path / "summary.json").unlink()
    assert repr(Run(finished.path)) == "<Run finished: not finished>"


def test_a_resumed_run_keeps_its_configuration_and_refuses_another(finished: Run, drawn: Dataset) -> None:
    assert train(out=finished.path, resume=True, dataset=drawn).config == finished.config
    with pytest.raises(RunError, match=r"seed=3 \(not 9\)"):
        train(out=finished.path, resume=True, dataset=drawn, seed=9)


def test_a_run_is_not_continued_on_another_validation_split(finished: Run, drawn: Dataset) -> None:
    kept = finished.environment | {"validation_images": 59}
    (finished.path / "environment.json").write_text(json.dumps(kept))
    with pytest.raises(RunError, match="expected 59 validation images, which the run has kept, found 60"):
        Run(finished.path).check_data(drawn)


def test_images_of_another_type_are_not_predicted(finished: Run, drawn: Dataset) -> None:
    with pytest.raises(DataError, match="expected uint8, 0 to 255, found float64"):
        predict(finished, drawn.test.images / 255)


def test_a_notebook_shows_pictures_and_tables_that_need_no_second_file(finished: Run, drawn: Dataset) -> None:
    evaluation = evaluate(finished, drawn)
    make_report(finished, drawn)
    mistake = find_mistakes(-evaluation.logits, drawn)[0]
    reading = Reader().read(255 - load_dataset("mnist").test.images[0], single=True)
    pictures = [(drawn, 10), (Run(finished.path), 2), (mistake, 1), (reading, 1)]
    for shown, count in [*pictures, (finished.history, 0), (evaluation, 0)]:
        page = shown._repr_html_()
        assert page.count('src="data:image/png;base64,') == count == page.count("<img")
        assert html.escape(repr(shown)) in page


def test_a_damaged_run_is_shown_in_a_notebook(finished: Run) -> None:
    (finished.path / "summary.json").write_text("{")
    assert "damaged" in Run(finished.path)._repr_html_()


def test_tables_are_frames_for_pandas(finished: Run, drawn: Dataset) -> None:
    history = finished.history.to_frame()
    assert history.step.is_monotonic_increasing and history.step.is_unique
    assert history.loss.notna().sum() == len(finished.history.training)
    assert history.validation_accuracy.dropna().tolist() == [
        row.validation_accuracy for row in finished.history.validation
    ]
    classes = evaluate(finished, drawn).to_frame()
    assert classes.images.sum() == len(drawn.test) and list(classes.label) == list(drawn.label_names)
    marks = Reader().read(255 - load_dataset("mnist").test.images[0], single=True).to_frame()
    assert marks.text.tolist() == ["7"] and marks.probability[0] > 0.5 and marks.line[0] == 0


def test_without_pandas_a_sentence_says_what_to_install(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"needs pandas.*pip install pandas"):
        finished.history.to_frame()


def test_the_network_of_a_run_is_a_module_of_ones_own(finished: Run, drawn: Dataset) -> None:
    before = evaluate(finished, drawn).logits
    network = load_network(finished.path)
    assert isinstance(network, torch.nn.Module) and not network.training
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
    assert np.array_equal(evaluate(finished, drawn).logits, before)


def test_the_home_folder_may_be_written_as_a_tilde(
    drawn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    run = train(SHORT, steps=2, dataset=drawn, out="~/run")
    assert run.path == tmp_path / "run" == Run("~/run").path
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("config", [5, {"steps": 3}, Path("mine.toml")])
def test_what_is_no_configuration_is_refused_in_a_sentence(config: Any, drawn: Dataset) -> None:
    with pytest.raises(UsageError, match=r"^config: expected a preset's name or a TrainConfig, found "):
        train(config, dataset=drawn)


def test_what_is_no_data_set_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^dataset: expected a Dataset, found str"):
        train(SHORT, dataset="mnist", out=tmp_path / "run")  # type: ignore[arg-type]


def test_rows_of_pixels_no_images_and_what_is_no_array_are_predicted_or_refused(
    finished: Run, drawn: Dataset
) -> None:
    images = drawn.test.images
    assert np.array_equal(predict(finished, images.reshape(len(images), -1)), predict(finished, images))
    assert predict(finished, images[:0]).shape == (0, 10)
    with pytest.raises(DataError, match="expected an array, found str"):
        predict(finished, "test.csv")  # type: ignore[arg-type]
