"""Where combinations are worked out: in this process, or in several that share the candles' memory.

A cluster (`quant.sweep.dask_where`) is another such place: a context manager that takes a Study and gives a Where.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

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


class _Here:
    """One after the other, in this process."""

    workers = 1

    def __init__(self, study: Study) -> None:
        self._study = study

    def map(self, jobs: Iterable[Job]) -> Iterator[Done]:
        s = self._study
        return ((job.number, evaluate(s.config, s.candles, s.funding, job.overrides)) for job in jobs)


@contextmanager
def here(study: Study) -> Iterator[Where]:
    yield _Here(study)


def local(study: Study, processes: int) -> AbstractContextManager[Where]:
    """`processes` at a time on this machine."""
    if processes == 1:
        return here(study)
    from quant.sweep.processes import several

    return several(study, processes)
