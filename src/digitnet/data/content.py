"""The content of a file: a plain file is memory-mapped, gzip data is expanded up to a limit."""

import gzip
import mmap
import os
import zlib
from pathlib import Path
from typing import IO

_PIECE = 1 << 20  # bytes


class GzipError(Exception):
    """The bytes are not gzip, or are damaged; the message is a short reason that completes a sentence."""


def open_content(path: Path) -> memoryview:
    """Memory-map a file and return its bytes; processes that map the same file share its pages. Raises OSError.

    The mapping is copy-on-write: writing to the view changes it in this process only, never the file.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            return memoryview(b"")  # an empty file can't be mapped
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))


def gunzip(compressed: IO[bytes], limit: int) -> bytearray:
    """Expand gzip data to at most `limit` bytes and ignore the rest; raise GzipError.

    To find out whether a file is too long, ask for one byte more than it should have. The checksum is compared
    at the end of the data. Memory stays below `limit` plus a megabyte, whatever the input is.
    """
    expanded = bytearray()
    try:
        with gzip.GzipFile(fileobj=compressed, mode="rb") as file:
            while len(expanded) < limit and (piece := file.read(min(_PIECE, limit - len(expanded)))):
                expanded += piece
    except gzip.BadGzipFile as error:
        raise GzipError("not gzip" if str(error).startswith("Not a gzipped") else "damaged gzip data") from error
    except EOFError as error:
        raise GzipError("the gzip data ends early") from error
    except zlib.error as error:
        raise GzipError("damaged gzip data") from error
    return expanded
