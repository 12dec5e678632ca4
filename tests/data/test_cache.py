"""The cache: good files are only read, bad ones replaced, and many that ask at once fetch once."""

import errno
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock
from mirror import Mirror, send_status, serve
from small import CONTENTS, FILES, make_dataset

from digitnet.data.cache import fetch, read_cached
from digitnet.data.raw import OnMessage
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.source import RawFile, SourceError
from digitnet.errors import DataError, StorageError, UsageError
from processes import end, running


@dataclass
class Shelf:
    """A source in memory that keeps what it was asked for."""

    contents: dict[str, bytes] = field(default_factory=lambda: dict(CONTENTS))
    name: str = "the shelf"
    asked: list[list[str]] = field(default_factory=list)

    def __str__(self) -> str:
        return self.name

    def fetch(self, wanted: Sequence[RawFile], on_message: OnMessage) -> Iterator[tuple[RawFile, bytes]]:
        self.asked.append([file.name for file in wanted])
        for file in wanted:
            if file.name not in self.contents:
                raise SourceError(f"it has no {file.name}")
            yield file, self.contents[file.name]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "small"


def assert_good(folder: Path) -> None:
    """The cache holds the four files, and nothing else but the lock."""
    found = {file.name: file.read_bytes() for file in folder.iterdir() if file.name != ".lock"}
    assert found == CONTENTS


def test_what_is_missing_is_fetched_once(folder: Path) -> None:
    shelf = Shelf()
    for _ in range(2):
        assert [bytes(content) for content in read_cached(make_dataset(shelf))] == list(CONTENTS.values())
        assert fetch(make_dataset(shelf)) == folder
    assert_good(folder)
    assert shelf.asked == [list(CONTENTS)]


@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"!",
        lambda content: content[:9] + bytes([content[9] ^ 1]) + content[10:],
    ],
)
def test_a_damaged_file_is_noticed_and_replaced_alone(folder: Path, name: str, damage: object) -> None:
    shelf = Shelf()
    fetch(make_dataset(shelf))
    assert callable(damage)
    (folder / name).write_bytes(damage(CONTENTS[name]))
    fetch(make_dataset(shelf))
    assert_good(folder)
    assert shelf.asked[1:] == [[name]]


def test_every_bit_and_every_length_of_a_file_counts() -> None:
    file, content = FILES[3], CONTENTS[FILES[3].name]
    flips = [
        content[:place] + bytes([content[place] ^ 1 << bit]) + content[place + 1 :]
        for place in range(len(content))
        for bit in range(8)
    ]
    for wrong in [*flips, *(content[:length] for length in range(len(content)))]:
        with pytest.raises(SourceError):
            file.check(wrong)


def test_a_complete_cache_is_only_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch(make_dataset(Shelf()))
    (folder / ".lock").unlink()
    before = folder.stat().st_mtime_ns
    folder.chmod(0o555)
    try:
        fetch(make_dataset())
    finally:
        folder.chmod(0o755)
    assert folder.stat().st_mtime_ns == before  # nothing was made in it, not even a lock


def test_what_is_read_can_be_changed_without_harm_to_the_cache(folder: Path) -> None:
    content, *_ = read_cached(make_dataset(Shelf()))
    content[20] ^= 255
    assert_good(folder)


def test_what_one_source_lacks_the_next_one_gives(folder: Path) -> None:
    first, second = list(CONTENTS)[:2]
    poor = Shelf({first: CONTENTS[first], second: b"rubbish"})
    rich = Shelf()
    remarks: list[str] = []
    fetch(make_dataset(poor, rich), remarks.append)
    assert_good(folder)
    assert rich.asked == [list(CONTENTS)[1:]]
    assert remarks == [
        "Fetching small from the shelf.",
        "the shelf: train-labels-idx1-ubyte: expected 48 bytes, found 7.",
        "Fetching small from the shelf.",
    ]


def test_when_all_fail_the_error_says_what_each_said_and_what_to_do() -> None:
    with pytest.raises(DataError) as caught:
        fetch(make_dataset(Shelf({}, "one"), Shelf(dict.fromkeys(CONTENTS, b"<html>"), "two")))
    message = str(caught.value)
    assert "\n  one: it has no train-images-idx3-ubyte\n" in message
    assert "\n  two: train-images-idx3-ubyte: expected 816 bytes, found 6\n" in message
    assert message.endswith("and name it with data='DIR'.")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"There is no data set 'fashon-mnist'. Did you mean 'fashion-mnist'"):
        fetch("fashon-mnist")


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("DIGITNET_CACHE", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="could not be written"):
        fetch(make_dataset(Shelf()))


def test_a_disk_that_loses_what_was_written_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitnet.data.cache.write_whole", lambda path, content: None)
    with pytest.raises(DataError, match=r"changed again after they were checked"):
        fetch(make_dataset(Shelf()))


def test_the_lock_is_given_back(folder: Path) -> None:
    fetch(make_dataset(Shelf()))
    with FileLock(folder / ".lock", timeout=0) as lock:
        assert lock.is_locked


def test_a_full_disk_is_a_sentence_and_leaves_nothing_bad(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", refuse)
        with pytest.raises(StorageError, match="no space left"):
            fetch(make_dataset(Shelf()))
    assert [file.name for file in folder.iterdir() if file.name != ".lock"] == []
    fetch(make_dataset(Shelf()))
    assert_good(folder)


def test_what_a_killed_process_left_is_swept_away(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / ".train-images-idx3-ubyte.1-abcd.part").write_bytes(b"half")
    fetch(make_dataset(Shelf()))
    assert_good(folder)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with serve(tmp_path, monkeypatch) as running:
        yield running


def test_a_bad_mirror_hands_over_to_a_good_one(mirror: Mirror, folder: Path) -> None:
    mirror.answers["t10k-images-idx3-ubyte"] = send_status(503)
    fetch(make_dataset(HttpsMirror(mirror.address), Shelf()))
    assert_good(folder)


def test_thirty_two_processes_at_once_ask_the_network_once(mirror: Mirror, folder: Path) -> None:
    script = """
import sys
from small import CONTENTS, make_dataset
from digitnet.data.cache import read_cached
from digitnet.data.sources.https import HttpsMirror
print(flush=True); sys.stdin.readline()  # ready; now wait for the others
contents = read_cached(make_dataset(HttpsMirror(sys.argv[1])))
assert [bytes(content) for content in contents] == list(CONTENTS.values())
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with ExitStack() as started:
        processes = [
            started.enter_context(running("-c", script, mirror.address, stdin=subprocess.PIPE, env=environment))
            for _ in range(32)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            end(process)
    assert [process.returncode for process in processes] == [0] * 32
    assert sorted(mirror.requests) == sorted(CONTENTS)
    assert_good(folder)
