"""IDX, the format of the MNIST files: a short header, then raw bytes. This module opens no files.

    bytes   content (integers are big-endian)               source: yann.lecun.com/exdb/mnist
    0-1     zero
    2       type of the values; 8 is an unsigned byte
    3       number of dimensions: 3 for images, 1 for labels
    4-      each dimension in 4 bytes; then the values, the last dimension changing fastest

The bytes may come from anywhere, so nothing in them is trusted: anything wrong raises a DataError.
"""

import math
import struct
from collections.abc import Sequence

import numpy as np

from digitnet.data.dataset import UInt8
from digitnet.errors import DataError

Content = bytes | bytearray | memoryview

IMAGES, LABELS = 3, 1  # number of dimensions, which tells images from labels
LARGEST = 2**31  # bytes of values in one file; EMNIST's largest part has 547,178,688

_KINDS = {IMAGES: "images", LABELS: "labels"}
_COUNTED = {IMAGES: ("images", "rows", "columns"), LABELS: ("labels",)}
_REMEDY = "Replace the file with an undamaged copy."


def parse(content: Content, dimensions: int, where: object) -> UInt8:
    """View `content` as IMAGES ``(N, rows, columns)`` or LABELS ``(N,)`` without a copy.

    Raises DataError that begins with `where`.
    """
    shape = _shape(content, dimensions, where)
    start = header_length(dimensions)
    expected, found = start + math.prod(shape), len(content)
    if found != expected:
        end = "ends early" if found < expected else "continues after its last value"
        raise _mismatch(where, f"{expected:,} bytes for {_describe(shape)}", f"{found:,} (the file {end})")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def header(values: UInt8) -> bytes:
    """Make the header for `values`: images ``(N, rows, columns)`` or labels ``(N,)``."""
    return struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)


def to_bytes(values: UInt8) -> bytes:
    """Encode images ``(N, rows, columns)`` or labels ``(N,)`` as the content of an IDX file."""
    return header(values) + values.tobytes()


def header_length(dimensions: int) -> int:
    """Length of the header in bytes: 16 for images, 8 for labels."""
    return 4 + 4 * dimensions


def whole_length(head: Content, dimensions: int, where: object) -> int:
    """Length of the whole file in bytes, according to its header; raise DataError for an invalid header."""
    return header_length(dimensions) + math.prod(_shape(head, dimensions, where))


def _shape(content: Content, dimensions: int, where: object) -> tuple[int, ...]:
    start = header_length(dimensions)
    if len(content) < start:
        raise _mismatch(where, f"a header of {start} bytes", f"a file of {len(content)}")
    magic, *shape = struct.unpack_from(f">{1 + dimensions}I", content)
    if magic != 0x0800 + dimensions:
        raise _mismatch(where, f"IDX {_KINDS[dimensions]} (magic number {0x0800 + dimensions})", _guess(magic))
    for size, counted in zip(shape, _COUNTED[dimensions], strict=True):
        if size == 0:
            raise _mismatch(where, f"one or more {counted}", "none")
    if math.prod(shape) > LARGEST:  # Python's integers don't overflow, so this is safe for any header
        raise _mismatch(where, f"at most {LARGEST:,} bytes", f"a header for {_describe(shape)}")
    return tuple(shape)


def _mismatch(where: object, expected: str, found: str) -> DataError:
    return DataError.mismatch(where, expected=expected, found=found, remedy=_REMEDY)


def _guess(magic: int) -> str:
    """Say what a file with this magic number probably is."""
    if magic >> 16 == 0x1F8B:
        return "gzip (the name of such a file must end in .gz)"
    if magic in (0x0800 + IMAGES, 0x0800 + LABELS):
        return f"IDX {_KINDS[magic & 0xFF]} (magic number {magic})"
    if magic >> 16 == 0:
        return f"IDX of another type or shape (magic number {magic})"
    return f"something else (magic number {magic})"


def _describe(shape: Sequence[int]) -> str:
    count, *sides = shape
    return f"{count:,} images of {sides[0]:,}x{sides[1]:,}" if sides else f"{count:,} labels"
