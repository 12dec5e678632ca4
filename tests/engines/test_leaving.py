"""However a caller leaves, its workers leave too, and calls that listen to signals save their state before."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import errands
import pytest

from digitnet.engines.make import make_engine

PATIENCE = 60.0  # seconds; generous, for a busy machine

SCRIPT = """
import signal
import sys
from pathlib import Path
import errands
from digitnet.engines.make import make_engine

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that a shell runs in the background ignore it
    name, errand, notes = sys.argv[1], getattr(errands, sys.argv[2]), Path(sys.argv[3])
    with make_engine(name, workers=2) as engine:
        for outcome in engine.run(errand, [notes] * 2):
            print(outcome)
"""


def wait_for(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    patience = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < patience
        time.sleep(0.02)


def noted(notes: Path, what: str) -> set[int]:
    """Name the processes that noted that they began, or saved."""
    return {int(path.stem) for path in notes.glob(f"*.{what}")}


def alive(process: int) -> bool:
    """Say whether a process runs; one that is dead and not yet buried does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[str, str], "subprocess.Popen[str]"]]:
    """Start a program of two calls in a session of its own, as a terminal would, and wait until both run."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    started: list[subprocess.Popen[str]] = []

    def start(name: str, errand: str) -> "subprocess.Popen[str]":
        program = subprocess.Popen(
            [sys.executable, path, name, errand, tmp_path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        )
        started.append(program)
        wait_for(lambda: len(noted(tmp_path, "began")) == 2 or program.poll() is not None)
        assert program.poll() is None
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


@pytest.mark.parametrize(
    ("name", "errand"),
    [
        ("processes", "save_when_asked"),
        ("processes", "sleep_for_hours"),
        pytest.param("ray", "save_when_asked", marks=pytest.mark.acceptance),
        pytest.param("dask", "sleep_for_hours", marks=pytest.mark.acceptance),  # its calls hear no signals
    ],
)
def test_control_c_ends_everything_with_one_traceback(
    name: str, errand: str, script: Callable[[str, str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    program = script(name, errand)
    os.killpg(program.pid, signal.SIGINT)
    out, complaint = program.communicate(timeout=PATIENCE)
    assert program.returncode == -signal.SIGINT
    assert (out, complaint.count("Traceback"), complaint.count("KeyboardInterrupt")) == ("", 1, 1)
    if errand == "save_when_asked":
        assert noted(tmp_path, "saved") == noted(tmp_path, "began")
    wait_for(lambda: not any(map(alive, noted(tmp_path, "began"))))


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("processes", signal.SIGKILL),
        ("processes", signal.SIGTERM),
        pytest.param("ray", signal.SIGKILL, marks=pytest.mark.acceptance),
        pytest.param("dask", signal.SIGKILL, marks=pytest.mark.acceptance),
    ],
)
def test_no_worker_outlives_a_caller_that_was_killed(
    name: str, how: signal.Signals, script: Callable[[str, str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    errand = "save_when_asked" if name == "processes" else "sleep_for_hours"
    program = script(name, errand)
    program.send_signal(how)
    program.wait(timeout=PATIENCE)
    wait_for(lambda: not any(map(alive, noted(tmp_path, "began"))))
    if name == "processes":
        assert noted(tmp_path, "saved") == noted(tmp_path, "began")


def test_a_second_control_c_kills_at_once(
    script: Callable[[str, str], "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    program = script("processes", "refuse_to_end")
    os.killpg(program.pid, signal.SIGINT)
    time.sleep(0.5)
    assert program.poll() is None  # it gives them time
    os.killpg(program.pid, signal.SIGINT)
    program.communicate(timeout=PATIENCE)
    assert not any(map(alive, noted(tmp_path, "began")))


def test_calls_that_nobody_waits_for_may_save_and_then_end(tmp_path: Path) -> None:
    with make_engine("processes", workers=3) as engine:
        run = engine.run(errands.save_or_answer, [tmp_path, None, tmp_path])
        assert next(run).task is None
        wait_for(lambda: len(noted(tmp_path, "began")) == 2)
        run.close()
        assert len(noted(tmp_path, "saved")) == 2
        assert not any(map(alive, noted(tmp_path, "began")))
        assert [outcome.result for outcome in engine.run(errands.square, [3])] == [9]


@pytest.mark.acceptance
def test_ray_interrupts_calls_that_nobody_waits_for(tmp_path: Path) -> None:
    with make_engine("ray", workers=3) as engine:
        run = engine.run(errands.save_or_answer, [tmp_path, None, tmp_path])
        assert next(run).task is None
        wait_for(lambda: len(noted(tmp_path, "began")) == 2)
        run.close()
        assert len(noted(tmp_path, "saved")) == 2


def test_an_exception_in_the_callers_loop_ends_the_calls(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), make_engine("processes", workers=2) as engine:
        for _ in engine.run(errands.save_or_answer, [None, tmp_path]):
            wait_for(lambda: len(noted(tmp_path, "began")) == 1)
            raise ZeroDivisionError
    assert len(noted(tmp_path, "saved")) == 1
    assert not any(map(alive, noted(tmp_path, "began")))


def test_the_end_of_the_context_ends_idle_workers(tmp_path: Path) -> None:
    with make_engine("processes", workers=2) as engine:
        workers = {outcome.result or 0 for outcome in engine.run(errands.process, range(9))}
        assert all(map(alive, workers))
    assert not any(map(alive, workers))
    with pytest.raises(RuntimeError, match="must be entered first"):
        engine.run(errands.process, [1])
