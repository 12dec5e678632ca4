"""Sources: a good one hands over the files; every bad one says in a few words why it does not."""

import gzip
import io
import os
import stat
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from mirror import Answer, Mirror, send, send_status, send_well, serve
from small import CONTENTS, FILES

from digitnet.data.content import GzipError, gunzip
from digitnet.data.raw import ignore_message
from digitnet.data.sources.folder import LocalFolder
from digitnet.data.sources.https import HttpsMirror
from digitnet.data.sources.npm import NpmPackage
from digitnet.data.sources.source import RawFile, Source, SourceError
from digitnet.files import sha256


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    with serve(tmp_path, monkeypatch) as running:
        yield running


def complaint(source: Source) -> str:
    """Ask for all files, check them as the cache does, and return what is wrong."""
    with pytest.raises(SourceError) as caught:
        for file, content in source.fetch(FILES, ignore_message):
            file.check(content)
    return str(caught.value)


def received(source: Source) -> dict[str, bytes]:
    return {file.name: bytes(content) for file, content in source.fetch(FILES, ignore_message)}


def test_a_good_mirror_hands_over_every_file(mirror: Mirror) -> None:
    assert received(HttpsMirror(mirror.address)) == CONTENTS


def send_as_it_is(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    send(handler, content, code=404 if handler.path.endswith(".gz") else 200)


def test_a_mirror_whose_files_are_not_gzipped_is_asked_for_them_as_they_are(mirror: Mirror) -> None:
    mirror.answers[""] = send_as_it_is
    assert received(HttpsMirror(mirror.address, gzipped=False)) == CONTENTS


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda handler, content: send(handler, content + b"!"), "expected 816 bytes, found more than 816"),
        (lambda handler, content: send(handler, bytes(50_000_000)), "found more than 816"),
        (lambda handler, content: send(handler, content[:-1]), "expected 816 bytes, found 815"),
        (lambda handler, content: send(handler, content[:-1], length=816), "expected 816 bytes, found 815"),
        (lambda handler, content: send(handler, content[:-1] + b"!"), "expected SHA-256 "),
    ],
)
def test_a_bad_file_that_is_not_gzipped_is_refused(mirror: Mirror, answer: Answer, words: str) -> None:
    mirror.answers[""] = answer
    assert words in complaint(HttpsMirror(mirror.address, gzipped=False))


def test_a_long_download_says_how_far_it_is(mirror: Mirror) -> None:
    content = bytes(110_000_000)
    mirror.answers["long"] = lambda handler, _: send(handler, content)
    said: list[str] = []
    wanted = [RawFile("long", len(content), sha256(content))]
    (file, received), *_ = HttpsMirror(mirror.address, gzipped=False).fetch(wanted, said.append)
    file.check(received)
    assert said == ["50 of 110 MB have arrived.", "100 of 110 MB have arrived."]


def short(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    body = gzip.compress(content)
    send(handler, body[:-20], length=len(body))


def redirect_to_http(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    host = handler.headers["Host"]
    send(handler, b"", 302, Location=f"http://{host}{handler.path}")


def zeros(count: int) -> Answer:
    return lambda handler, content: send(handler, gzip.compress(bytes(count)))


BAD_ANSWERS: list[tuple[Answer, str]] = [
    (send_status(403), "it answered 403 Forbidden"),
    (send_status(404), "it answered 404 Not Found"),
    (send_status(503), "it answered 503 Service Unavailable"),
    (lambda handler, content: send(handler, b"<html>hello", kind="text/html"), "it sent a web page instead"),
    (lambda handler, content: send(handler, b"<html>hello"), "not gzip"),
    (lambda handler, content: send(handler, b""), "expected 816 bytes, found 0"),
    (short, "the gzip data ends early"),
    (lambda handler, content: send_well(handler, content[:-1]), "expected 816 bytes, found 815"),
    (lambda handler, content: send_well(handler, content + b"!"), "expected 816 bytes, found more than 816"),
    (lambda handler, content: send_well(handler, content[:-1] + b"!"), "expected SHA-256 "),
    (lambda handler, content: send(handler, gzip.compress(content)[:-8] + bytes(8)), "damaged gzip data"),
    (zeros(1_000_000), "found more than 816"),
    (zeros(50_000_000), "it sent more than the file can contain"),
    (lambda handler, content: send(handler, gzip.compress(b"") * 1000), "it sent more than the file can contain"),
    (redirect_to_http, "it redirects to an address that is not https"),
]


@pytest.mark.parametrize(("answer", "words"), BAD_ANSWERS)
def test_a_bad_mirror_says_why(mirror: Mirror, answer: Answer, words: str) -> None:
    mirror.answers[""] = answer
    assert words in complaint(HttpsMirror(mirror.address))
    assert mirror.requests == [FILES[0].name]  # it is given up at its first error


def test_a_redirect_within_https_is_followed(mirror: Mirror) -> None:
    there = f"{mirror.address}/{FILES[0].name}.gz"
    mirror.answers["moved"] = lambda handler, content: send(handler, b"", 302, Location=there)
    (_, content), *_ = HttpsMirror(mirror.address).fetch([RawFile("moved", FILES[0].size, FILES[0].sha256)])
    assert content == CONTENTS[FILES[0].name]


def test_a_mirror_that_falls_silent_is_given_up(mirror: Mirror) -> None:
    mirror.answers[""] = lambda handler, content: (send(handler, b"\x1f\x8b", length=99), mirror.closing.wait(9))[
        0
    ]
    assert complaint(HttpsMirror(mirror.address, silence=1.0)) == "it stopped answering"


def drip(mirror: Mirror, pause: float) -> Answer:
    """Send byte after byte, each in a packet of its own."""

    def answer(handler: BaseHTTPRequestHandler, content: bytes) -> None:
        body = gzip.compress(content)
        send(handler, b"", length=len(body))
        for byte in body:
            handler.wfile.write(bytes([byte]))
            if mirror.closing.wait(pause):
                return

    return answer


def test_a_mirror_that_drips_is_given_up_at_the_deadline(mirror: Mirror) -> None:
    mirror.answers[""] = drip(mirror, pause=0.05)
    assert complaint(HttpsMirror(mirror.address, silence=5, deadline=0.4)) == "it was too slow"


def test_the_size_of_the_packets_does_not_matter(mirror: Mirror) -> None:
    mirror.answers[""] = drip(mirror, pause=0.0)
    assert received(HttpsMirror(mirror.address)) == CONTENTS


def test_a_certificate_that_is_not_trusted_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(tmp_path, monkeypatch, trusted=False) as stranger:
        assert complaint(HttpsMirror(stranger.address)).startswith("its certificate is not trusted (")
        assert stranger.requests == []


def test_an_address_that_nobody_serves_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "localhost")
    assert complaint(HttpsMirror("https://localhost:1")).startswith("it can't be reached (")


def test_plain_http_is_never_spoken() -> None:
    assert complaint(HttpsMirror("http://localhost:1")) == "the address is not https"


def test_expansion_stops_at_its_limit() -> None:
    bomb = io.BytesIO(gzip.compress(bytes(2**20)) * 1000)  # 1 MB that would become 1 GB
    assert gunzip(bomb, 5_000_001) == bytes(5_000_001)
    assert bomb.tell() < 400_000  # and the rest is not even read


def test_every_truncation_of_gzip_is_noticed() -> None:
    packed = gzip.compress(CONTENTS["t10k-labels-idx1-ubyte"])
    for length in range(1, len(packed)):
        with pytest.raises(GzipError):
            gunzip(io.BytesIO(packed[:length]), 1000)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_folder_hands_over_plain_and_gzipped_files(tmp_path: Path, ending: str) -> None:
    for name, content in CONTENTS.items():
        (tmp_path / f"{name}{ending}").write_bytes(gzip.compress(content) if ending else content)
    assert received(LocalFolder(str(tmp_path), "digits")) == CONTENTS


def test_a_bad_folder_says_why(tmp_path: Path) -> None:
    assert (
        complaint(LocalFolder(str(tmp_path / "none"), "digits"))
        == "there is no such folder; Debian's package digits installs it"
    )
    assert complaint(LocalFolder(str(tmp_path), "digits")) == "it has no train-images-idx3-ubyte"
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"hello")
    assert complaint(LocalFolder(str(tmp_path), "digits")) == "train-images-idx3-ubyte.gz: not gzip"


def install_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called npm first in the path."""
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def pack(path: Path, contents: dict[str, bytes | None]) -> Path:
    """Write an archive as npm does; a content of None makes a link."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            member.size = len(content or b"")
            archive.addfile(member, io.BytesIO(content or b""))
    return path


def test_a_package_is_asked_for_once_and_hands_over_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = pack(tmp_path / "archive", dict(CONTENTS))
    install_npm(tmp_path, monkeypatch, f"echo $* >> '{tmp_path}/calls'; cp '{archive}' small-1.0.0.tgz")
    assert received(NpmPackage("small", "1.0.0")) == CONTENTS
    calls = (tmp_path / "calls").read_text().splitlines()
    assert [call.split()[:3] for call in calls] == [["pack", "small@1.0.0", "--ignore-scripts"]]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'npm error code E404' >&2; exit 1", "npm pack failed: code E404"),
        ("exit 0", "npm pack failed: it gave no reason"),
        ("echo hello > small.tgz", "a damaged package ("),
    ],
)
def test_an_npm_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    install_npm(tmp_path, monkeypatch, script)
    assert complaint(NpmPackage("small", "1.0.0")).startswith(words)


def test_an_npm_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(tmp_path, monkeypatch, "exec sleep 600")
    assert complaint(NpmPackage("small", "1.0.0", timeout=1.0)) == "npm took longer than 1 seconds"


def test_a_machine_without_npm_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert complaint(NpmPackage("small", "1.0.0")) == "npm is not installed"


@pytest.mark.parametrize(
    ("contents", "words"),
    [
        ({}, "the package lacks package/data/train-images-idx3-ubyte"),
        ({FILES[0].name: None}, "package/data/train-images-idx3-ubyte is not a regular file"),
        ({"bomb": bytes(50_000_000)}, "the package contains far more than the files"),
        ({FILES[0].name: bytes(5000)}, "expected 816 bytes, found more than 816"),
    ],
)
def test_a_bad_package_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes | None], words: str
) -> None:
    archive = pack(tmp_path / "archive", contents)
    install_npm(tmp_path, monkeypatch, f"cp '{archive}' small-1.0.0.tgz")
    assert words in complaint(NpmPackage("small", "1.0.0"))
