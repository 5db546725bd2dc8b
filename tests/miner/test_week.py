"""A week of readings with 40 faults planted in it: each told once, each end told once, and nothing else."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.alerts.judge import mistakes, replay
from benchmarks.alerts.week import planted


def test_every_fault_of_a_week_is_told_once_and_nothing_else() -> None:
    world = planted()
    assert world.planted == 40
    told = replay(world)
    assert told.cycles > 120_000
    assert mistakes(world, told) == []
    # And the judge would see a fault that was not told, and an alert that nobody planted.
    more, fewer = replace(world.faults[0], begin=10.0), world.faults[1:]
    assert len(mistakes(replace(world, faults=(*world.faults, more)), told)) == 1
    assert len(mistakes(replace(world, faults=fewer), told)) == 2
