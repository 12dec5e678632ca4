"""``digitnet read``."""

from typing import Annotated

from tyro.conf import Positional, arg

from digitnet.cli.options import Engine, Reading
from digitnet.cli.output import print_next_after_reading
from digitnet.engines.options import EngineOptions
from digitnet.reading.options import ReadOptions


def read(
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGE...", help_behavior_hint="(one or more)")],
    reading: Reading = ReadOptions(),  # noqa: B008 - frozen
    parallel: Engine = EngineOptions(),  # noqa: B008 - frozen
) -> None:
    """Read the digits in pictures: photographs, scans, drawings.

    Prints the digits line by line, with ? for a digit that is not sure. Many pictures are read on all cores.

    For example:
        digitnet read photo.jpg --digits 4 --save-picture seen
        digitnet read scans --out answers.csv

    Args:
        images: Pictures, folders of pictures, or - for standard input.
        reading: How pictures are read, and what is done with the results.
        parallel: What does the work.
    """
    from digitnet.reading.command import read_all

    read_all(images, reading, parallel)
    if reading in (ReadOptions(), ReadOptions(format="text")):  # other flags would belong to the command too
        print_next_after_reading(images)
