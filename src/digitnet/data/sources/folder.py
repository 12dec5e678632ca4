"""A folder of this machine in which a system package installs the files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitnet.data.content import GzipError, gunzip
from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.source import RawFile, SourceError


@dataclass(frozen=True)
class LocalFolder:
    """A folder with the raw files, plain or gzipped with ``.gz`` after their names."""

    path: str
    package: str  # the Debian package that installs the folder

    def __str__(self) -> str:
        return self.path

    def fetch(
        self, wanted: Sequence[RawFile], on_message: OnMessage = ignore_message
    ) -> Iterator[tuple[RawFile, bytes | bytearray]]:
        """Yield each wanted file with its content; raise SourceError."""
        if not Path(self.path).is_dir():
            raise SourceError(f"there is no such folder; Debian's package {self.package} installs it")
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
        except FileNotFoundError as error:
            raise SourceError(f"it has no {file.name}") from error
        except OSError as error:
            raise SourceError(f"{file.name}: {error.strerror}") from error
        except GzipError as error:
            raise SourceError(f"{packed.name}: {error}") from error
