"""Convert any data set to any format, bit for bit."""

from pathlib import Path

from digitnet.data.formats.registry import find_format
from digitnet.data.load import read_raw
from digitnet.data.raw import OnMessage, ignore_message


def convert(
    data: str | Path, destination: str | Path, format: str = "idx", on_message: OnMessage = ignore_message
) -> Path:
    """Write the data set `data`, a name or a path, to the new path `destination`, and return it.

    The formats idx, csv and folder make a folder, npz makes a file. Both parts, training and test, keep their
    order. Raises UsageError for an unknown format or name, DataError for data that is damaged or that the format
    can't hold, StorageError when `destination` exists or can't be written.
    """
    chosen = find_format(format)
    path = Path(destination).expanduser()
    chosen.write(read_raw(data, on_message), path)
    return path
