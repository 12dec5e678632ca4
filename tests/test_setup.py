"""The first minutes of a newcomer: a fresh clone, `make train`, and what the README says about it."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def make(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=850
    )


def test_make_alone_lists_every_target() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    printed = make(ROOT).stdout
    assert targets == {line.split()[0] for line in printed.splitlines()[1:]}
    assert make(ROOT, "help").stdout == printed


def test_the_readme_begins_with_the_two_commands() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^make \w+", readme, re.MULTILINE)
    assert commands[:2] == ["make train", "make test"]
    assert readme.index("make train") < readme.index("docs/figures/") < readme.index("<!-- results -->")


def test_the_tree_of_the_house_names_every_module() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    tree = text[text.index("src/digitnet/\n") : text.index("tests/   ")]
    source = ROOT / "src" / "digitnet"
    for path in source.rglob("*.py"):
        parts = path.relative_to(source).with_suffix("").parts
        name = parts[-1] if len(parts) <= 2 else parts[1]  # a folder inside a room stands for its modules
        name = "engines" if parts[0] == "engines" else name  # a room with one door: its modules are its own affair
        if not name.startswith("__"):
            assert re.search(rf"\b{re.escape(name)}\b", tree), f"{path} is missing in the tree in CONTRIBUTING.md"


DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def without_code(document: Path) -> str:
    return re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return what code hosts make of the headings: small letters, hyphens for spaces, and no other signs."""
    headings = re.findall(r"^#+ (.+)$", without_code(document), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_links_to_exists(document: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)", without_code(document), re.MULTILINE):
        name, _, anchor = "".join(link).partition("#")
        if "://" not in name:
            target = document.parent / name if name else document
            assert target.exists(), name
            assert not anchor or anchor in anchors(target), f"{name}#{anchor}"


@pytest.mark.acceptance
@pytest.mark.timeout(900)
def test_a_fresh_clone_trains_in_a_folder_with_a_space_and_sets_itself_up_once(tmp_path: Path) -> None:
    clone = tmp_path / "my digits"
    subprocess.run(["git", "clone", "--quiet", "--local", ROOT, clone], check=True)
    first = make(clone, "train", "FLAGS=--steps 150")
    assert first.returncode == 0, first.stderr
    assert "Setting up .venv" in first.stderr
    assert re.search(r"^Test accuracy 0\.\d{4} \(95% interval", first.stdout)
    assert (clone / first.stdout.splitlines()[1].removeprefix("Report: ")).is_file()

    second = make(clone, "train", "FLAGS=--steps 150 --quiet")
    assert second.returncode == 0
    assert second.stderr == ""
    assert second.stdout.splitlines()[0] == first.stdout.splitlines()[0]  # the same seed, the same bits


@pytest.mark.acceptance
def test_an_old_python_is_answered_in_one_sentence(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text(
        "#!/bin/sh\nexec python3 -c 'import sys; sys.version_info = (3, 9); exec(sys.argv[1])' \"$2\"\n"
    )
    old.chmod(0o755)
    subprocess.run(["git", "clone", "--quiet", "--local", ROOT, tmp_path / "clone"], check=True)
    done = make(tmp_path / "clone", "train", f"PYTHON={old}")
    assert done.returncode != 0
    assert "digitnet needs Python 3.11 or newer" in done.stderr
