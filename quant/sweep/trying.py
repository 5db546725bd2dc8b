"""Every combination of a grid, or of a draw, in jobs; those that an earlier run finished are not done again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from quant.strategy import Value
from quant.sweep.fast.kernel import TILE
from quant.sweep.kept import Kept
from quant.sweep.overrides import Override
from quant.sweep.progress import Progress
from quant.sweep.where import Job, Where
from quant.sweep.work import Row

BARS_OF_A_JOB = 6_000_000
"""Bars times combinations: some 60 ms in the engine, so that cores end together and a kill loses little."""
LARGEST_JOB = 256


def per_job(bars: int) -> int:
    """Of the data alone, never of the number of processes: a sweep may go on with another number of them. Whole tiles
    of the fast kernel where there are that many."""
    size = max(1, min(LARGEST_JOB, BARS_OF_A_JOB // max(1, bars)))
    return size if size < TILE else size - size % TILE


def tried(overrides: Sequence[dict[str, Value]], size: int, place: Where, kept: Kept, progress: Progress) -> list[Row]:
    """Rows in the order of `overrides`."""
    jobs = list(_jobs(overrides, size))
    finish(jobs, place, kept, progress)
    return [row for job in jobs for row in kept.rows[job.number]]


def finish(jobs: Iterable[Job], place: Where, kept: Kept, progress: Progress) -> None:
    """Afterwards `kept` has the rows of all `jobs`."""
    for number, rows in place.map(job for job in jobs if job.number not in kept.rows):
        kept.add(number, rows)
        progress.add(len(rows))


def _jobs(overrides: Sequence[Override], size: int) -> Iterator[Job]:
    for number, begin in enumerate(range(0, len(overrides), size)):
        yield Job(number, tuple(overrides[begin : begin + size]))
