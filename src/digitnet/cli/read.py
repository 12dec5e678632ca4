"""``digitnet read``."""

from typing import Annotated

from tyro.conf import DisallowNone, OmitArgPrefixes, Positional, arg

from digitnet.cli.options import EngineFlags
from digitnet.engines.options import EngineOptions
from digitnet.reading.options import ReadOptions


def read(
    images: Annotated[Positional[tuple[str, ...]], arg(metavar="IMAGE...", help_behavior_hint="(one or more)")],
    reading: OmitArgPrefixes[DisallowNone[ReadOptions]] = ReadOptions(),  # noqa: B008 - frozen
    parallel: EngineFlags = EngineOptions(),  # noqa: B008 - frozen
) -> None:
    """Read the digits in pictures: photographs, scans, drawings.

    Prints the digits, line by line, and ? for one that is not sure. Many pictures are read on all cores.

    For example: digitnet read photo.jpg --digits 4 --save-picture seen

    Args:
        images: Pictures, folders of pictures, or - for standard input.
        reading: How pictures are read, and what becomes of the results.
        parallel: What does the work.
    """
    from digitnet.reading.command import read_all

    read_all(images, reading, parallel)
