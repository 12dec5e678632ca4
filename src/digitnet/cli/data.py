"""``digitnet data fetch``, ``data show`` and ``data convert``."""

import json
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from digitnet.cli.options import DataName, Format
from digitnet.cli.output import print_message, print_next


def data_fetch(data: DataName = "mnist") -> None:
    """Download a known data set into the cache, and print its folder.

    For example:
        digitnet data fetch emnist-letters

    Args:
        data: mnist, fashion-mnist, kmnist, qmnist, usps, omniglot, emnist-digits, emnist-letters, emnist-balanced.
    """
    from digitnet.data.cache import fetch
    from digitnet.data.catalog import DATASETS

    folder = fetch(data, print_message)
    print_message(DATASETS[data].about)
    print(folder)
    print_next("look at its images", "data", "show", data, "--picture", "samples.png")


def data_show(
    data: DataName = "mnist",
    picture: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None,
    validation_images: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: 5000)")] = None,
    format: Format = "text",
) -> None:
    """Count and check the images of a data set, and warn of whatever looks wrong.

    For example:
        digitnet data show mnist --picture samples.png

    Args:
        data: A known name, or the path of IDX files, a CSV, an .npz or folders of pictures.
        picture: Also draw sample images with their labels into this PNG file.
        validation_images: Number of training images, the first ones, that are kept for validation; by default a
            tenth of each class where 5000 are too many, or the data's own part.
        format: text for people, json for programs.
    """
    from digitnet.data.catalog import DATASETS
    from digitnet.data.inspection import describe
    from digitnet.data.load import load_dataset
    from digitnet.reporting.tables import Table

    dataset = load_dataset(data, validation_images=validation_images, on_message=print_message)
    description = describe(dataset)
    if picture:
        from digitnet.reporting.figures import sample_figure, save_figure

        save_figure(sample_figure(dataset.train, dataset.label_names), picture)
        print_message(f"Drew sample images: {picture}")
    if format == "json":
        print(json.dumps(description.to_json(), indent=2))
        return
    height, width = description.image_shape
    darkest, brightest = description.pixel_range
    print(f"{description.name}: images of {height} x {width} pixels, values from {darkest} to {brightest}.")
    if data in DATASETS:
        print(DATASETS[data].about)
    parts = [[f"{count:,}" for count in counts] for counts in description.counts.values()]
    totals = [f"{sum(counts):,}" for counts in description.counts.values()]
    rows = (*zip(description.label_names, *parts, strict=True), ("all", *totals))
    print(Table("Images of each class:", ("class", *description.counts), rows).to_text())
    for warning in description.warnings:
        print(f"Warning: {warning}")
    if not description.warnings:
        print("Nothing looks wrong.")
    flags = () if validation_images is None else ("--validation-images", validation_images)
    print_next("train on it", "train", "--data", data, *flags)


def data_convert(
    data: DataName,
    destination: Annotated[Positional[Path], arg(metavar="DESTINATION")],
    to: Literal["idx", "csv", "npz", "folder"] = "idx",
) -> None:
    """Write a data set in another format, and print the new path.

    For example:
        digitnet data convert mnist mnist-pictures --to folder

    Args:
        data: A known name, or the path of IDX files, a CSV, an .npz or folders of pictures.
        destination: A new path: a file for npz, else a folder.
        to: MNIST's own format, tables of labels and pixels, one archive of arrays, or a folder of pictures.
    """
    from digitnet.data.load import convert

    print(convert(data, destination, to, print_message))
    print_next("train on it", "train", "--data", destination)
