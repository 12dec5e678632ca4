"""Damaged data as a person meets it: one sentence on standard error, exit code 1, and nothing written."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import draw
from digitnet.cli.main import main
from digitnet.data.idx import to_bytes

Damage = Callable[[Path], str]
"""Writes a damaged data set into a folder, and returns the path to name, relative to that folder."""


def idx(folder: Path) -> None:
    for part, split in (("train", draw(80, seed=1)), ("t10k", draw(20, seed=2))):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(to_bytes(split.images))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(to_bytes(split.labels))


def changed(name: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(folder: Path) -> str:
        idx(folder)
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        return "."

    return damage


def bomb(folder: Path) -> str:
    idx(folder)
    file = folder / "train-labels-idx1-ubyte"
    with gzip.open(f"{file}.gz", "wb") as packed:
        packed.write(struct.pack(">4BI", 0, 0, 8, 1, 80))
        for _ in range(64):
            packed.write(bytes(1 << 20))
    file.unlink()
    return "."


def without_files(folder: Path) -> str:
    (folder / "letter.txt").write_text("Dear reader")
    return "."


def unreadable_picture(folder: Path) -> str:
    pictures(folder)
    (folder / "train" / "cat" / "3.png").write_bytes(b"no picture")
    return "."


def empty_class(folder: Path) -> str:
    pictures(folder)
    (folder / "train" / "cow").mkdir()
    return "."


def pictures(folder: Path) -> None:
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            (folder / part / name).mkdir(parents=True)
            for number in range(6):
                Image.fromarray(np.full((8, 8), 40 * number, np.uint8)).save(
                    folder / part / name / f"{number}.png"
                )


def csv(text: str) -> Damage:
    def damage(folder: Path) -> str:
        (folder / "digits.csv").write_text(text)
        return "digits.csv"

    return damage


ROWS = "".join(f"{n % 10},0,0,0,255\n" for n in range(80))
CASES: list[tuple[str, Damage, str]] = [
    ("a folder without the files", without_files, "letter.txt"),
    ("a file that ends early", changed("train-images-idx3-ubyte", lambda b: b[:-5]), "ends early"),
    ("a file that is too long", changed("t10k-labels-idx1-ubyte", lambda b: b + b"x"), "t10k-labels-idx1-ubyte"),
    ("a wrong magic number", changed("train-images-idx3-ubyte", lambda b: b"\1" + b[1:]), "magic"),
    (
        "fewer labels than images",
        changed("train-labels-idx1-ubyte", lambda b: to_bytes(np.frombuffer(b[8:-1], np.uint8))),
        "expected a label for each of the 80 images, found 79 labels",
    ),
    ("a label of 77", changed("train-labels-idx1-ubyte", lambda b: b[:-1] + b"\x4d"), "found 77 for image 79"),
    ("a gzip bomb", bomb, "train-labels-idx1-ubyte.gz"),
    ("a picture that is none", unreadable_picture, "3.png: can't be read"),
    ("a class without pictures", empty_class, "cow"),
    ("a table without labels", csv("pixel0,pixel1,pixel2,pixel3\n" + ROWS), "label"),
    ("a pixel of 300", csv("label,pixel0,pixel1,pixel2,pixel3\n" + ROWS + "3,0,0,0,300\n"), "found 300"),
]


@pytest.mark.parametrize(("damage", "sentence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize("command", [["data", "show"], ["train", "--steps", "1", "--data"]], ids=["show", "train"])
def test_damaged_data_is_answered_in_one_sentence(
    command: list[str], damage: Damage, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / damage(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    assert main([*command, str(path), "--validation-images", "10"]) == 1
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.startswith("digitnet: ") or "\ndigitnet: " in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not (tmp_path / "runs").exists()
