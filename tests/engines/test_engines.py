"""What every engine promises: processes, and real clusters of Ray and Dask on this machine."""

import itertools
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import errands
import pytest

from digitnet.engines.engine import Engine, Outcome
from digitnet.engines.make import ENGINES, make_engine

WORKERS, THREADS = 2, 3


@pytest.fixture(scope="module", params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def engine(name: str) -> Iterator[Engine]:
    """An engine that all tests of this module share; a cluster takes seconds to start."""
    with make_engine(name, workers=WORKERS, threads=THREADS) as engine:
        yield engine


def test_every_task_has_its_outcome_though_they_overtake_each_other(engine: Engine) -> None:
    outcomes = list(engine.run(errands.square_late, range(20)))
    assert sorted(o.task for o in outcomes) == list(range(20))
    assert all(o == Outcome(o.task, o.task**2, None) for o in outcomes)


def test_no_tasks_have_no_outcomes(engine: Engine) -> None:
    assert list(engine.run(errands.square, [])) == []


def test_tasks_may_be_alike(engine: Engine) -> None:
    assert [o.result for o in engine.run(errands.square, [3] * 7)] == [9] * 7


def test_endless_tasks_stream_and_few_are_taken_ahead_of_the_caller(engine: Engine) -> None:
    """Of each worker, the caller may be owed the outcome of one call while the next runs, and no more."""
    taken = 0

    def tasks() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    for seen, _ in enumerate(itertools.islice(engine.run(errands.square, tasks()), 50), start=1):
        time.sleep(0.01 * (seen < 5))
        assert seen < taken <= seen - 1 + 2 * WORKERS


def test_calls_run_in_workers_as_many_as_asked_for(engine: Engine) -> None:
    workers = {o.result for o in engine.run(errands.process, range(30))}
    assert os.getpid() not in workers
    assert len(workers) <= engine.workers == WORKERS


def test_what_a_call_raises_is_its_error_and_stops_no_other(engine: Engine) -> None:
    outcomes = {o.task: o for o in engine.run(errands.be_moody, range(9))}
    assert {number: o.result for number, o in outcomes.items() if o.error is None} == {
        n: n for n in range(0, 9, 2)
    }
    assert outcomes[1].error is not None and outcomes[1].error.startswith(
        "ValueError: one line (errands.py, line "
    )
    assert outcomes[3].error == "images.gz: is damaged. Fetch it again."
    assert outcomes[5].error is not None and outcomes[5].error.startswith("SystemExit: leaving")
    assert outcomes[7].error is not None and outcomes[7].error.startswith("KeyError: no message")


def test_what_cannot_be_pickled_is_the_error_of_its_task(engine: Engine) -> None:
    (back,) = engine.run(errands.give_a_lambda, [0])
    assert back.error is not None and ("pickle" in back.error or "local object" in back.error)  # Python 3.13
    there, sound = sorted(engine.run(errands.process, [iter(lambda: 0, 1), 0]), key=lambda o: o.error is None)
    assert there.error is not None and there.error.startswith("The task can't be sent to a worker (")
    assert sound.error is None


@pytest.mark.parametrize("how", ["SIGKILL", "Interrupted", pytest.param("SIGSEGV", marks=pytest.mark.acceptance)])
def test_a_worker_that_dies_costs_its_own_call_which_is_tried_again(
    engine: Engine, name: str, tmp_path: Path, how: str
) -> None:
    notes = tmp_path / "notes"
    tasks = [(notes, int(number == 4), how, number) for number in range(10)]
    outcomes = list(engine.run(errands.note_and_die, tasks))
    assert sorted((o.result, o.error) for o in outcomes) == [(number, None) for number in range(10)]
    calls = Counter(map(int, notes.read_text().split()))
    assert calls[4] == 2
    if name != "dask":  # there an answer that was not yet fetched is lost too
        assert calls.total() == 11


def test_a_call_that_always_kills_its_worker_is_given_up_after_three_tries(engine: Engine, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    tasks = [(notes, 99 * (number == 1), "exit", number) for number in range(4)]
    outcomes = {o.task[-1]: o for o in engine.run(errands.note_and_die, tasks)}
    assert {number for number, o in outcomes.items() if o.error is None} == {0, 2, 3}
    assert outcomes[1].error is not None
    assert outcomes[1].error.startswith("The worker died with this task 3 times, the last time ")
    assert notes.read_text().split().count("1") == 3


@pytest.mark.acceptance
def test_workers_killed_from_outside_lose_nothing(engine: Engine) -> None:
    """Each tenth outcome, the process that it came from is killed: by then it has another call."""
    results = []
    for number, outcome in enumerate(engine.run(errands.process, range(60))):
        assert outcome.error is None and outcome.result is not None
        results.append(outcome.task)
        if number % 10 == 9:
            os.kill(outcome.result, signal.SIGKILL)
    assert sorted(results) == list(range(60))


def test_the_engine_works_on_after_a_caller_that_left_early(engine: Engine) -> None:
    for outcome in engine.run(errands.square_late, itertools.count()):
        assert outcome.error is None
        break
    assert sorted(o.result or 0 for o in engine.run(errands.square, range(5))) == [0, 1, 4, 9, 16]


def test_two_runs_may_take_turns(engine: Engine) -> None:
    one, other = engine.run(errands.square, range(5)), engine.run(errands.square, range(5))
    both = [(a.result, b.result) for a, b in zip(one, other, strict=True)]
    assert sorted(a or 0 for a, _ in both) == sorted(b or 0 for _, b in both) == [0, 1, 4, 9, 16]


def test_workers_have_the_threads_that_were_asked_for(engine: Engine) -> None:
    assert {o.result for o in engine.run(errands.threads, range(10))} == {str(THREADS)}


def test_a_function_of_the_library_and_tasks_of_any_kind_do(engine: Engine) -> None:
    assert {o.task: o.result for o in engine.run(math.sqrt, [4.0, 9.0])} == {4.0: 2.0, 9.0: 3.0}
