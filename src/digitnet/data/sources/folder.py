"""A folder of this machine, where a system package has put the files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitnet.data.content import BadGzip, gunzip
from digitnet.data.sources.source import RawFile, SourceFault


@dataclass(frozen=True)
class LocalFolder:
    """A folder with the raw files, plain or with ``.gz`` at the end of their names."""

    path: str
    package: str  # of Debian, which makes the folder

    @property
    def label(self) -> str:
        """What people call it."""
        return self.path

    def fetch(self, wanted: Sequence[RawFile]) -> Iterator[tuple[RawFile, bytes | bytearray]]:
        """Give each wanted file with its content; raise SourceFault."""
        if not Path(self.path).is_dir():
            raise SourceFault(f"there is no such folder; Debian's package {self.package} makes it")
        for file in wanted:
            yield file, self._read(file)

    def _read(self, file: RawFile) -> bytes | bytearray:
        plain = Path(self.path, file.name)
        packed = plain.with_name(file.name + ".gz")
        try:
            if plain.is_file():
                with plain.open("rb") as stream:
                    return stream.read(file.size + 1)
            with packed.open("rb") as stream:
                return gunzip(stream, file.size + 1)
        except FileNotFoundError as fault:
            raise SourceFault(f"it has no {file.name}") from fault
        except OSError as fault:
            raise SourceFault(f"{file.name}: {fault.strerror}") from fault
        except BadGzip as fault:
            raise SourceFault(f"{packed.name}: {fault}") from fault
