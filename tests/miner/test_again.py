"""A look at the moment when what recovers may end: when it is due, and that it is taken once."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator

import pytest

from miner.alerts.ripe import ripe
from miner.monitor.again import Again
from runtime import clock
from tests.miner.alert_kit import Line, reading

BUS = ("stick.present", "hub.present")


def due(line: Line) -> float:
    """Seconds from now."""
    return ripe(line.rules, line.states, BUS) - line.now


def test_a_look_is_due_when_a_stick_has_been_back_for_as_long_as_its_rule_asks() -> None:
    line = Line()
    line.read(reading("stick.present", 0, "A"))
    assert due(line) == math.inf, "what is gone ends by no look"
    line.read(reading("stick.present", 1, "A"))
    assert due(line) == pytest.approx(2)
    assert not line.read(reading("stick.present", 1, "A"), after=1.9)
    [end] = line.read(reading("stick.present", 1, "A"), after=due(line))
    assert (end.kind, end.target) == ("resolved", "A")
    assert due(line) == math.inf


def test_a_stick_that_is_lost_again_meanwhile_has_not_ended() -> None:
    line = Line()
    line.read(reading("stick.present", 0, "A"))
    line.read(reading("stick.present", 1, "A"))
    assert not line.read(reading("stick.present", 0, "A"), after=1)
    assert due(line) == math.inf
    line.read(reading("stick.present", 1, "A"), after=1)
    assert due(line) == pytest.approx(2), "its time begins anew"


def test_the_first_of_several_is_waited_for_and_other_metrics_are_not() -> None:
    line = Line()
    line.read(*(reading("stick.present", 0, name) for name in "AB"), reading("disk.free_ratio", 0.01, "/"))
    line.hold(60, reading("disk.free_ratio", 0.01, "/"))
    line.read(reading("disk.free_ratio", 0.5, "/"))
    assert due(line) == math.inf
    line.read(reading("stick.present", 1, "B"))
    line.read(reading("stick.present", 1, "A"), after=0.5)
    assert due(line) == pytest.approx(1.5)


@contextlib.asynccontextmanager
async def running(again: Again) -> AsyncIterator[None]:
    work = asyncio.create_task(again.run())
    yield
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


def test_a_moment_is_looked_at_once_however_often_it_is_named() -> None:
    async def play() -> None:
        looks, looked = list[float](), asyncio.Event()

        async def look() -> None:
            looks.append(clock.since_boot())
            looked.set()

        again = Again(look)
        async with running(again), asyncio.timeout(20):
            moment = clock.since_boot() + 0.1
            again.at(clock.since_boot() + 3600)
            again.at(moment)
            again.at(moment)
            await looked.wait()
            for _ in range(5):
                again.at(moment)
                await asyncio.sleep(0.02)
            again.at(math.inf)
            await asyncio.sleep(0.05)
        assert len(looks) == 1
        assert looks[0] >= moment

    asyncio.run(play())
