"""``digitnet predict``."""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg

from digitnet.cli.output import print_message, print_next

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from digitnet.data.dataset import UInt8


def predict(
    model: Annotated[Positional[Path], arg(metavar="RUN|MODEL")],
    images: Annotated[Positional[Path], arg(metavar="FILE")],
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
) -> None:
    """Predict the labels of images that have none, as a table.

    The columns are image, label and probability; for a .csv file they are ImageId and Label, as Kaggle wants them.

    For example:
        digitnet predict runs/fast-001 test.csv --out submission.csv
        digitnet predict runs/fast-001 digits/

    Args:
        model: A folder that `digitnet train` made, or a model file.
        images: A .csv, .npz or .npy file, IDX images, a picture or a folder of pictures, laid out as the training
            images. For photographs there is `digitnet read`.
        out: Write the table into this file.
    """
    from digitnet.data.unlabelled import read_unlabelled_images
    from digitnet.files import refuse_existing, write_whole

    if out is not None:
        refuse_existing(out)
    unlabelled = read_unlabelled_images(images, print_message)
    probabilities, names = _predict(model, unlabelled.images)
    best = probabilities.argmax(axis=1)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    is_kaggles = unlabelled.kind == "ImageId"
    writer.writerow(("ImageId", "Label") if is_kaggles else (unlabelled.kind, "label", "probability"))
    for name, label, row in zip(unlabelled.names, best, probabilities, strict=True):
        writer.writerow((name, names[label], *([] if is_kaggles else [f"{row[label]:.4f}"])))
    if out is None:
        print(table.getvalue(), end="")
        return
    write_whole(out, table.getvalue())
    print(out)
    if model.is_dir():
        print_next("see where it errs", "report", model)


def _predict(model: Path, images: "UInt8") -> "tuple[npt.NDArray[np.float32], tuple[str, ...]]":
    """Return probabilities ``(N, K)`` and the names of the classes."""
    if model.is_dir():
        from digitnet.evaluation.predict import predict
        from digitnet.run_folder import Run

        run = Run(model)
        return predict(run, images), tuple(run.environment["label_names"])
    from digitnet.reading.reader import Reader

    reader = Reader(model)
    return reader.predict_proba(images), reader.info.labels
