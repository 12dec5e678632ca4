"""Queues of bounded length before the network: for images, which share its calls, and for pictures."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

import numpy as np

from digitnet.reading.network import Answers, Float32

BATCH = 64
"""Images in a call of the network, at most: more are not quicker each, and others would wait longer."""

MOST_IMAGES = 4_096
"""Images that may wait: on one core, less than a second of work."""

MOST_PICTURES = 16
"""Pictures that may wait or be read: a photograph of a telephone takes almost a second."""

READERS = 2
"""Pictures that are read at a time: each needs memory of its own, and one of a telephone keeps a core busy."""

Read = TypeVar("Read")


class OverloadedError(Exception):
    """More waits than can be answered soon."""


class Batcher:
    """Gathers the images that arrive while the network is at work, for its next call.

    So a lone request waits for nothing, and many share a call. There is no timer.
    """

    def __init__(self, answer: Callable[[Float32], Answers], most_waiting: int = MOST_IMAGES) -> None:
        self._answer = answer
        self._most_waiting = most_waiting
        self._waiting: deque[tuple[Float32, asyncio.Future[Answers]]] = deque()
        self._count = 0  # images that wait
        self._worker: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")

    async def answer(self, images: Float32) -> Answers:
        """Answer images ``(n, 28, 28)``, 0 to 255; raise OverloadedError if too many wait already."""
        if self._count + len(images) > self._most_waiting:
            raise OverloadedError
        parts = [self._enqueue(images[start : start + BATCH]) for start in range(0, max(len(images), 1), BATCH)]
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await parts[0] if len(parts) == 1 else Answers.joined(await asyncio.gather(*parts))

    def _enqueue(self, images: Float32) -> "asyncio.Future[Answers]":
        future: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        self._waiting.append((images, future))
        self._count += len(images)
        return future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            images, futures = zip(*self._take(), strict=True)
            try:
                answers = await loop.run_in_executor(self._thread, self._answer, np.concatenate(images))
            except Exception as error:
                for future in futures:
                    if not future.done():
                        future.set_exception(error)
                continue
            ends = np.cumsum([len(each) for each in images])
            for start, end, future in zip([0, *ends], ends, futures, strict=False):
                if not future.done():  # whoever asked may have gone
                    future.set_result(answers.part(slice(start, end)))

    def _take(self) -> list[tuple[Float32, "asyncio.Future[Answers]"]]:
        """Take the oldest parts that fit into one call; at least one."""
        taken = [self._waiting.popleft()]
        size = len(taken[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= BATCH:
            taken.append(self._waiting.popleft())
            size += len(taken[-1][0])
        self._count -= size
        return taken


class PictureQueue:
    """Reads pictures in threads of its own, a few at a time."""

    def __init__(self, most_waiting: int = MOST_PICTURES) -> None:
        self._places = BoundedSemaphore(most_waiting)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="picture")

    async def run(self, read: Callable[[], Read]) -> Read:
        """Return what `read` returns; raise OverloadedError if too many pictures wait already."""
        if not self._places.acquire(blocking=False):
            raise OverloadedError
        work = self._threads.submit(read)
        # Not when the caller goes: a picture that is being read keeps its place until it is done.
        work.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(work)
