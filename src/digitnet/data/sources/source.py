"""What a source is. To add one: write a class with these two members, and name it in the catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from digitnet.files import sha256


@dataclass(frozen=True)
class RawFile:
    """A file of a named data set, known by its size and hash, not compressed."""

    name: str
    size: int  # bytes
    sha256: str  # 64 hexadecimal digits

    def check(self, content: bytes | bytearray | memoryview) -> None:
        """Raise SourceFault unless `content` is this file, byte for byte."""
        if len(content) != self.size:
            more = "more than " if len(content) > self.size else ""  # sources stop reading one byte after the end
            found = self.size if more else len(content)
            raise SourceFault(f"{self.name}: expected {self.size:,} bytes, found {more}{found:,}")
        if (found_hash := sha256(memoryview(content))) != self.sha256:
            raise SourceFault(f"{self.name}: expected SHA-256 {self.sha256[:12]}..., found {found_hash[:12]}...")


class SourceFault(Exception):  # noqa: N818 - its message completes a sentence
    """A source can't hand over what it should; the message is a short reason, and the next source is asked."""


class Source(Protocol):
    """Hands over raw files. It need not check them: the cache does, the same way for all."""

    @property
    def label(self) -> str:
        """What people call it: an address, a package, a folder."""

    def fetch(self, wanted: Sequence[RawFile]) -> Iterator[tuple[RawFile, bytes | bytearray]]:
        """Give each wanted file with its content, never more than a byte too much; raise SourceFault."""
