"""Where combinations are worked out: in this process, or in several that share the candles' memory.

A cluster (`quant.sweep.dask_where`) is another such place: a context manager that takes a Study and gives a Where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from quant.sweep.fast.crossing import models
from quant.sweep.overrides import Override
from quant.sweep.work import Row, Study, evaluate


@dataclass(frozen=True)
class Job:
    """Some combinations, worked out together: a third of a second or so. `number` says where its rows belong."""

    number: int
    overrides: tuple[Override, ...]


Done = tuple[int, list[Row]]
"""A job's number, and a row for each of its combinations."""


class Where(Protocol):
    """MUST give each job back exactly once, in any order, with `evaluate`'s rows; the caller puts them in order.

    MUST take jobs lazily, so that a sweep of millions is never in memory twice. What a job raises as QuantError comes
    out of `map` as it is.
    """

    workers: int
    """How many jobs can be under way at a time."""

    def map(self, jobs: Iterable[Job]) -> Iterator[Done]: ...


def local(study: Study, workers: int) -> AbstractContextManager[Where]:
    """`workers` at a time on this machine: threads where compiled code does nearly all of the work, else processes."""
    if workers == 1:
        return here(study)
    if modelled(study):
        return threads(study, workers)
    from quant.sweep.processes import several

    return several(study, workers)


def modelled(study: Study) -> bool:
    """Whether every combination is the fast kernel's."""
    settings = any("." in name for name in study.config.sweep.space)
    return not settings and models(study.config, study.funding is not None)


class _Here:
    """One after the other, in this process."""

    workers = 1

    def __init__(self, study: Study) -> None:
        self._study = study

    def map(self, jobs: Iterable[Job]) -> Iterator[Done]:
        return (_worked_out(self._study, job) for job in jobs)


@contextmanager
def here(study: Study) -> Iterator[Where]:
    yield _Here(study)


@contextmanager
def threads(study: Study, workers: int) -> Iterator[Where]:
    """Nothing to start and nothing to share; what is under way when the block is left is waited for."""
    from quant.sweep.pooled import Pooled

    pool = ThreadPoolExecutor(workers)
    try:
        yield Pooled(pool, workers, partial(_worked_out, study))
    finally:
        pool.shutdown(cancel_futures=True)


def _worked_out(study: Study, job: Job) -> Done:
    return job.number, evaluate(study.config, study.candles, study.funding, job.overrides)
