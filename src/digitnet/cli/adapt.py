"""``digitnet adapt``."""

import json
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Format, Switch
from digitnet.cli.output import print_next


def adapt(
    folder: Annotated[Positional[Path], arg(metavar="FOLDER")],
    model: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: digitnet's own)")] = None,
    out: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: FOLDER/adapted.onnx)")] = None,
    seed: int = 0,
    format: Format = "text",
    quiet: Switch = False,
) -> None:
    """Adapt a model file to your own hand, and tell whether that helped.

    A copy is fine-tuned on your digits mixed with MNIST's. Each of your digits is judged by a network that did not
    learn it.

    For example:
        digitnet serve
        digitnet adapt own-digits
        digitnet read photo.jpg --model own-digits/adapted.onnx

    Args:
        folder: Your digits, in a folder for each label: what the page of `digitnet serve` kept, or pictures of one
            digit each, as 7/photo.jpg.
        model: A model file that `digitnet export` wrote.
        out: The file to write.
        seed: Seed of the folds, the order of the images and the augmentation.
        format: text for people, json for programs.
        quiet: Show no progress, only the answer.
    """
    from digitnet.adapting.adapt import adapt
    from digitnet.progress import make_progress
    from digitnet.reporting.tables import Table

    adapted = adapt(folder, model, out, seed=seed, progress=make_progress(quiet=quiet))
    if format == "json":
        print(json.dumps({"model": str(adapted.model), **adapted.to_json()}, indent=2))
        return

    rows = (
        ("your digits, right", *adapted.own.cells),
        ("MNIST's validation images, right", *adapted.validation.cells),
        ("what is no digit, not accepted", *adapted.outliers.cells),
    )
    print(Table("With 95% intervals:", ("", "before", "after"), rows).to_text())
    print(" ".join(filter(None, (adapted.verdict, adapted.price))))
    print(f"Model: {adapted.model}")
    if not quiet:
        print_next("read with it", "read", "photo.jpg", "--model", adapted.model)
        print_next("see it on the page", "serve", adapted.model)
