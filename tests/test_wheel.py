"""The wheel alone, in an environment with nothing else: it reads, names what it lacks, trains and serves."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from sheets import draw_sheet

ROOT = Path(__file__).parent.parent
MINUTES = 20 * 60  # torch may have to be fetched

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(MINUTES)]


class Environment:
    """A virtual environment, in which commands run as in a person's shell, far from the sources."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONSTARTUP")
        self.variables = {name: value for name, value in os.environ.items() if name not in hidden}
        self.variables["PATH"] = f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
        self.variables["PIP_CONSTRAINT"] = str(ROOT / "constraints.txt")

    def run(self, *words: object) -> "subprocess.CompletedProcess[str]":
        line = [*map(str, words)]
        return subprocess.run(line, cwd=self.folder, env=self.variables, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT]
    subprocess.run(built, check=True)
    (file,) = folder.glob("digitnet-*.whl")
    return file


@pytest.fixture(scope="module")
def empty(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    environment = Environment(tmp_path_factory.mktemp("empty"))
    installed = environment.run("pip", "install", "--quiet", wheel)
    assert installed.returncode == 0, installed.stderr
    draw_sheet(environment.folder / "7.png", "7")
    yield environment


def test_the_wheel_reads_a_picture_and_adds_what_training_and_serving_need_by_the_commands_that_it_names(
    empty: Environment, wheel: Path
) -> None:
    origin = empty.run("python", "-c", "import digitnet; print(digitnet.__file__)").stdout
    assert origin.startswith(str(empty.folder))
    assert empty.run("digitnet", "read", "7.png", "--save-picture", "seen").stdout == "7\n"
    assert (empty.folder / "seen" / "7.png").is_file()
    for package in ("torch", "matplotlib"):
        assert empty.run("python", "-c", f"import {package}").returncode == 1

    for command, extra in (("train", "train"), ("serve", "serve")):
        refused = empty.run("digitnet", command)
        assert refused.returncode == 1 and refused.stderr.count("\n") == 1
        (install,) = re.findall(r"Run: (.*)\n", refused.stderr)
        assert install == f"pip install '{wheel}[{extra}]'"
        installed = empty.run(*shlex.split(install), "--quiet")
        assert installed.returncode == 0, installed.stderr

    trained = empty.run("digitnet", "train", "blog", "--steps", "20", "--hidden", "0", "--out", "run")
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout.endswith("Report: run/report.html\n")
    exported = empty.run("digitnet", "export", "run")
    assert exported.returncode == 0, exported.stderr

    words = ["digitnet", "serve", "run", "--port", "0", "--no-browser"]
    with subprocess.Popen(
        words, cwd=empty.folder, env=empty.variables, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            picture = (empty.folder / "7.png").read_bytes()
            with urlopen(Request(f"{address}v1/read?single=true", picture), timeout=60) as answer:
                assert answer.status == 200 and b'"text"' in answer.read()
        finally:
            server.terminate()
    assert server.returncode == 0
