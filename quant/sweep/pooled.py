"""Jobs through an executor of this machine, processes or threads: only a few are handed out at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool

from quant.errors import QuantError
from quant.sweep.where import Done, Job

AHEAD = 2
"""Jobs handed out for each worker: one under way, one waiting."""


class Pooled:
    """A Where of `workers` workers; `work` is what they do with a job."""

    def __init__(self, pool: Executor, workers: int, work: Callable[[Job], Done]) -> None:
        self._pool, self._work = pool, work
        self.workers = workers

    def map(self, jobs: Iterable[Job]) -> Iterator[Done]:
        waiting, under_way = iter(jobs), set[Future[Done]]()
        while True:
            while len(under_way) < AHEAD * self.workers and (job := next(waiting, None)):
                under_way.add(self._pool.submit(self._work, job))
            if not under_way:
                return
            finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for one in finished:
                yield _result(one)


def _result(future: Future[Done]) -> Done:
    try:
        return future.result()
    except BrokenProcessPool:
        hint = "was it out of memory? try --processes 1; the same command goes on where this one stopped"
        raise QuantError("one of the sweep's processes died", hint=hint) from None
