"""Work done side by side, its results in the order of the jobs."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")
FIRST = 4
GLANCE = 0.5
"""Seconds between looks for Ctrl-C while a result is awaited."""


class _Task(Generic[J, R]):
    def __init__(self, job: J) -> None:
        self.job = job
        self.done = threading.Event()
        self.result: R | None = None
        self.error: BaseException | None = None

    def run(self, work: Callable[[J], R]) -> None:
        try:
            self.result = work(self.job)
        except BaseException as error:
            self.error = error
        self.done.set()

    def wait(self) -> R:
        while not self.done.wait(GLANCE):
            pass
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


def ordered(next_job: Callable[[], J | None], work: Callable[[J], R], most: int) -> Iterator[tuple[J, R]]:
    """(job, result) in order. The first error, in order, is raised in the reader.

    Jobs are taken `FIRST` at a time, more with each result and never more than `most`, each with a thread: the first
    results often show that most of what was planned is not there.

    `next_job` None: there is none now; it is asked again after each result was read, and when none is left to wait for
    that is the end. The threads are daemons: a request that hangs never keeps a command from ending.
    """
    waiting: SimpleQueue[_Task[J, R] | None] = SimpleQueue()
    tasks: deque[_Task[J, R]] = deque()
    started = seen = 0
    try:
        while True:
            while len(tasks) < min(most, FIRST * (1 + seen)) and (job := next_job()) is not None:
                tasks.append(task := _Task[J, R](job))
                waiting.put(task)
                if started < len(tasks):
                    started += 1
                    threading.Thread(target=_serve, args=(waiting, work), daemon=True).start()
            if not tasks:
                return
            task = tasks.popleft()
            yield task.job, task.wait()
            seen += 1
    finally:
        for _ in range(started):
            waiting.put(None)


def _serve(waiting: SimpleQueue[_Task[J, R] | None], work: Callable[[J], R]) -> None:
    while (task := waiting.get()) is not None:
        task.run(work)
