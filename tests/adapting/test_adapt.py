"""A copy that is adapted to one's own hand is judged honestly, and is a model file like any other."""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pillow_heif
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw
from sklearn.datasets import load_digits  # type: ignore[import-untyped]
from torch import nn

from conftest import SHORT, Command, draw
from digitnet.adapting import cross_validation
from digitnet.adapting.adapt import adapt
from digitnet.adapting.adaptation import Adaptation, Group
from digitnet.adapting.cross_validation import FOLDS, assign_folds, cross_validate, to_tensors
from digitnet.adapting.finetune import Rehearsal, finetune
from digitnet.adapting.judge import Judge
from digitnet.adapting.lessons import read_lessons
from digitnet.adapting.rebuild import rebuild_network
from digitnet.data.dataset import Dataset, Split
from digitnet.data.load import load_dataset
from digitnet.errors import DataError, ModelError, PictureError, UsageError
from digitnet.exporting.export import export
from digitnet.modelfile import DECISIONS
from digitnet.networks import test_time_augmentation
from digitnet.reading.network import SHIPPED, Network
from digitnet.reading.reader import Reader
from digitnet.serving.shelf import BLOG
from digitnet.training.train import train

Bools = npt.NDArray[np.bool_]


def write(folder: Path, split: Split) -> Path:
    """Write digits as the page keeps them."""
    for index, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{index:03d}.png")
    return folder


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine-tune for a few steps only."""
    monkeypatch.setattr(cross_validation, "STEPS", (2, 5))


def count_right(model: Path, split: Split) -> int:
    answers = Network(model).answer_images(split.images.astype(np.float32))
    is_accepted = answers.decisions == DECISIONS.index("accepted")
    return int((is_accepted & (answers.probabilities.argmax(axis=1) == split.labels)).sum())


# ---- Rebuilding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [SHIPPED, BLOG], ids=["reader", "blog"])
def test_a_rebuilt_network_answers_as_its_file(path: Path) -> None:
    network = Network(path)
    rebuilt = rebuild_network(network, "the model")  # which compares them
    weights = [w for w in network.read_weights() if w is not None]
    assert sum(w.size for w in weights) <= sum(p.numel() for p in rebuilt.parameters())


def test_deskewing_and_test_time_augmentation_are_rebuilt(model: Path) -> None:
    assert isinstance(rebuild_network(Network(model), "the model"), test_time_augmentation.TestTimeAugmentation)


@pytest.mark.acceptance
def test_an_ensemble_is_refused(drawn: Dataset, tmp_path: Path, model: Path) -> None:
    run = train(SHORT.replace(steps=5, members=2, tta=1), dataset=drawn, out=tmp_path / "run")
    file = export(run, tmp_path / "model.onnx", calibration=Network(model).info.calibration)
    with pytest.raises(ModelError, match="without members"):
        rebuild_network(Network(file), "model.onnx")


# ---- Judging ----------------------------------------------------------------------------------------------------


@pytest.mark.acceptance
def test_the_adapted_file_reads_and_says_what_it_learned(
    model: Path, drawn: Dataset, tmp_path: Path, short: None
) -> None:
    folder = write(tmp_path / "own", draw(40, seed=5))
    adaptation = adapt(folder, model, dataset=drawn)
    assert adaptation.model == folder / "adapted.onnx"
    network = Network(adaptation.model)
    assert network.info.training["adapted"] == json.loads(json.dumps(adaptation.to_json()))
    assert network.info.calibration.sure == Network(model).info.calibration.sure
    assert count_right(adaptation.model, drawn.validation) == adaptation.validation.counts[1]
    assert count_right(model, drawn.validation) == adaptation.validation.counts[0]
    assert len(adaptation.own.after) == 40
    with pytest.raises(ModelError, match="an adapted one"):
        adapt(folder, adaptation.model, dataset=drawn)


def test_the_same_seed_learns_the_same(drawn: Dataset) -> None:
    network = rebuild_network(Network(BLOG), "blog")
    own, rehearsal = draw(20, seed=5), Rehearsal.of(network, drawn, seed=0)

    def learn(seed: int) -> list[torch.Tensor]:
        *_, learner = islice(finetune(network, *to_tensors(own), rehearsal, seed), 4)
        return list(learner.parameters())

    first, again, other = learn(3), learn(3), learn(4)
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(torch.equal(one, two) for one, two in zip(first, other, strict=True))


class Memory(nn.Sequential):
    """Knows the label of each image that it was shown, and takes all others for no digit at all."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        super().__init__(nn.Linear(1, 1))
        self.images, self.labels = images.flatten(1).float(), labels

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        is_known = (images.flatten(1)[:, None] == self.images).all(dim=2).float()  # (B, learned)
        known = 30 * is_known @ nn.functional.one_hot(self.labels, 10).float()
        return torch.cat([known, 20 - known.amax(dim=1, keepdim=True)], dim=1)


def test_a_digit_is_judged_by_networks_that_did_not_learn_it(monkeypatch: pytest.MonkeyPatch) -> None:
    network, judge, own = rebuild_network(Network(BLOG), "blog"), Judge(Network(SHIPPED).info), draw(43, seed=5)
    learned: list[int] = []

    def memorise(
        network: nn.Module, images: torch.Tensor, labels: torch.Tensor, *rest: object
    ) -> Iterator[Memory]:
        learned.append(len(labels))
        while True:
            yield Memory(images, labels)

    monkeypatch.setattr(cross_validation, "finetune", memorise)
    rehearsal = Rehearsal(torch.zeros(1, 1, 28, 28, dtype=torch.uint8), torch.zeros(1, 11))
    found = cross_validate(network, own, rehearsal, judge, seed=0, after_step=lambda: None)
    assert not found.right.any()
    assert sum(learned) == 4 * len(own)  # each digit by four of the five
    assert judge.judge(Memory(*to_tensors(own)), own)[0].all()  # one that had seen them would know them all


@given(arrays(np.uint8, st.integers(10, 60), elements=st.integers(0, 9)), st.integers(0, 9))
def test_every_label_is_spread_evenly_and_equal_images_share_a_fold(
    labels: npt.NDArray[np.uint8], seed: int
) -> None:
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0] = np.arange(len(labels))
    folds = assign_folds(Split(images, labels), seed)
    for label in range(10):
        counts = np.bincount(folds[labels == label], minlength=FOLDS)
        assert counts.max() - counts.min() <= 1
    doubled = Split(np.concatenate([images, images]), np.concatenate([labels, labels]))
    first, second = np.split(assign_folds(doubled, seed), 2)
    np.testing.assert_array_equal(first, second)


def group(gained: int, lost: int, kept: int = 20) -> Group:
    before: Bools = np.array([False] * gained + [True] * (lost + kept))
    after: Bools = np.array([True] * gained + [False] * lost + [True] * kept)
    return Group(before, after)


@pytest.mark.parametrize(
    ("own", "is_better", "said"),
    [
        (group(6, 0), True, "Better on your digits"),
        (group(5, 0), False, "can't be told"),  # p = 0.0625
        (group(0, 0), False, "Nothing changed"),
        (group(1, 9), False, "Worse on your digits"),
    ],
)
def test_it_is_called_better_only_where_chance_does_not_explain_it(own: Group, is_better: bool, said: str) -> None:
    adaptation = Adaptation(Path("model.onnx"), 30, own, validation=group(1, 1), outliers=group(0, 0))
    assert adaptation.is_better is is_better
    assert said in adaptation.verdict
    assert adaptation.price == ""


def test_what_it_has_forgotten_is_said() -> None:
    adaptation = Adaptation(Path("model.onnx"), 30, group(9, 0), validation=group(2, 30), outliers=group(0, 8))
    assert "28 fewer of MNIST's 52" in adaptation.price
    assert "8 more of 28 that are no digit are accepted" in adaptation.price


@pytest.mark.acceptance
def test_a_hand_that_differs_is_read_better_and_one_that_does_not_is_not_called_so(tmp_path: Path) -> None:
    mnist, coarse = load_dataset("mnist"), load_digits()
    pictures = [cv2.resize(image, (64, 64)) for image in (coarse.images * 255 / 16).astype(np.uint8)]
    images = Network().answer_crops(np.stack(pictures)[..., None]).images.round().astype(np.uint8)
    labels = coarse.target.astype(np.uint8)
    own, others = Split(images[:60], labels[:60]), Split(images[60:], labels[60:])
    adaptation = adapt(write(tmp_path / "coarse", own), dataset=mnist)
    assert adaptation.is_better
    assert count_right(adaptation.model, others) > count_right(SHIPPED, others) + 0.1 * len(others)
    assert adaptation.validation.counts[1] > adaptation.validation.counts[0] - 50
    same = Split(mnist.train.images[:30], mnist.train.labels[:30])
    assert not adapt(write(tmp_path / "same", same), dataset=mnist).is_better


# ---- A person's own pictures ------------------------------------------------------------------------------------


def photograph(digit: str) -> Image.Image:
    picture = Image.new("L", (160, 200), 225)
    ImageDraw.Draw(picture).text((45, 20), digit, fill=30, font_size=130)
    return picture


def test_pictures_of_one_digit_are_learned_beside_kept_ones(tmp_path: Path) -> None:
    kept = write(tmp_path, draw(12, seed=5))
    (kept / ".DS_Store").write_bytes(b"\0")
    photograph("3").save(kept / "3" / "photo.jpg")
    Image.new("L", (160, 200), 225).save(kept / "3" / "nothing.png")
    said: list[str] = []
    own = read_lessons(kept, Reader(), said.append)
    assert len(own) == 13
    assert np.bincount(own.labels)[3] == 2
    assert len(said) == 1 and "nothing.png" in said[0]
    seen = Reader().read(kept / "3" / "photo.jpg", single=True).lines[0].digits[0].image
    assert any((image == seen).all() for image in own.images[own.labels == 3])


def test_a_photograph_of_any_format_is_learned(tmp_path: Path) -> None:
    kept = write(tmp_path, draw(12, seed=5))
    before = len(list((kept / "3").iterdir()))
    for suffix in ("gif", "avif", "pdf"):
        photograph("3").save(kept / "3" / f"photo.{suffix}")
    pillow_heif.from_pillow(photograph("3")).save(kept / "3" / "photo.heic")
    own = read_lessons(kept, Reader())
    copies = 12 + 4 - len(own)  # formats without loss look the same to the network
    assert copies <= 2
    assert np.bincount(own.labels)[3] == before + 4 - copies


def test_copies_count_once_and_a_large_picture_is_no_surprise(tmp_path: Path) -> None:
    kept = write(tmp_path, draw(12, seed=5))
    first = next((kept / "0").iterdir())
    for number in range(3):
        (kept / "0" / f"copy{number}.png").write_bytes(first.read_bytes())
    said: list[str] = []
    assert len(read_lessons(kept, Reader(), said.append)) == 12
    assert len(said) == 1 and "3 of your digits" in said[0]
    Image.new("1", (20_000, 10_000)).save(kept / "0" / "scan.png")
    with pytest.raises(PictureError, match="scan"):
        read_lessons(kept, Reader())


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(tmp_path: Path, seed: int) -> None:
    with pytest.raises(UsageError, match="seed: "):
        adapt(write(tmp_path, draw(12, seed=5)), seed=seed)


def test_a_folder_can_not_be_the_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="out: "):
        adapt(write(tmp_path / "own", draw(12, seed=5)), out=tmp_path)


def no_folder(folder: Path) -> None:
    pass


def too_few(folder: Path) -> None:
    write(folder, draw(9, seed=1))


def no_picture(folder: Path) -> None:
    write(folder, draw(12, seed=1))
    (folder / "4" / "notes.txt").write_text("a 4")


@pytest.mark.parametrize(
    ("prepare", "error", "found"),
    [
        (no_folder, DataError, "no such folder"),
        (too_few, DataError, "found 9"),
        (no_picture, PictureError, "notes.txt"),
    ],
)
def test_what_cannot_be_learned_from_is_said(
    tmp_path: Path, prepare: Callable[[Path], None], error: type[Exception], found: str
) -> None:
    prepare(tmp_path / "own")
    with pytest.raises(error, match=found):
        adapt(tmp_path / "own")


def test_the_command_says_what_is_wrong_and_leaves_nothing(digitnet: Command, tmp_path: Path) -> None:
    result = digitnet("adapt", "nowhere")
    assert result.returncode == 1
    assert result.stderr.startswith("digitnet: nowhere: expected at least 10 digits")
    assert list(tmp_path.iterdir()) == []
