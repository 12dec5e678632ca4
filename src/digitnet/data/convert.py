"""From any data set to any format, and back without a bit's difference."""

from pathlib import Path

from digitnet.data.formats.registry import find_format
from digitnet.data.load import read_raw
from digitnet.data.raw import Remark, no_remark


def convert(data: str | Path, destination: str | Path, format: str = "idx", remark: Remark = no_remark) -> Path:
    """Write the data set `data`, a name or a path, to the new path `destination`, and return it.

    `format` is idx, csv or folder, which make a folder, or npz, which makes a file. Training and test part are
    written, in their order. Raises UsageError for an unknown format or name, DataError for data that is damaged
    or that the format can't hold, StorageError when `destination` exists or can't be written.
    """
    chosen = find_format(format)
    path = Path(destination).expanduser()
    chosen.write(read_raw(data, remark), path)
    return path
