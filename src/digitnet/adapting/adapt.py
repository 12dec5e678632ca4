"""Adapt a model file to one's own hand."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from safetensors.torch import save as serialise_tensors
from torch import nn

from digitnet import metrics
from digitnet.adapting.adaptation import Adaptation, Group
from digitnet.adapting.cross_validation import FOLDS, STEPS, cross_validate, to_tensors
from digitnet.adapting.finetune import Rehearsal, finetune
from digitnet.adapting.judge import Judge
from digitnet.adapting.lessons import read_lessons
from digitnet.adapting.rebuild import rebuild_network
from digitnet.augmentation.outliers import make_outliers
from digitnet.config import OFF, TrainConfig
from digitnet.data.dataset import Dataset, Split, UInt8
from digitnet.data.load import load_dataset
from digitnet.data.raw import DIGITS
from digitnet.errors import ModelError, UsageError
from digitnet.exporting.export import make_model
from digitnet.files import make_folder, sha256, write_whole
from digitnet.modelfile import ModelInfo
from digitnet.progress import Progress
from digitnet.reading.reader import Reader
from digitnet.serving.shelf import ADAPTED
from digitnet.wording import option

_OUTLIERS = 2_000  # to judge refusal on; 85% of them are no digit
_PAUSE = 2.0  # seconds between two lines of progress in a log


def adapt(
    folder: Path | str,
    model: Path | str | None = None,
    out: Path | str | None = None,
    *,
    seed: int = 0,
    dataset: Dataset | None = None,
    progress: Progress | None = None,
) -> Adaptation:
    """Fine-tune a copy of a model file on one's own digits mixed with MNIST's, and measure what that does.

    `folder` has a subfolder of pictures for each label, see `read_lessons`. `model` is by default the one that
    comes with digitnet. The copy is written to `out`, by default ``adapted.onnx`` in the folder; it keeps the
    calibration and the thresholds of `model`. `dataset` saves loading MNIST again. `progress` shows the progress,
    by default nowhere. Takes about a minute on two cores.

    Raises ModelError for a model that can't be adapted, DataError and PictureError for digits that can't be used,
    StorageError when the file can't be written.
    """
    folder, name = Path(folder).expanduser(), str(model or "digitnet's own model")
    config = TrainConfig(seed=seed)  # which checks it
    reader = Reader(model)
    _check_model(reader.info, name)
    file = _check_file(Path(out).expanduser() if out else folder / ADAPTED)  # where the page finds it
    with progress or Progress() as shown:
        own = read_lessons(folder, reader, shown.message)
        network = rebuild_network(reader.network, name)
        dataset = dataset or load_dataset("mnist", on_message=shown.message)
        shown.message(f"Learning from your {len(own)} digits, and from MNIST's so as not to forget them.")
        steps = _Steps(shown)
        rehearsal, judge = Rehearsal.of(network, dataset, seed), Judge(reader.info)
        found = cross_validate(network, own, rehearsal, judge, seed, steps.advance)
        adapted = network
        for adapted in islice(finetune(network, *to_tensors(own), rehearsal, seed), found.steps):  # noqa: B007
            steps.advance()
        shown.message("Measuring what it has forgotten, and writing the model file: about ten seconds.")
        both, outliers = (network, adapted.eval()), _make_strangers(dataset, seed + 1, rehearsal)
        adaptation = Adaptation(
            model=file,
            steps=found.steps,
            own=Group(judge.judge(network, own)[0], found.right),
            validation=Group(*(judge.judge(one, dataset.validation)[0] for one in both)),
            outliers=Group(*(judge.refuses(one, outliers) for one in both)),
        )
        info = _describe(judge, adapted, dataset.validation, adaptation)
        make_folder(file.parent)
        write_whole(file, make_model(adapted, info, config.replace(**OFF)))
    return adaptation


class _Steps:
    """Counts the steps of all fine-tuning."""

    def __init__(self, progress: Progress) -> None:
        self.done = 0
        self.progress = progress
        progress.begin((FOLDS + 1) * STEPS[-1], unit="steps", pause=_PAUSE)

    def advance(self) -> None:
        """Count one more."""
        self.done += 1
        self.progress.advance(self.done)


def _check_model(info: ModelInfo, name: str) -> None:
    if "adapted" in info.training:
        raise ModelError.mismatch(
            name,
            expected="a model that has not learned from you yet, which alone can tell what your digits teach it",
            found="an adapted one",
            remedy=f"Name the one that it was adapted from with {option('model')}, or none for digitnet's own.",
        )
    if info.labels != DIGITS:
        raise ModelError.mismatch(
            name,
            expected="a model of the digits 0 to 9",
            found=f"the labels {', '.join(info.labels[:10])}",
            remedy=f"Choose another with {option('model')}.",
        )


def _check_file(file: Path) -> Path:
    """Return the file to write; raise UsageError for a folder: that is known before anything is learned."""
    if file.is_dir():
        raise UsageError.mismatch(
            option("out"), expected="a file", found=f"the folder {file}", remedy="Name a file in it."
        )
    return file


def _make_strangers(dataset: Dataset, seed: int, rehearsal: Rehearsal) -> UInt8:
    """Make outliers ``(n, 28, 28)``, no two of them alike, which are of the rehearsal's kinds but not in it.

    Printed characters are few, so the same ones come again.
    """
    images, labels = make_outliers(dataset, _OUTLIERS, seed)
    known = {image.tobytes() for image in rehearsal.images.numpy()}
    strangers = {image.tobytes(): image for image in images[labels == dataset.classes, 0].numpy() if image.any()}
    return np.stack([image for content, image in strangers.items() if content not in known])


def _describe(judge: Judge, network: nn.Module, validation: Split, adaptation: Adaptation) -> ModelInfo:
    """Describe the new file: the old one's calibration, but this network's curve, and what was measured."""
    probabilities, _ = judge.answer(network, validation.images)
    correct = probabilities.argmax(axis=1) == validation.labels
    curve = metrics.coverage_curve(probabilities.max(axis=1), correct).points(100)
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    base = judge.info
    return replace(
        base,
        calibration=replace(base.calibration, curve=curve),
        training={"config": base.training.get("config"), "base": base.training, "adapted": adaptation.to_json()},
        weights_sha256=sha256(serialise_tensors(tensors)),
    )
