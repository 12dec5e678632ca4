"""The content of a file: mapped where it is plain, expanded within a limit where it is gzip."""

import gzip
import mmap
import os
import zlib
from pathlib import Path
from typing import IO

_PIECE = 1 << 20  # bytes


class BadGzip(Exception):  # noqa: N818 - its message completes a sentence
    """The bytes are not gzip, or are damaged; the message is a short reason."""


def open_content(path: Path) -> memoryview:
    """View a file's bytes; processes that view one file share its memory. Raises OSError.

    What is written to the view stays in this process and never reaches the file.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return memoryview(b"")  # the system maps no empty files
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def gunzip(compressed: IO[bytes], limit: int) -> bytearray:
    """Expand at most `limit` bytes, which may be fewer than there are; raise BadGzip.

    To learn whether a file is too long, ask for one byte more than it should have. The check sum is compared
    when the end is reached. Memory stays below `limit` and a megabyte, whatever the input holds.
    """
    expanded = bytearray()
    try:
        with gzip.GzipFile(fileobj=compressed, mode="rb") as file:
            while len(expanded) < limit and (piece := file.read(min(_PIECE, limit - len(expanded)))):
                expanded += piece
    except gzip.BadGzipFile as fault:
        raise BadGzip("not gzip" if str(fault).startswith("Not a gzipped") else "damaged gzip data") from fault
    except EOFError as fault:
        raise BadGzip("the gzip data ends early") from fault
    except zlib.error as fault:
        raise BadGzip("damaged gzip data") from fault
    return expanded
