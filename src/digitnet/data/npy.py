"""Bytes of an .npy file -> an array, without making anything of the size that its header claims."""

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.format import MAGIC_PREFIX, read_array_header_1_0, read_array_header_2_0, read_magic

MAGIC = MAGIC_PREFIX
"""What such a file begins with."""

_HEADERS = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}
"""By version of the format; 3.0 differs for structured arrays only."""


def parse(content: bytes | memoryview) -> npt.NDArray[Any]:
    """Read an array of numbers; raise ValueError for anything else."""
    stream = io.BytesIO(content)
    try:
        shape, is_transposed, kind = _HEADERS[read_magic(stream)](stream)
    except Exception as error:  # numpy evaluates the header as Python, and raises whatever that does
        raise ValueError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    if kind.kind not in "buif":
        raise ValueError(f"an array of {kind}")
    if math.prod(shape) * kind.itemsize != len(content) - stream.tell():
        raise ValueError(f"{len(content) - stream.tell():,} bytes for the shape {shape} of {kind}")
    array = np.frombuffer(content, kind, offset=stream.tell())
    return array.reshape(shape, order="F" if is_transposed else "C")
