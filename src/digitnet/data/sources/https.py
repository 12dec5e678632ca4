"""A mirror on the web, mostly with the files gzipped: always https, certificates always verified."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.source import RawFile, SourceError


@dataclass(frozen=True)
class HttpsMirror:
    """A folder on a web server that has each file as ``NAME.gz``, or as it is."""

    address: str  # https://host/folder
    gzipped: bool = True  # whether the files end in .gz
    silence: float = 20.0  # seconds without a byte after which the mirror counts as stalled
    deadline: float = 600.0  # seconds for one file in all; 9 MB need 15 kB/s

    def __str__(self) -> str:
        return self.address.removeprefix("https://")

    def fetch(
        self, wanted: Sequence[RawFile], on_message: OnMessage = ignore_message
    ) -> Iterator[tuple[RawFile, bytearray]]:
        """Yield each wanted file with its content; raise SourceError."""
        from digitnet.data.sources.transfer import download  # imports TLS, 50 ms that only a download should cost

        if not self.address.startswith("https://"):
            raise SourceError("the address is not https")
        for file in wanted:
            url = f"{self.address}/{file.name}{'.gz' if self.gzipped else ''}"
            content = download(
                url,
                file.size + 1,
                silence=self.silence,
                deadline=self.deadline,
                gzipped=self.gzipped,
                on_message=on_message,
            )
            yield file, content
