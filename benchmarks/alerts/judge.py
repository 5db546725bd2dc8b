"""Runs a week through the engine, and compares what was told with what was planted."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from benchmarks.alerts.week import Fault, Key, World
from miner.alerts import rules
from miner.alerts.engine import step
from miner.alerts.states import Change, States
from miner.readings import Cycle, Moment

BATCH = 2000
CLEARING = 1800.0
"""Seconds after a fault in which its end must have been told."""


@dataclass
class Told:
    """`seconds` went by in the engine, in `processor` of them it ran; `changes` with when they came."""

    seconds: float = 0.0
    processor: float = 0.0
    cycles: int = 0
    readings: int = 0
    changes: list[tuple[float, Change]] = field(default_factory=list)


def replay(world: World) -> Told:
    """Each cycle, and the steps without readings that the engine asks for, as a monitor would take them.

    Only the engine is measured: cycles are made some thousand at a time beforehand.
    """
    told, states = Told(), States()
    cycles = world.cycles()
    while batch := list(islice(cycles, BATCH)):
        begun, used = time.perf_counter(), time.process_time()
        states = _judge(batch, states, told)
        told.seconds += time.perf_counter() - begun
        told.processor += time.process_time() - used
        told.cycles += len(batch)
        told.readings += sum(len(cycle.readings) for _, cycle in batch)
    return told


def _judge(batch: list[tuple[float, Cycle]], states: States, told: Told) -> States:
    for now, cycle in batch:
        states, changes = step(rules.DEFAULTS, states, cycle)
        told.changes += [(now, change) for change in changes]
        late = states.due - cycle.moment.steady
        if late < 4:
            later = Moment(cycle.moment.at, states.due, cycle.moment.boot)
            states, changes = step(rules.DEFAULTS, states, Cycle(later, ()))
            told.changes += [(now, change) for change in changes]
    return states


def mistakes(world: World, told: Told) -> list[str]:
    """Faults that were not told exactly once, ends that were not, and alerts that nothing was planted for."""
    left: dict[Key, list[tuple[float, Change]]] = defaultdict(list)
    for now, change in told.changes:
        if change.kind != "repeat":
            left[change.rule, change.target].append((now, change))
    found = [problem for fault in world.faults for problem in _judged(fault, left)]
    return found + [f"false: {one}" for some in left.values() for one in some]


def _judged(fault: Fault, left: dict[Key, list[tuple[float, Change]]]) -> Iterator[str]:
    for key in fault.expected:
        upto = fault.begin + fault.length + CLEARING
        mine = [one for one in left[key] if fault.begin <= one[0] <= upto]
        left[key] = [one for one in left[key] if one not in mine]
        kinds = [change.kind for _, change in mine]
        good = ["firing", "resolved"]
        flapped = [good * 2 + ["flapping", "resolved"], [*good, "flapping", "resolved"]]
        if kinds not in (flapped if fault.flaps else [good]):
            yield f"{fault.name} {key} at {fault.begin:.0f}: {kinds}"
