"""Each example fits one screen and runs, on real MNIST."""

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from processes import run as run_python

EXAMPLES = {path.stem: path for path in (Path(__file__).parent.parent / "examples").glob("*.py")}
del EXAMPLES["recipe"]  # test_recipe has that one
Run = Callable[..., str]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_fits_one_screen(name: str) -> None:
    assert len(EXAMPLES[name].read_text(encoding="utf-8").splitlines()) <= 40


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run an example in an empty folder; in this process, which has imported torch already."""
    monkeypatch.chdir(tmp_path)

    def run(name: str, *words: str) -> str:
        monkeypatch.setattr("sys.argv", [name, *words])
        runpy.run_path(str(EXAMPLES[name]), run_name="__main__")
        return capsys.readouterr().out

    return run


@pytest.mark.acceptance
def test_every_example_runs(run: Run, tmp_path: Path) -> None:
    printed = {
        "first_network": run("first_network", "30"),
        "scikit_learn": run("scikit_learn", "20"),
        "own_loop": run("own_loop", "30"),
        "two_variants": run("two_variants", "5"),
        "read_a_page": run("read_a_page"),
    }
    report = Path(printed["first_network"].rpartition("Open ")[2].strip())
    printed["see_mistakes"] = run("see_mistakes", str(report.parent))
    assert printed.keys() == EXAMPLES.keys() - {"ray_serve"}
    assert report.is_file() and "best: {'learning_rate': 0.005}" in printed["scikit_learn"]
    assert {path.name for path in tmp_path.iterdir()} == {"reading.png"}  # nothing else where one happens to be
    assert len(printed["see_mistakes"].splitlines()) == 20
    assert "of the validation images are read correctly" in printed["own_loop"]
    assert "two layers: 0." in printed["two_variants"]
    assert [len(line) for line in printed["read_a_page"].splitlines()[:3]] == [6, 6, 6]
    assert (tmp_path / "reading.png").stat().st_size > 10_000


@pytest.mark.acceptance
def test_ray_serve_reads_a_picture() -> None:
    done = run_python(EXAMPLES["ray_serve"])
    assert done.returncode == 0, done.stderr
    assert "47" in done.stdout.splitlines()  # among what Ray says
