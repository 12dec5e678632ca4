"""However a caller leaves, its workers leave too, and calls that listen to signals save their state before."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import errands
import pytest

from digitnet.engines.make import make_engine
from processes import PATIENCE, Process, end, is_alive, running, wait_until

SCRIPT = """
import sys
from pathlib import Path
import errands
from digitnet.engines.make import make_engine

if __name__ == "__main__":
    name, errand, notes = sys.argv[1], getattr(errands, sys.argv[2]), Path(sys.argv[3])
    with make_engine(name, workers=2) as engine:
        for outcome in engine.run(errand, [notes] * 2):
            print(outcome)
"""

Start = Callable[[str, str], Process]


def noted(notes: Path, what: str) -> set[int]:
    """Name the processes that noted that they began, or saved."""
    return {int(path.stem) for path in notes.glob(f"*.{what}")}


def running_calls(notes: Path) -> list[int]:
    """List the processes that began and still run."""
    return [number for number in noted(notes, "began") if is_alive(number)]


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Start]:
    """Start a program of two calls in a session of its own, as a terminal would, and wait until both run."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with ExitStack() as started:

        def start(name: str, errand: str) -> Process:
            program = started.enter_context(
                running(path, name, errand, tmp_path, start_new_session=True, env=environment)
            )
            wait_until(lambda: len(noted(tmp_path, "began")) == 2, program)
            return program

        yield start


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
    name: str, errand: str, script: Start, tmp_path: Path
) -> None:
    program = script(name, errand)
    os.killpg(program.pid, signal.SIGINT)
    out, complaint = end(program)
    assert program.returncode == -signal.SIGINT
    assert (out, complaint.count("Traceback"), complaint.count("KeyboardInterrupt")) == ("", 1, 1)
    if errand == "save_when_asked":
        assert noted(tmp_path, "saved") == noted(tmp_path, "began")
    wait_until(lambda: not running_calls(tmp_path))


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
    name: str, how: signal.Signals, script: Start, tmp_path: Path
) -> None:
    errand = "save_when_asked" if name == "processes" else "sleep_for_hours"
    program = script(name, errand)
    program.send_signal(how)
    program.wait(timeout=PATIENCE)
    wait_until(lambda: not running_calls(tmp_path))
    if name == "processes":
        assert noted(tmp_path, "saved") == noted(tmp_path, "began")


def test_a_second_control_c_kills_at_once(script: Start, tmp_path: Path) -> None:
    program = script("processes", "refuse_to_end")
    os.killpg(program.pid, signal.SIGINT)
    wait_until(lambda: len(noted(tmp_path, "asked")) == 2, program)
    assert program.poll() is None  # it gives them time
    os.killpg(program.pid, signal.SIGINT)
    end(program)
    assert not running_calls(tmp_path)


def test_calls_that_nobody_waits_for_may_save_and_then_end(tmp_path: Path) -> None:
    with make_engine("processes", workers=3) as engine:
        run = engine.run(errands.save_or_answer, [tmp_path, None, tmp_path])
        assert next(run).task is None
        wait_until(lambda: len(noted(tmp_path, "began")) == 2)
        run.close()
        assert len(noted(tmp_path, "saved")) == 2
        assert not running_calls(tmp_path)
        assert [outcome.result for outcome in engine.run(errands.square, [3])] == [9]


@pytest.mark.acceptance
def test_ray_interrupts_calls_that_nobody_waits_for(tmp_path: Path) -> None:
    with make_engine("ray", workers=3) as engine:
        run = engine.run(errands.save_or_answer, [tmp_path, None, tmp_path])
        assert next(run).task is None
        wait_until(lambda: len(noted(tmp_path, "began")) == 2)
        run.close()
        assert len(noted(tmp_path, "saved")) == 2


def test_an_exception_in_the_callers_loop_ends_the_calls(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), make_engine("processes", workers=2) as engine:
        for _ in engine.run(errands.save_or_answer, [None, tmp_path]):
            wait_until(lambda: len(noted(tmp_path, "began")) == 1)
            raise ZeroDivisionError
    assert len(noted(tmp_path, "saved")) == 1
    assert not running_calls(tmp_path)


def test_the_end_of_the_context_ends_idle_workers(tmp_path: Path) -> None:
    with make_engine("processes", workers=2) as engine:
        workers = {outcome.result or 0 for outcome in engine.run(errands.process, range(9))}
        assert all(map(is_alive, workers))
    assert not any(map(is_alive, workers))
    with pytest.raises(RuntimeError, match="must be entered first"):
        engine.run(errands.process, [1])
