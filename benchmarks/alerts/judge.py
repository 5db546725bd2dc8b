"""Runs a week through the engine, and compares what was told with what was planted."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.alerts.week import Fault, Key, World
from miner.alerts import rules
from miner.alerts.engine import step
from miner.alerts.states import Change, States
from miner.readings import Cycle

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
    """Each cycle, and the steps without readings that the engine asks for, as a monitor would take them."""
    told, states, wanted = Told(), States(), rules.DEFAULTS
    for now, cycle in world.cycles():
        begun, used = time.perf_counter(), time.process_time()
        states, changes = step(wanted, states, cycle)
        late = states.due - cycle.moment.steady
        if late < 4:
            moment = cycle.moment
            later = type(moment)(moment.at, moment.steady + late, moment.boot)
            states, more = step(wanted, states, Cycle(later, ()))
            changes = (*changes, *more)
        told.seconds += time.perf_counter() - begun
        told.processor += time.process_time() - used
        told.cycles += 1
        told.readings += len(cycle.readings)
        told.changes += [(now, change) for change in changes]
    return told


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
