"""Cycles and states as tests write them: seconds since boot on a calendar that tests may turn as they like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from miner.alerts import rules
from miner.alerts.engine import step
from miner.alerts.quiet import NOTHING, Quiet
from miner.alerts.rule import Rules
from miner.alerts.states import Change, States
from miner.readings import Cycle, Moment, Reading

START = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
OLD = 86_400.0
"""A machine that has been up for a day: no grace of its own."""


def moment(steady: float, *, boot: str = "one", shift: float = 0.0) -> Moment:
    """`shift`: by how many seconds somebody turned the calendar."""
    return Moment(START + timedelta(seconds=steady + shift - OLD), steady, boot)


def reading(metric: str, value: float | None, target: str = "", note: str = "") -> Reading:
    return Reading(metric, target, value, note)


class Line:
    """One engine over time. `changes` is all that it said."""

    def __init__(self, wanted: Rules = rules.DEFAULTS, *, start: float = OLD, within: Mapping[str, str] = {}) -> None:
        self.rules, self.states, self.now = wanted, States(), start
        self.boot, self.shift, self.quiet = "one", 0.0, NOTHING
        self.within = within
        self.changes: list[Change] = []

    def read(self, *readings: Reading, after: float = 5.0) -> list[Change]:
        """A cycle `after` seconds later, and the step without readings that it asks for."""
        self.now += after
        found = self._step(readings)
        if self.states.due < self.now + 1:
            self.now = max(self.now, self.states.due)
            found += self._step(())
        return found

    def notice(self, one: Reading) -> None:
        """An event: read by itself, 50 ms after the one before."""
        self.now += 0.05
        self._step([one])

    def hold(self, seconds: float, *readings: Reading, every: float = 5.0) -> list[Change]:
        """The same readings for so long."""
        return [one for _ in range(int(seconds / every)) for one in self.read(*readings, after=every)]

    def _step(self, readings: Iterable[Reading]) -> list[Change]:
        cycle = Cycle(moment(self.now, boot=self.boot, shift=self.shift), tuple(readings), self.within)
        done = step(self.rules, self.states, cycle, self.quiet)
        self.states = done.states
        self.changes += done.changes
        return list(done.changes)

    @property
    def told(self) -> list[str]:
        return said(self.changes)


def said(changes: Iterable[Change]) -> list[str]:
    """`firing stick.missing A`, in order."""
    return [" ".join(filter(None, [one.kind, one.rule, one.target])) for one in changes]


def silenced(*scopes: str, hours: bool = False, **given: Any) -> Quiet:
    return Quiet(muted=scopes, hours=hours, **given)
