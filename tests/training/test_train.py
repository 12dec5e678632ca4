"""Training equals a plain loop in torch, and resuming after any step equals never having stopped."""

import dataclasses
import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.special import softmax as softmax_of

from conftest import SHORT, assert_equal, everything
from digitnet.augmentation import pools
from digitnet.data.dataset import Dataset
from digitnet.errors import DataError, DivergedError, Interrupted, RunError, UsageError
from digitnet.evaluation import calibrate as calibration
from digitnet.evaluation.evaluate import evaluate
from digitnet.metrics import accuracy
from digitnet.networks.models import build_network
from digitnet.networks.predict import predict_logits
from digitnet.presets import to_command
from digitnet.progress import Progress
from digitnet.run_folder import Run, TrainingRow, ValidationRow
from digitnet.training.batches import Batches
from digitnet.training.checkpoint import load_checkpoint, load_network
from digitnet.training.state import TrainState
from digitnet.training.train import train


class Signaller(Progress):
    """Sends this process a signal after a given step."""

    def __init__(self, step: int, number: signal.Signals = signal.SIGINT) -> None:
        self.at, self.number = step, number

    def advance(self, done: int, status: str = "") -> None:
        if done == self.at:
            signal.raise_signal(self.number)


def test_training_equals_a_plain_loop_in_torch(drawn: Dataset, tmp_path: Path) -> None:
    config = dataclasses.replace(
        SHORT,
        preprocessing="scale",
        augment="none",
        schedule="constant",
        warmup=0.0,
        freeze_after=1.0,
        steps=20,
    )
    ours = load_network(train(config, dataset=drawn, out=tmp_path / "run"))

    plain = build_network(config, (28, 28), 10).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(
        plain.parameters(), lr=config.optimisation.learning_rate, fused=False, foreach=False
    )
    for step in range(config.optimisation.steps):
        images, labels = Batches(drawn.train, config.optimisation.batch_size, config.seed).at(step)
        optimizer.zero_grad()
        F.cross_entropy(plain(images), labels).backward()
        optimizer.step()
    for own, expected in zip(ours.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(own, expected, atol=2e-4)


def test_the_same_run_twice_is_the_same_bit_for_bit_and_another_seed_is_not(
    drawn: Dataset, finished: Run, tmp_path: Path
) -> None:
    assert_equal(train(SHORT, dataset=drawn, out=tmp_path / "again"), finished)
    other = train(SHORT.replace(seed=4), dataset=drawn, out=tmp_path / "other")
    assert everything(other)[2] != everything(finished)[2]


@pytest.mark.parametrize("steps", [(1,), (8,), (13,), (39,), (40,), (5, 6, 22), tuple(range(1, 40, 4))])
def test_resuming_equals_never_having_stopped(
    steps: tuple[int, ...], drawn: Dataset, finished: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for count, step in enumerate(steps):
        with pytest.raises(Interrupted, match=r"Continue with: train\(resume=True") as stopped:
            train(None if count else SHORT, dataset=drawn, out=out, resume=count > 0, progress=Signaller(step))
        assert stopped.value.exit_code == 130
        assert not Run(out).is_finished
    assert_equal(train(dataset=drawn, out=out, resume=True), finished)
    assert Run(out).summary["validation"] == finished.summary["validation"]


def test_an_ensemble_is_resumed_exactly_and_predicts_the_mean_probability(
    drawn: Dataset, finished: Run, tmp_path: Path
) -> None:
    config = SHORT.replace(members=2, label_smoothing=0.1, beta1=0.8, beta2=0.95)
    whole = train(config, dataset=drawn, out=tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(config, dataset=drawn, out=tmp_path / "stopped", progress=Signaller(13))
    assert_equal(train(dataset=drawn, out=tmp_path / "stopped", resume=True), whole)
    assert whole.summary["parameters"] == 2 * finished.summary["parameters"]
    assert whole.history.validation[-1].validation_accuracy > 0.9
    ensemble = load_network(whole)
    logits = predict_logits(ensemble, drawn.test.images)
    each = [predict_logits(member, drawn.test.images) for member in ensemble.members]  # type: ignore[union-attr]
    assert not np.allclose(each[0], each[1])
    together = np.mean([softmax_of(answers, axis=1) for answers in each], axis=0)
    assert np.allclose(softmax_of(logits, axis=1), together, atol=1e-5)


@pytest.mark.acceptance
def test_a_run_with_outliers_is_resumed_exactly_and_evaluated_on_the_digits_alone(
    drawn: Dataset, tmp_path: Path
) -> None:
    config = SHORT.replace(augment="ink", outliers=0.2)
    whole = train(config, dataset=drawn, out=tmp_path / "whole")
    with pytest.raises(Interrupted):
        train(config, dataset=drawn, out=tmp_path / "stopped", progress=Signaller(13))
    assert_equal(train(dataset=drawn, out=tmp_path / "stopped", resume=True), whole)
    all_logits = predict_logits(load_network(whole), drawn.test.images)
    assert all_logits.shape == (103, 11)
    evaluation = evaluate(whole, drawn)
    assert np.array_equal(evaluation.logits, all_logits[:, :10])
    assert np.load(whole.path / "test_logits.npy").shape == (103, 10)
    last = whole.history.validation[-1]
    logits = predict_logits(load_network(whole), drawn.validation.images, drawn.classes)
    assert last.validation_accuracy == accuracy(logits, drawn.validation.labels)


@pytest.mark.acceptance
def test_a_run_with_photographs_is_calibrated_on_photographs(
    drawn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pools, "PHOTOGRAPHS", 60)
    monkeypatch.setattr(calibration, "PHOTOGRAPHS", 40)
    run = train(SHORT.replace(augment="ink", photographs=0.3), dataset=drawn, out=tmp_path / "run")
    assert predict_logits(load_network(run), drawn.test.images).shape == (103, 11)
    chosen = calibration.calibrate(run, drawn)
    assert 0 < chosen.sure <= np.nextafter(1.0, 2.0)  # which nothing reaches: so short a run may never be sure
    stored = sorted((tmp_path / "cache" / "photographs").glob("*/*.npz"))
    assert len({file.parent for file in stored}) == 2  # of training images and of validation images
    before = [file.stat().st_mtime_ns for file in stored]
    assert calibration.calibrate(run, drawn) == chosen
    assert [file.stat().st_mtime_ns for file in stored] == before


@pytest.mark.acceptance
def test_photographs_that_were_interrupted_are_continued(
    drawn: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_PART", 50)

    def take(cache: str, stop: str = "") -> pools.Crops:
        monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / cache))

        def note(text: str) -> None:
            if text == stop:
                raise KeyboardInterrupt

        return pools.take_photographs(drawn, drawn.train, 100, None, note)

    whole = take("whole")
    with pytest.raises(KeyboardInterrupt):
        take("stopped", stop="50 of 100 photographs")
    (first,) = (tmp_path / "stopped" / "photographs").glob("*/0.npz")
    written = first.stat().st_mtime_ns
    continued = take("stopped")
    assert first.stat().st_mtime_ns == written
    for name, values in vars(whole).items():
        assert np.array_equal(values, getattr(continued, name)), name


def test_photographs_need_ten_digits_of_28_pixels(drawn: Dataset, tmp_path: Path) -> None:
    few = dataclasses.replace(drawn, label_names=("a", "b"))
    with pytest.raises(UsageError, match="photographs: "):
        train(SHORT.replace(photographs=0.3), dataset=few, out=tmp_path / "run")


def test_sigterm_saves_and_asks_for_exit_code_143(drawn: Dataset, tmp_path: Path) -> None:
    with pytest.raises(Interrupted, match="SIGTERM after step 11 of 40") as stopped:
        train(SHORT, dataset=drawn, out=tmp_path / "run", progress=Signaller(11, signal.SIGTERM))
    assert stopped.value.exit_code == 143
    checkpoint = load_checkpoint(Run(tmp_path / "run"))
    assert checkpoint is not None and checkpoint.step == 11


def test_the_callers_signal_handlers_are_restored_after_a_run(drawn: Dataset, tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    train(SHORT.replace(steps=2), dataset=drawn, out=tmp_path / "run")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_resuming_a_finished_run_changes_no_byte(drawn: Dataset, finished: Run) -> None:
    before = {file: file.read_bytes() for file in finished.path.iterdir()}
    train(dataset=drawn, out=finished.path, resume=True)
    assert {file: file.read_bytes() for file in finished.path.iterdir()} == before


def test_metrics_are_recorded_at_their_intervals_and_at_the_end(finished: Run) -> None:
    history = finished.history
    assert [row.step for row in history.training] == [10, 20, 30, 40]
    assert [row.step for row in history.validation] == [15, 30, 40]
    assert all(isinstance(row, TrainingRow) for row in history.training)
    assert all(isinstance(row, ValidationRow) for row in history.validation)
    assert history.validation[-1].validation_accuracy > 0.9  # the drawn classes are easy
    assert history.training[-1].mean_loss < history.training[0].mean_loss


@pytest.mark.parametrize(
    ("rate", "good_step"),
    [
        (1e30, 1),  # the second loss overflows
        (1e39, None),  # the first step makes the weights infinite; its loss is still finite
    ],
)
def test_a_diverged_run_ends_and_keeps_its_last_finite_checkpoint(
    rate: float, good_step: int | None, drawn: Dataset, tmp_path: Path
) -> None:
    config = SHORT.replace(learning_rate=rate, save_every=1, schedule="constant", warmup=0.0)
    with pytest.raises(DivergedError, match=r"with a lower learning_rate"):
        train(config, dataset=drawn, out=tmp_path / "run")
    run = Run(tmp_path / "run")
    checkpoint = load_checkpoint(run)
    assert not run.is_finished
    assert (checkpoint.step if checkpoint else None) == good_step
    if checkpoint:
        assert all(bool(torch.isfinite(tensor).all()) for tensor in checkpoint.tensors.values())


@pytest.fixture
def stopped(drawn: Dataset, tmp_path: Path) -> Run:
    """A run that was interrupted after step 13."""
    with pytest.raises(Interrupted):
        train(SHORT, dataset=drawn, out=tmp_path / "stopped", progress=Signaller(13))
    return Run(tmp_path / "stopped")


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 1
    file.write_bytes(content)


def test_a_flipped_bit_of_a_manifest_is_noticed_or_changes_nothing(stopped: Run) -> None:
    file = stopped.path / "checkpoint.json"
    original, expected = file.read_bytes(), everything(stopped)[0]
    noticed = 0
    for position in range(len(original)):
        flip(file, position)
        try:
            assert everything(stopped)[0] == expected  # white space, or a digit beyond a number's precision
        except RunError as error:
            assert "checkpoint" in str(error)
            noticed += 1
        file.write_bytes(original)
    assert noticed > len(original) * 0.8


def test_flipped_and_missing_bytes_of_the_tensors_are_noticed(stopped: Run) -> None:
    file = next(stopped.path.glob("checkpoint-*.safetensors"))
    original = file.read_bytes()
    for position in range(0, len(original), max(1, len(original) // 200)):
        flip(file, position)
        with pytest.raises(RunError, match=r"damaged \(expected SHA-256"):
            load_checkpoint(stopped)
        file.write_bytes(original[:position])
        with pytest.raises(RunError, match="damaged"):
            load_checkpoint(stopped)
        file.write_bytes(original)
    file.unlink()
    with pytest.raises(RunError, match="damaged"):
        load_checkpoint(stopped)


def test_changed_metrics_are_noticed(stopped: Run, drawn: Dataset) -> None:
    flip(stopped.path / "metrics.jsonl", 3)
    with pytest.raises(RunError, match="does not match its checkpoint"):
        train(dataset=drawn, out=stopped.path, resume=True)


def test_steps_after_the_checkpoint_are_recorded_again(stopped: Run, drawn: Dataset, finished: Run) -> None:
    with (stopped.path / "metrics.jsonl").open("ab") as file:
        file.write(b'{"step": 14, "los')  # killed in the middle of a line
    assert_equal(train(dataset=drawn, out=stopped.path, resume=True), finished)


def test_a_run_killed_before_its_first_checkpoint_starts_again(
    stopped: Run, drawn: Dataset, finished: Run
) -> None:
    for file in stopped.path.glob("checkpoint*"):
        file.unlink()
    assert_equal(train(dataset=drawn, out=stopped.path, resume=True), finished)


def test_resuming_with_another_configuration_names_what_differs(stopped: Run, drawn: Dataset) -> None:
    with pytest.raises(RunError, match=r"made with steps=40 \(not 50\)"):
        train(SHORT.replace(steps=50), dataset=drawn, out=stopped.path, resume=True)


def test_resuming_with_other_data_is_refused(stopped: Run, drawn: Dataset) -> None:
    with pytest.raises(RunError, match=r"expected fingerprint d+, found e+"):
        train(dataset=dataclasses.replace(drawn, fingerprint="e" * 64), out=stopped.path, resume=True)


def test_data_with_another_validation_split_is_refused(stopped: Run, drawn: Dataset, tmp_path: Path) -> None:
    other = dataclasses.replace(drawn, validation=drawn.test)  # 103 images, where the configuration says 60
    for out, resume in ((stopped.path, True), (tmp_path / "new", False)):
        with pytest.raises(DataError, match=r"drawn: expected 60 validation images.*found 103"):
            train(None if resume else SHORT, dataset=other, out=out, resume=resume)
    assert not (tmp_path / "new").exists()


def test_the_state_is_restored_on_the_networks_device(stopped: Run, drawn: Dataset) -> None:
    network = build_network(stopped.config, (28, 28), 10).to("meta")  # a device that every machine has
    state = TrainState(network, torch.optim.Adam(network.parameters(), fused=True))
    checkpoint = load_checkpoint(stopped)
    assert checkpoint
    state.restore(checkpoint)
    assert {tensor.device.type for name, tensor in state.tensors() if name.startswith("optimizer.")} == {"meta"}


def test_a_folder_with_files_is_not_overwritten(finished: Run, drawn: Dataset) -> None:
    with pytest.raises(RunError, match="expected a new or an empty folder"):
        train(SHORT, dataset=drawn, out=finished.path)


def test_a_checkpoint_of_another_network_is_refused(stopped: Run, drawn: Dataset) -> None:
    file = stopped.path / "config.toml"
    file.write_text(file.read_text().replace("8,", "9,"))
    with pytest.raises(RunError, match="another network"):
        train(dataset=drawn, out=stopped.path, resume=True)


def test_two_processes_do_not_train_in_one_folder(stopped: Run, drawn: Dataset) -> None:
    with stopped.locked(), pytest.raises(RunError, match="another process is writing"):
        train(dataset=drawn, out=stopped.path, resume=True)


def test_the_summary_says_what_was_done(finished: Run) -> None:
    summary = finished.summary
    assert summary["steps"] == 40
    assert summary["parameters"] == 4 * 26 + 8 * (4 * 25 + 1) + 256 * (8 * 49 + 1) + 256 * 10 + 10
    assert summary["seconds"] > 0 and summary["images_per_second"] > 0
    assert summary["command"] == to_command(finished.config)
    json.dumps(summary, allow_nan=False)


def test_a_run_folder_can_be_moved(finished: Run, tmp_path: Path) -> None:
    moved = shutil.copytree(finished.path, tmp_path / "elsewhere")
    for own, copied in zip(
        load_network(finished).parameters(), load_network(Run(moved)).parameters(), strict=True
    ):
        assert torch.equal(own, copied)


def test_the_former_name_of_progress_still_works_with_a_warning(finished: Run, drawn: Dataset) -> None:
    with pytest.warns(DeprecationWarning, match="progress="):
        assert train(dataset=drawn, out=finished.path, resume=True, watch=Progress()).path == finished.path
