"""IDX, the format of the MNIST files: a short header, then raw bytes. This module opens no files.

    bytes   content (integers are big-endian)               source: yann.lecun.com/exdb/mnist
    0-1     zero
    2       type of the values; 8 is an unsigned byte, 12 an integer of four
    3       number of dimensions: 3 for images, 1 for labels, 2 for QMNIST's extended labels
    4-      each dimension in 4 bytes; then the values, the last dimension changing fastest

The bytes may come from anywhere, so nothing in them is trusted: anything wrong raises a DataError.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from digitnet.data.dataset import UInt8
from digitnet.errors import DataError

Content = bytes | bytearray | memoryview
Number = TypeVar("Number", bound=np.generic)

LARGEST = 2**31  # bytes of values in one file; EMNIST's largest part has 547,178,688

_REMEDY = "Replace the file with an undamaged copy."


@dataclass(frozen=True)
class Kind(Generic[Number]):
    """What a file holds, as the first four bytes of its header say."""

    name: str
    counted: tuple[str, ...]  # what each dimension counts
    type: "np.dtype[Number]"
    code: int  # the type in the header

    @property
    def magic(self) -> int:
        """The first four bytes as a number."""
        return (self.code << 8) + len(self.counted)

    @property
    def header_length(self) -> int:
        """Length of the header in bytes: 16 for images, 8 for labels."""
        return 4 + 4 * len(self.counted)


IMAGES = Kind("images", ("images", "rows", "columns"), np.dtype(np.uint8), code=8)
LABELS = Kind("labels", ("labels",), np.dtype(np.uint8), code=8)
EXTENDED_LABELS: Kind[np.int32] = Kind("extended labels", ("labels", "columns"), np.dtype(">i4"), code=12)

_KINDS: dict[int, Kind[Any]] = {kind.magic: kind for kind in (IMAGES, LABELS, EXTENDED_LABELS)}


def parse(content: Content, kind: Kind[Number], where: object) -> npt.NDArray[Number]:
    """View `content` without a copy as what `kind` says, for example images ``(N, rows, columns)``.

    Raises DataError that begins with `where`.
    """
    shape = _shape(content, kind, where)
    expected, found = kind.header_length + _size(shape, kind), len(content)
    if found != expected:
        end = "ends early" if found < expected else "continues after its last value"
        raise _mismatch(where, f"{expected:,} bytes for {_describe(shape, kind)}", f"{found:,} (the file {end})")
    return np.frombuffer(content, kind.type, offset=kind.header_length).reshape(shape)


def header(values: UInt8) -> bytes:
    """Make the header for `values`: images ``(N, rows, columns)`` or labels ``(N,)``."""
    return struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)


def to_bytes(values: UInt8) -> bytes:
    """Encode images ``(N, rows, columns)`` or labels ``(N,)`` as the content of an IDX file."""
    return header(values) + values.tobytes()


def whole_length(head: Content, kind: Kind[Any], where: object) -> int:
    """Length of the whole file in bytes, according to its header; raise DataError for an invalid header."""
    return kind.header_length + _size(_shape(head, kind, where), kind)


def _shape(content: Content, kind: Kind[Any], where: object) -> tuple[int, ...]:
    if len(content) < kind.header_length:
        raise _mismatch(where, f"a header of {kind.header_length} bytes", f"a file of {len(content)}")
    magic, *shape = struct.unpack_from(f">{1 + len(kind.counted)}I", content)
    if magic != kind.magic:
        raise _mismatch(where, f"IDX {kind.name} (magic number {kind.magic})", _guess(magic))
    for size, counted in zip(shape, kind.counted, strict=True):
        if size == 0:
            raise _mismatch(where, f"one or more {counted}", "none")
    if _size(shape, kind) > LARGEST:
        raise _mismatch(where, f"at most {LARGEST:,} bytes", f"a header for {_describe(shape, kind)}")
    return tuple(shape)


def _size(shape: Sequence[int], kind: Kind[Any]) -> int:
    """Length of the values in bytes; Python's integers don't overflow, so any header may be asked."""
    return math.prod(shape) * kind.type.itemsize


def _mismatch(where: object, expected: str, found: str) -> DataError:
    return DataError.mismatch(where, expected=expected, found=found, remedy=_REMEDY)


def _guess(magic: int) -> str:
    """Say what a file with this magic number probably is."""
    if magic >> 16 == 0x1F8B:
        return "gzip (the name of such a file must end in .gz)"
    if magic in _KINDS:
        return f"IDX {_KINDS[magic].name} (magic number {magic})"
    if magic >> 16 == 0:
        return f"IDX of another type or shape (magic number {magic})"
    return f"something else (magic number {magic})"


def _describe(shape: Sequence[int], kind: Kind[Any]) -> str:
    count, *sides = shape
    size = f" of {'x'.join(f'{side:,}' for side in sides)}" if sides else ""
    return f"{count:,} {kind.counted[0]}{size}"
