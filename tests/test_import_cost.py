"""Asking for help loads nothing heavy: no torch, no plotting, no templates, no pictures."""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from processes import DIGITNET, run

HEAVY = {"PIL", "jinja2", "matplotlib", "onnxruntime", "optuna", "pandas", "safetensors", "scipy", "torch"}


def loaded_by(*words: str) -> set[str]:
    """Run Python with `words` and return the top-level modules that it loaded, even if only for a moment."""
    done = run("-X", "importtime", *words)
    assert done.returncode == 0, done.stderr[-2_000:]
    # a line is "import time: self [us] | cumulative | name", and the name is indented by its depth
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def test_importing_digitnet_loads_neither_numpy_nor_anything_heavy() -> None:
    loaded = loaded_by("-c", "import digitnet; dir(digitnet); digitnet.TrainConfig; digitnet.DigitnetError")
    assert "digitnet" in loaded
    assert loaded & (HEAVY | {"numpy", "rich", "tyro"}) == set()


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["--help"],
        ["--version"],
        *([name, "--help"] for name in ("train", "evaluate", "report", "explain", "search")),
    ],
)
def test_asking_for_help_loads_nothing_heavy(command: list[str]) -> None:
    loaded = loaded_by(*DIGITNET, *command)
    assert "digitnet" in loaded
    assert loaded & (HEAVY | {"numpy"}) == set()


def test_the_numbers_do_load_numpy_and_no_more() -> None:
    loaded = loaded_by("-c", "import digitnet.metrics, digitnet.run_folder, digitnet.evaluation.mistakes")
    assert loaded & (HEAVY | {"numpy"}) == {"numpy"}


def test_training_draws_no_figures_and_loads_nothing_that_does() -> None:
    loaded = loaded_by("-c", "import digitnet.training.train")
    assert loaded & {"torch", "matplotlib", "onnx"} == {"torch"}


@pytest.mark.parametrize("flags", [[], ["--format", "csv"]])
def test_reading_a_picture_loads_only_what_reads(flags: list[str], tmp_path: Path) -> None:
    sheet = Image.new("L", (240, 110), 235)
    ImageDraw.Draw(sheet).text((20, 10), "14", fill=20, font=ImageFont.load_default(size=60))
    sheet.save(tmp_path / "sheet.png")
    loaded = loaded_by(*DIGITNET, "read", str(tmp_path / "sheet.png"), *flags)
    assert loaded & HEAVY == {"PIL", "onnxruntime"}
    assert loaded & {"dask", "distributed", "filelock", "loky", "multiprocessing", "ray", "rich"} == set()
    assert loaded & {"pillow_heif", "pypdfium2"} == set()  # what opens HEIC and PDF
    assert ("tyro" in loaded) == bool(flags)  # what reads flags, where there are none
