"""The loop that every engine shares: send tasks to free workers, and yield outcomes as they complete."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar
from weakref import WeakSet

from digitnet.engines.calls import check_importable, describe, pack, unpack

Task = TypeVar("Task")
Result = TypeVar("Result")
Ticket = TypeVar("Ticket")

GRACE = 5.0  # seconds that a call has to save its state between the request to stop and the kill


@dataclass(frozen=True)
class Outcome(Generic[Task, Result]):
    """The result or the error of a task."""

    task: Task
    result: Result | None
    error: str | None  # a sentence; None if the call succeeded


@dataclass(frozen=True)
class Death:
    """Says that the worker of a call died before the call completed."""

    reason: str  # completes "The worker died ..."
    times: int = 1


class Workers(Protocol[Ticket]):
    """What differs between engines. To add one: write a class with these members, and name it in `make`."""

    @property
    def count(self) -> int:
        """Number of calls that run at once; known after `open`."""

    def open(self) -> None:
        """Start the workers, or connect to them; raise DigitnetError if there are none."""

    def start(self, call: bytes) -> Ticket:
        """Start a call in a free worker, and return a ticket for it."""

    def finished(self, tickets: Collection[Ticket]) -> list[tuple[Ticket, bytes | Death]]:
        """Wait for an event, and return the calls that have finished by then, perhaps none."""

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """Stop calls whose outcome is not wanted: ask, wait for GRACE while they save their state, then kill."""

    def close(self) -> None:
        """End the workers that `open` or `start` started; only disconnect from a running cluster."""


@dataclass
class _Attempt(Generic[Task]):
    task: Task
    call: bytes
    deaths: int = 0


class Engine:
    """Calls a function on many tasks in parallel. Use it as a context manager, which ends all that it started."""

    def __init__(self, workers: Workers[Any], tries: int) -> None:
        self._workers = workers
        self._tries = tries
        self._runs: WeakSet[Generator[object, None, None]] = WeakSet()
        self._open = False

    @property
    def workers(self) -> int:
        """Number of calls that run at once; on a running cluster, known once the engine is open."""
        return self._workers.count

    def __enter__(self) -> Self:
        try:
            self._workers.open()
        except BaseException:
            self._workers.close()
            raise
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        try:
            # An exception in the caller's loop leaves its generator suspended, with calls that still run.
            for run in list(self._runs):
                run.close()
        finally:
            self._workers.close()

    def run(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Outcome[Task, Result], None, None]:
        """Yield an outcome for each task as it completes, in any order.

        A task is taken from `tasks` when a worker is free for it, so there may be millions; while the caller
        handles an outcome, no further task is taken. An exception in a call is the error of its outcome and stops
        nothing else. When a worker dies, its call is tried again; after the last try, the death is the error.

        Function, tasks and results are pickled, so the function must be defined at the top of a module. Raises
        UsageError if it isn't, and DigitnetError when all workers are lost. Closing the generator stops the calls
        that still run.
        """
        if not self._open:
            raise RuntimeError("an engine must be entered first: with make_engine(...) as engine: ...")
        check_importable(function)
        run = self._outcomes(function, iter(tasks))
        self._runs.add(run)
        return run

    def _outcomes(
        self, function: Callable[[Task], Result], waiting: Iterator[Task]
    ) -> Generator[Outcome[Task, Result], None, None]:
        running: dict[Any, _Attempt[Task]] = {}
        try:
            yield from self._fill(function, waiting, running)
            while running:
                finished = self._workers.finished(running)
                for ended, came in [(running.pop(ticket), came) for ticket, came in finished]:
                    outcome = self._make_outcome(ended, came)
                    if outcome is None:
                        running[self._workers.start(ended.call)] = ended
                        continue
                    yield from self._fill(function, waiting, running)  # first: no worker waits for the caller
                    yield outcome
        finally:
            if running:
                self._workers.abandon(running)

    def _fill(
        self, function: Callable[[Task], Result], waiting: Iterator[Task], running: dict[Any, _Attempt[Task]]
    ) -> Iterator[Outcome[Task, Result]]:
        """Start calls until every worker has one; yield an outcome for each task that can't be sent."""
        while len(running) < self._workers.count:
            try:
                task = next(waiting)
            except StopIteration:
                return
            try:
                call = pack(function, task)
            except Exception as error:
                yield Outcome(task, None, f"The task can't be sent to a worker ({describe(error)}).")
            else:
                running[self._workers.start(call)] = _Attempt(task, call)

    def _make_outcome(self, ended: _Attempt[Task], came: bytes | Death) -> Outcome[Task, Any] | None:
        """Make the outcome of a call from its answer or its worker's death; None if it is to be tried again."""
        if not isinstance(came, Death):
            return Outcome(ended.task, *unpack(came))
        ended.deaths += came.times
        if ended.deaths < self._tries:
            return None
        times = f"{ended.deaths} times, the last time" if ended.deaths > 1 else "once,"
        return Outcome(
            ended.task,
            None,
            f"The worker died with this task {times} {came.reason}. If memory ran out, use fewer workers.",
        )
