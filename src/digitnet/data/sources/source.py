"""The interface of a source. To add one: write a class with `fetch` and `__str__`, and name it in the catalog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from digitnet.data.raw import OnMessage
from digitnet.files import sha256


@dataclass(frozen=True)
class RawFile:
    """A file of a named data set, as the cache keeps it."""

    name: str
    size: int  # bytes
    sha256: str  # 64 hexadecimal digits

    def check(self, content: bytes | bytearray | memoryview) -> None:
        """Raise SourceError unless `content` is this file, byte for byte."""
        if len(content) != self.size:
            more = "more than " if len(content) > self.size else ""  # sources read at most one byte too many
            found = self.size if more else len(content)
            raise SourceError(f"{self.name}: expected {self.size:,} bytes, found {more}{found:,}")
        if (found_hash := sha256(memoryview(content))) != self.sha256:
            raise SourceError(f"{self.name}: expected SHA-256 {self.sha256[:12]}..., found {found_hash[:12]}...")


class SourceError(Exception):
    """A source can't give a file. The message is a short reason, and the next source is tried."""


class Source(Protocol):
    """Gives raw files. It need not check them: the cache does, in the same way for all sources.

    Its text, for messages, is an address, a package or a folder.
    """

    def fetch(
        self, wanted: Sequence[RawFile], on_message: OnMessage
    ) -> Iterator[tuple[RawFile, bytes | bytearray]]:
        """Yield each wanted file with its content, at most one byte too long; raise SourceError.

        `on_message` is told how far a long download is.
        """
