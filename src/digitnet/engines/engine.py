"""The loop that every engine shares: tasks go out as workers come free, outcomes come back as they complete."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar
from weakref import WeakSet

from digitnet.engines.calls import check_importable, describe, pack, unpack

Task = TypeVar("Task")
Result = TypeVar("Result")
Ticket = TypeVar("Ticket")

GRACE = 5.0  # seconds that a call has to save its state, from the request to end until it is killed


@dataclass(frozen=True)
class Outcome(Generic[Task, Result]):
    """What came of a task."""

    task: Task
    result: Result | None
    fault: str | None  # a sentence; None when the call succeeded


@dataclass(frozen=True)
class Death:
    """What came of a call whose worker ended before the call did."""

    reason: str  # completes "the last time ..."
    times: int = 1


class Workers(Protocol[Ticket]):
    """What differs between engines. To add one: write a class with these members, and name it in make."""

    @property
    def count(self) -> int:
        """Calls that run at once; known once the workers are open."""

    def open(self) -> None:
        """Start the workers, or connect to them; raise DigitnetError where there are none."""

    def start(self, call: bytes) -> Ticket:
        """Begin a call in a free worker, and return what stands for it."""

    def finished(self, tickets: Collection[Ticket]) -> list[tuple[Ticket, bytes | Death]]:
        """Wait until something happens, and return what has finished by then, if anything has."""

    def abandon(self, tickets: Collection[Ticket]) -> None:
        """End calls whose outcome nobody waits for: ask, give them GRACE to save their state, then kill."""

    def close(self) -> None:
        """End the workers that `open` or `start` started; leave alone what was only connected to."""


@dataclass
class _Attempt(Generic[Task]):
    task: Task
    call: bytes
    deaths: int = 0


class Engine:
    """Calls a function on tasks, many at once; use it as a context, which ends all that it started."""

    def __init__(self, crew: Workers[Any], tries: int) -> None:
        self._crew = crew
        self._tries = tries
        self._runs: WeakSet[Generator[object, None, None]] = WeakSet()
        self._open = False

    @property
    def workers(self) -> int:
        """Calls that run at once; on a running cluster it is known once the engine is open."""
        return self._crew.count

    def __enter__(self) -> Self:
        try:
            self._crew.open()
        except BaseException:
            self._crew.close()
            raise
        self._open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        try:
            # An exception in the caller's loop leaves its generator suspended, so that calls would go on.
            for run in list(self._runs):
                run.close()
        finally:
            self._crew.close()

    def run(
        self, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Generator[Outcome[Task, Result], None, None]:
        """Yield an outcome for each task as it completes, in any order.

        A task is taken when a worker is free for it, so there may be millions; while the caller looks at an
        outcome, nothing more is taken. What a call raises is its outcome's fault and stops nothing else. A worker
        that dies costs the call it was running, which is tried again; after the last try, the death is the fault.

        Function, tasks and results travel pickled, so the function must stand at the top of a module. Raises
        UsageError when it doesn't, and DigitnetError when the workers are lost as a whole. Closing the generator
        ends the calls that are still running.
        """
        if not self._open:
            raise RuntimeError("an engine runs inside its context: with make_engine(...) as engine: ...")
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
                for ended, came in [(running.pop(ticket), came) for ticket, came in self._crew.finished(running)]:
                    outcome = self._judge(ended, came)
                    if outcome is None:
                        running[self._crew.start(ended.call)] = ended
                        continue
                    yield from self._fill(function, waiting, running)  # first: no worker waits for the caller
                    yield outcome
        finally:
            if running:
                self._crew.abandon(running)

    def _fill(
        self, function: Callable[[Task], Result], waiting: Iterator[Task], running: dict[Any, _Attempt[Task]]
    ) -> Iterator[Outcome[Task, Result]]:
        """Start calls until every worker has one; yield the outcomes of tasks that can't even be sent."""
        while len(running) < self._crew.count:
            try:
                task = next(waiting)
            except StopIteration:
                return
            try:
                call = pack(function, task)
            except Exception as fault:
                yield Outcome(task, None, f"The task can't be sent to a worker ({describe(fault)}).")
            else:
                running[self._crew.start(call)] = _Attempt(task, call)

    def _judge(self, ended: _Attempt[Task], came: bytes | Death) -> Outcome[Task, Any] | None:
        """Make the outcome of what came, or None when the call is to be tried again."""
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
