"""The same rows wherever they are worked out, and what happens when a worker dies."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from quant.errors import BadData, QuantError
from quant.sweep import where
from quant.sweep.processes import Mapped, several
from quant.sweep.where import Job, Where
from quant.sweep.work import Row, Study
from tests.quant.sweep.kit import study, walk

STOPS = {"exits": {"stop_atr": 2.5}}
OVERRIDES = [{"fast": fast, "slow": slow} for fast in (3, 5, 8) for slow in (20, 40, 60, 80)]


def jobs(size: int = 2) -> list[Job]:
    parts = range(0, len(OVERRIDES), size)
    return [Job(number, tuple(OVERRIDES[begin : begin + size])) for number, begin in enumerate(parts)]


def rows(place: Where, size: int = 2) -> list[Row]:
    found = dict(place.map(jobs(size)))
    return [row for number in sorted(found) for row in found[number]]


@pytest.fixture(scope="module")
def stopped() -> Study:
    return study(walk(2000), **STOPS)


def test_processes_threads_and_one_core_give_the_same_bits(stopped: Study) -> None:
    with where.here(stopped) as place:
        expected = rows(place)
    with several(stopped, 2) as place:
        assert place.workers == 2
        assert repr(rows(place)) == repr(expected)
        assert repr(rows(place, 5)) == repr(expected)
    with where.threads(stopped, 2) as place:
        assert repr(rows(place, 1)) == repr(expected)


def test_the_fast_kernel_gives_the_same_bits_in_threads_and_in_any_company() -> None:
    asked = study(walk(5000))
    with where.here(asked) as place:
        expected = repr(rows(place, len(OVERRIDES)))
    with where.local(asked, 2) as place:
        assert repr(rows(place, 1)) == expected


def test_threads_where_the_kernel_works_and_processes_elsewhere(stopped: Study) -> None:
    assert where.modelled(study(walk(100)))
    assert not where.modelled(stopped)
    assert not where.modelled(study(walk(100), sweep={"space": {"fast": [5], "exits.stop_atr": [2.0]}}))


def test_candles_are_mapped_and_the_same(tmp_path: Path) -> None:
    candles = walk(500)
    with (tmp_path / "candles").open("wb") as file:
        again = Mapped.written(candles, file).candles()
    assert again.sha256 == candles.sha256
    assert not again.close.flags.owndata


def test_what_a_job_raises_comes_out_as_it_is(stopped: Study) -> None:
    with several(stopped, 2) as place, pytest.raises(BadData, match="needs 5002"):
        list(place.map([Job(0, ({"fast": 5, "slow": 5000},))]))


def test_a_process_that_dies_is_told(stopped: Study) -> None:
    with several(stopped, 2) as place:
        asked = place.map(jobs(1))
        next(asked)
        for pid in place._pool._processes:  # type: ignore[attr-defined]
            os.kill(pid, signal.SIGKILL)
        with pytest.raises(QuantError, match="one of the sweep's processes died"):
            list(asked)


def test_jobs_are_taken_as_they_are_needed(stopped: Study) -> None:
    taken = []

    def endless() -> object:
        for number in range(1_000_000):
            taken.append(number)
            yield Job(number, ({"fast": 5, "slow": 50},))

    with where.threads(stopped, 2) as place:
        asked = place.map(endless())  # type: ignore[arg-type]
        for _ in range(10):
            next(asked)
    assert len(taken) < 20
