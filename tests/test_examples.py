"""Each example fits one screen and runs, on real MNIST."""

import os
from pathlib import Path

import pytest

import processes

FOLDER = Path(__file__).parent.parent / "examples"
EXAMPLES = sorted(set(FOLDER.glob("*.py")) - {FOLDER / "recipe.py"})  # test_recipe has that one


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_fits_one_screen(example: Path) -> None:
    assert len(example.read_text(encoding="utf-8").splitlines()) <= 40


def test_every_example_runs(tmp_path: Path) -> None:
    printed = {
        "first_network": run("first_network.py", "60", tmp_path),
        "see_mistakes": run("see_mistakes.py", "runs/blog-001", tmp_path),
        "own_loop": run("own_loop.py", "30", tmp_path),
        "two_variants": run("two_variants.py", "5", tmp_path),
        "read_a_page": run("read_a_page.py", None, tmp_path),
    }
    assert printed.keys() == {example.stem for example in EXAMPLES}
    assert "Open runs/blog-001/report.html" in printed["first_network"]
    assert len(printed["see_mistakes"].splitlines()) == 20
    assert "of the validation images are read correctly" in printed["own_loop"]
    assert "two layers: 0." in printed["two_variants"]
    assert [len(line) for line in printed["read_a_page"].splitlines()[:3]] == [6, 6, 6]
    assert (tmp_path / "reading.png").stat().st_size > 10_000


def run(name: str, argument: str | None, folder: Path) -> str:
    example = next(path for path in EXAMPLES if path.name == name)
    words = [example, argument] if argument else [example]
    done = processes.run(*words, cwd=folder, env={**os.environ, "PYTHONWARNINGS": "error"})
    assert done.returncode == 0, done.stderr
    return done.stdout
