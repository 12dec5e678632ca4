"""A file holds its old content or all of its new content, whatever happens in between."""

import errno
import io
import itertools
import os
import shutil
import stat
import subprocess
import sys
from array import array
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digitnet.errors import StorageError
from digitnet.files import append, make_folder, sha256, storage_error, sweep, write_whole
from processes import PATIENCE, run

OLD = b"old " * 100
NEW = bytes(range(256)) * 20

posix = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX system")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b""),
        (b"\x00\xff", b"\x00\xff"),
        ("", b""),
        ("é 1\n2\r\n", b"\xc3\xa9 1\n2\r\n"),
        (memoryview(b"abcdef")[2:4], b"cd"),
        (memoryview(array("d", [0.0, 0.0])), bytes(16)),
        (b"x" * 1_000_000, b"x" * 1_000_000),
    ],
)
@pytest.mark.parametrize("old", [None, OLD])
def test_the_file_holds_exactly_the_content_and_nothing_else_is_left(
    content: bytes | str | memoryview, expected: bytes, old: bytes | None, tmp_path: Path
) -> None:
    path = tmp_path / "file.bin"
    if old is not None:
        path.write_bytes(old)
    write_whole(path, content)
    assert path.read_bytes() == expected
    assert list(tmp_path.iterdir()) == [path]


class FaultyDisk:
    """Lets `patience` calls of the system pass, and raises `fault` in the next one.

    Writes take at most 2,000 bytes at a time, as a disk that fills up may do.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: int, patience: int) -> None:
        self.fault, self.patience = fault, patience
        self.fired = ""  # the call that failed
        self.replaced = False
        disk, plain_replace = self, os.replace

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                disk.call("write")
                return super().write(memoryview(data)[:2_000])

        def open_file(path: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
            disk.call("open")
            return io.BufferedWriter(Raw(path, mode.replace("b", "")))

        def replace(source: Path, target: Path) -> None:
            disk.call("replace")
            plain_replace(source, target)
            disk.replaced = True

        monkeypatch.setattr(io, "open", open_file)
        monkeypatch.setattr(os, "replace", replace)
        for name in ("open", "fsync"):
            monkeypatch.setattr(os, name, self.wrap(name, getattr(os, name)))

    def wrap(self, name: str, plain: Any) -> Any:
        """Count the calls of a plain function of the system."""

        def call(*arguments: Any, **options: Any) -> Any:
            self.call(name)
            return plain(*arguments, **options)

        return call

    def call(self, name: str) -> None:
        """Count one call, and fail if it is the one."""
        self.patience -= 1
        if self.patience == -1:
            self.fired = name
            raise OSError(self.fault, os.strerror(self.fault))


@posix
@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES])
@pytest.mark.parametrize("old", [None, OLD])
def test_a_write_that_fails_anywhere_leaves_the_old_bytes_or_the_new_and_says_so(
    fault: int, old: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file.bin"
    failed_in: list[str] = []
    for patience in itertools.count():
        path.unlink(missing_ok=True)
        if old is not None:
            path.write_bytes(old)
        with monkeypatch.context() as patch:
            disk = FaultyDisk(patch, fault, patience)
            try:
                write_whole(path, NEW)
            except StorageError as error:
                sentence = str(error)
                assert disk.fired
            else:
                break
        failed_in.append(disk.fired)
        content = path.read_bytes() if path.exists() else None
        assert content == (NEW if disk.replaced else old)
        assert [other for other in tmp_path.iterdir() if other != path] == []
        assert sentence.startswith(f"{path}: could not be written ({os.strerror(fault).lower()}). ")
        assert sentence.endswith(".")
    assert not disk.fired and path.read_bytes() == NEW
    assert failed_in == ["open", "write", "write", "write", "fsync", "replace", "open", "fsync"]


def test_an_interruption_leaves_the_old_bytes_and_goes_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "file.bin"
    path.write_bytes(OLD)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_whole(path, NEW)
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=64k none "$1" || exit 77
"$2" -c '
import subprocess, sys
from pathlib import Path
from digitnet.errors import StorageError
from digitnet.files import append, write_whole
disk = Path(sys.argv[1])
write_whole(disk / "file.bin", b"o" * 40_000)
if sys.argv[2] == "read-only" and subprocess.run(["mount", "-o", "remount,ro", disk]).returncode:
    sys.exit(77)
for write in write_whole, append:
    try:
        write(disk / ("file.bin" if write is write_whole else "lines.txt"), b"n" * 50_000)
    except StorageError as error:
        print(error)
assert (disk / "file.bin").read_bytes() == b"o" * 40_000
assert {path.name for path in disk.iterdir()} <= {"file.bin", "lines.txt"}
' "$1" "$3"
"""
"""Runs in a mount namespace of its own, so that nothing stays mounted. 77: this machine doesn't allow that."""


@posix
@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("full", "could not be written (no space left on device). Free some space on that disk"),
        (
            "read-only",
            "could not be written (read-only file system). Name a folder on a writable disk.",
        ),
    ],
)
def test_a_disk_that_takes_no_more_keeps_the_old_file_and_gets_a_sentence(
    state: str, sentence: str, tmp_path: Path
) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare, to mount a small disk")
    namespace = ["unshare", "--mount", "--map-root-user"]
    done = subprocess.run(
        [*namespace, "sh", "-c", ON_A_SMALL_DISK, "sh", tmp_path, sys.executable, state],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if done.returncode == 77 or done.stderr.startswith("unshare:"):
        pytest.skip(f"this machine lets no test mount a disk ({done.stderr.strip()})")
    assert done.returncode == 0, done.stderr
    whole, appended = done.stdout.splitlines()
    assert whole.startswith(f"{tmp_path / 'file.bin'}: {sentence}")
    assert appended.startswith(f"{tmp_path / 'lines.txt'}: {sentence}")


@posix
def test_a_folder_without_permission_gets_a_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write everywhere")
        with pytest.raises(StorageError, match=r"permission denied.* Name a folder that you may write to"):
            write_whole(tmp_path / "file.bin", NEW)
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_missing_gets_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file or directory"):
        write_whole(tmp_path / "nowhere" / "file.bin", NEW)


@posix
@pytest.mark.parametrize("umask", [0o022, 0o002, 0o077])
def test_permissions_follow_the_umask(umask: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "file.bin", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.bin").stat().st_mode) == 0o666 & ~umask


KILLER = """
import itertools, os, random, signal, sys, time
from pathlib import Path
from digitnet.files import write_whole
path, seen = Path(sys.argv[1]), Path(sys.argv[2])
instants = random.Random(0)
for round in range(30):
    child = os.fork()
    if not child:
        for k in itertools.count(round):
            write_whole(path, bytes([97 + k % 26]) * (200_000 + k % 26))
    time.sleep(instants.uniform(0, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    (seen / str(round)).write_bytes(path.read_bytes())
"""


@posix
def test_a_process_killed_at_any_instant_leaves_one_whole_content(tmp_path: Path) -> None:
    folder, seen = tmp_path / "folder", tmp_path / "seen"
    folder.mkdir()
    seen.mkdir()
    path = folder / "file.bin"
    write_whole(path, b"a" * 200_000)
    run("-c", KILLER, path, seen, check=True)

    whole = {bytes([97 + k]) * (200_000 + k) for k in range(26)}
    contents = [file.read_bytes() for file in seen.iterdir()]
    assert len(contents) == 30
    assert all(content in whole for content in contents)
    assert len(set(contents)) > 1  # the processes did write

    sweep(folder)
    assert list(folder.iterdir()) == [path]


def test_sweeping_removes_what_a_killed_write_left_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    kept = {".lock", ".hidden", "config.toml", "data.part", "part", ".config.toml.part.bak", "folder/.a.1-2.part"}
    for name in kept | {".config.toml.77-0a1b2c3d.part", ".metrics.jsonl.1-ffffffff.part"}:
        (tmp_path / name).touch()
    sweep(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert left == kept


def test_making_a_folder_makes_its_parents_and_again_is_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c"
    assert make_folder(path) == path
    assert make_folder(path).is_dir()


@pytest.mark.parametrize(
    ("place", "remedy"),
    [
        ("file", "A file has the name of the folder"),
        ("file/below", "A part of that path is a file"),
        ("x" * 300, "Check the disk and the path"),
    ],
)
def test_a_folder_that_cannot_be_made_gets_a_sentence(place: str, remedy: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=remedy) as caught:
        make_folder(tmp_path / place)
    assert str(caught.value).startswith(f"{tmp_path / place}: ")


@settings(deadline=None)
@given(
    st.sampled_from([OSError(number, os.strerror(number)) for number in errno.errorcode]) | st.just(OSError("odd"))
)
def test_every_fault_of_the_system_becomes_a_whole_sentence(fault: OSError) -> None:
    sentence = str(storage_error(Path("runs/a"), fault))
    assert sentence.startswith("runs/a: could not be written (")
    assert sentence.endswith(".")
    assert "none" not in sentence.lower()


def test_appending_makes_the_file_and_adds_to_its_end(tmp_path: Path) -> None:
    for line in (b"one\n", b"", b"two\r\n"):
        append(tmp_path / "file.txt", line)
    assert (tmp_path / "file.txt").read_bytes() == b"one\ntwo\r\n"


@pytest.mark.parametrize("place", ["nowhere/file.txt", "file/file.txt", "folder"])
def test_what_cannot_be_appended_gets_a_sentence(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match="could not be written") as caught:
        append(tmp_path / place, b"line")
    assert str(caught.value).startswith(f"{tmp_path / place}: ")


def test_a_hash_is_sha_256() -> None:
    # FIPS 180-2, appendix B.1
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256(b"abc") == sha256(memoryview(b"abc")) == digest
