"""``digitnet data fetch``, ``data show`` and ``data convert``."""

import json
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from digitnet.cli.options import DataName, Format
from digitnet.cli.output import print_message, print_table


def data_fetch(data: DataName = "mnist") -> None:
    """Bring a known data set into the cache, and print its folder.

    Args:
        data: mnist or fashion-mnist.
    """
    from digitnet.data.cache import fetch

    print(fetch(data, print_message))


def data_show(
    data: DataName = "mnist",
    picture: Annotated[Path | None, arg(metavar="FILE")] = None,
    validation_images: int = 5_000,
    format: Format = "text",
) -> None:
    """Count and check a data set, and warn of what looks wrong.

    Args:
        data: A known name, or the path of IDX files, a CSV, an .npz or folders of pictures.
        picture: Also draw sample images with their labels, as a PNG file.
        validation_images: The first so many training images are kept for validation.
        format: For people, or for programs.
    """
    from digitnet.data.inspection import describe
    from digitnet.data.load import load_dataset

    dataset = load_dataset(data, validation_images=validation_images, on_message=print_message)
    description = describe(dataset)
    if picture:
        from digitnet.reporting.figures import sample_figure, save_figure

        save_figure(sample_figure(dataset.train, dataset.label_names), picture)
        print_message(f"Drew sample images: {picture}")
    if format == "json":
        print(json.dumps(description.to_json(), indent=2))
        return
    rows, columns = description.image_shape
    darkest, brightest = description.pixel_range
    print(f"{description.name}: images of {rows} x {columns} pixels, values from {darkest} to {brightest}.")
    parts = [[f"{count:,}" for count in counts] for counts in description.counts.values()]
    totals = [f"{sum(counts):,}" for counts in description.counts.values()]
    print_table(
        ["class", *description.counts], [*zip(description.label_names, *parts, strict=True), ["all", *totals]]
    )
    for warning in description.warnings:
        print(f"Warning: {warning}")
    if not description.warnings:
        print("Nothing looks wrong.")


def data_convert(
    data: DataName,
    destination: Annotated[Positional[Path], arg(metavar="DESTINATION")],
    to: Literal["idx", "csv", "npz", "folder"] = "idx",
) -> None:
    """Write a data set in another format, and print where.

    Args:
        data: A known name, or the path of IDX files, a CSV, an .npz or folders of pictures.
        destination: A new path: a folder, or for npz a file.
        to: Files in MNIST's own format, tables of label and pixels, one archive of arrays, or pictures.
    """
    from digitnet.data.load import convert

    print(convert(data, destination, to, print_message))
