"""From rules, states and what was read to the next states and what is to be told. Pure: no clock, no store, no waiting.

Most readings of most cycles change nothing: `calm` knows between which values, and only the others are looked at.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal, NamedTuple

from miner.alerts import calm
from miner.alerts.calm import NEVER, Band, Calm
from miner.alerts.phases import BEAT, Phases
from miner.alerts.quiet import LINGER, NOTHING, Causes, Quiet, of_people
from miner.alerts.rule import Rule, Rules
from miner.alerts.states import SETTLE, Alert, Change, Key, Kind, States
from miner.readings import METRICS, Cycle, Moment, Reading
from runtime import clock

AWAY = 180.0
"""Seconds between two steps after which it was the monitor that was away, not what it watches."""
GONE = 3600.0
"""Seconds without a reading after which a target is not watched any more. Some things are read every 20 minutes."""
EXPLAINED = ("inhibited", "waiting")
"""What had a cause must last for its own `for` again once that is over: a hashrate takes minutes to come back."""
SLACK = 10.0
"""Seconds by which a thing's start, reckoned from its age, may seem to move."""
BEGINNING = 30.0
"""What is there so many seconds after the first step has been there since the machine's start, for all we know."""


class Stepped(NamedTuple):
    states: States
    changes: tuple[Change, ...]


def step(rules: Rules, states: States, cycle: Cycle, quiet: Quiet = NOTHING) -> Stepped:
    """What a cycle does to the states, and what people should be told of it.

    A cycle may be partial, or have no readings at all: see `States.due`. `cycle.moment.steady` must not go back within
    one boot; `cycle.moment.at` may do anything.
    """
    states = _prepared(rules, states, cycle)
    bands = _Bands(rules, states)
    stirring = [one for one in states.calm.stirring(cycle.readings, bands) if not _is_old(rules, states, one, cycle)]
    if not stirring and not states.alerts:
        return Stepped(states, ())
    draft = _Draft(rules, states, cycle.moment, quiet)
    if states.last != cycle.moment.steady:
        draft.pass_time()
    for reading in stirring:
        draft.read(reading)
    draft.conclude()
    return draft.done()


def firing(rules: Rules, states: States, now: float, quiet: Quiet) -> list[tuple[Alert, str]]:
    """What fires, and why it is not told now (see `miner.alerts`); empty: it is, or will be in a moment."""
    causes = Causes(rules, states, states.alerts, now)
    found = [(one, rules.rules.get(one.rule)) for one in states.alerts.values() if one.fires_now]
    return [(one, causes.why_not(rule, one, quiet) if rule else "") for one, rule in found]


def _prepared(rules: Rules, states: States, cycle: Cycle) -> States:
    moment = cycle.moment
    if states.boot != moment.boot:
        states = _rebooted(states, moment)
    if states.calm.rules is not rules:
        states = replace(states, alerts=_known(rules, states, moment), calm=Calm(rules))
    if cycle.within != states.within and any(states.within.get(part) != whole for part, whole in cycle.within.items()):
        states = replace(states, within={**states.within, **cycle.within})
    if moment.steady - states.beat >= BEAT:
        states = _beaten(states, moment.steady)
    return states


def _is_old(rules: Rules, states: States, one: Reading, cycle: Cycle) -> bool:
    """A thing's age that only grew with time."""
    if METRICS[one.metric].unit != "seconds" or one.metric in rules.by_metric:
        return False
    began = states.facts.get((one.metric, one.target))
    return one.value is None or (began is not None and abs(cycle.moment.steady - one.value - began) <= SLACK)


def _rebooted(states: States, moment: Moment) -> States:
    """The steady clock began anew. What fires goes on; for how long something had been pending means nothing now."""
    now = moment.steady
    alerts = {
        key: replace(one, phase="over" if one.phase == "over" else "firing", **_anew(now))
        for key, one in states.alerts.items()
        if one.phase in ("firing", "recovering", "over")
    }
    return States(moment.boot, now, now, alerts, {}, states.within)


def _anew(now: float) -> dict[str, Any]:
    return {"since": now, "seen": now, "fired": now, "told_at": now, "held": now, "frozen": None, "fires": ()}


def _known(rules: Rules, states: States, moment: Moment) -> dict[Key, Alert]:
    """Alerts of rules that are gone, or that do not look at the target any more, end."""
    alerts = {}
    for key, one in states.alerts.items():
        rule = rules.rules.get(one.rule)
        if rule is not None and rule.concerns(one.target):
            alerts[key] = replace(one, severity=rule.severity)
        elif one.told:
            alerts[key] = replace(one, phase="over", since=moment.steady, why="off")
    return alerts


def _beaten(states: States, now: float) -> States:
    """If nobody looked for long, it is not the targets that were away."""
    away = now - states.beat if now - states.beat > AWAY else 0.0
    if not away:
        return replace(states, beat=now)
    return replace(
        states, beat=now, alerts={key: replace(one, seen=one.seen + away) for key, one in states.alerts.items()}
    )


class _Bands:
    """Finds the band of a (metric, target) from the states."""

    def __init__(self, rules: Rules, states: States) -> None:
        self._rules = rules
        self._states = states

    def __call__(self, metric: str, target: str) -> Band:
        low, high = self._fact(metric, target)
        for rule in self._rules.by_metric.get(metric, ()):
            if not rule.concerns(target):
                continue
            alert = self._states.alerts.get((rule.name, target))
            if alert is not None and alert.phase != "ok":
                return NEVER
            least, most = calm.of_rule(rule)
            low, high = max(low, least), min(high, most)
        return low, high

    def _fact(self, metric: str, target: str) -> Band:
        if metric not in self._rules.facts:
            return -math.inf, math.inf
        if (metric, target) not in self._states.facts or METRICS[metric].unit == "seconds":
            return NEVER
        is_good = self._states.facts[metric, target] is not None
        return (1.0, math.inf) if is_good else (-math.inf, math.nextafter(1.0, 0.0))


class _Draft:
    """The next states in the making; the given ones stay as they are."""

    def __init__(self, rules: Rules, states: States, moment: Moment, quiet: Quiet) -> None:
        self._rules = rules
        self._states = states
        self._moment = moment
        self._now = moment.steady
        self._quiet = quiet
        self._alerts = dict(states.alerts)
        self._facts = dict(states.facts)
        self._touched: set[tuple[str, str]] = set()
        self._read: dict[Key, None] = {}  # in the order they were read
        self._changes: list[Change] = []

    def read(self, reading: Reading) -> None:
        value = reading.value
        if value is not None and math.isnan(value):
            value = None
        if reading.metric in self._rules.facts and value is not None:
            self._note_fact(reading.metric, reading.target, value)
        for rule in self._rules.by_metric.get(reading.metric, ()):
            if not rule.concerns(reading.target):
                continue
            before = self._alerts.get((rule.name, reading.target))
            after = Phases(rule, self._moment, self._rules.flapping.within).after(
                before, reading.target, value, reading.note
            )
            if after is not None:
                self._read[after.key] = None
            self._put(rule, reading.target, before, after)

    def pass_time(self) -> None:
        """What time alone brings, before this moment's readings: so a cycle that comes in parts is as a whole."""
        seen, causes = dict(self._alerts), None
        for alert in seen.values():
            rule = self._rules.rules.get(alert.rule)
            if rule is None or alert.phase == "over":
                self._end(rule, alert)
            elif alert.phase == "ok":
                self._forget(rule, alert)
            elif alert.fires_now and self._now - alert.seen > GONE:
                gone = replace(alert, phase="over", since=alert.seen, why="gone")
                self._put(rule, alert.target, alert, gone)
                self._end(rule, gone)
            elif alert.fires_now and not alert.told:
                causes = causes or Causes(self._rules, self._states, seen, self._now)
                self._announce(rule, alert, causes.why_not(rule, alert, self._quiet))

    def conclude(self) -> None:
        """What was read may be told at once where it ends something, or says that it lasts."""
        for key in self._read:
            alert = self._alerts.get(key)
            if alert is not None and alert.phase == "over":
                self._end(self._rules.rules[alert.rule], alert)
            elif alert is not None and alert.phase == "firing" and alert.told:
                self._remind(self._rules.rules[alert.rule], alert)

    def done(self) -> Stepped:
        states = replace(self._states, last=self._now if self._alerts else -1.0)
        if self._touched:
            bands = states.calm.without(self._touched)
            states = replace(states, alerts=self._alerts, facts=self._facts, calm=bands)
        return Stepped(states, tuple(self._changes))

    def _note_fact(self, metric: str, target: str, value: float) -> None:
        key = metric, target
        if METRICS[metric].unit == "seconds":
            began, known = self._now - value, self._facts.get(key)
            if known is None or abs(began - known) > SLACK:
                self._facts[key] = began
                self._touched.add(key)
            return
        is_good = value >= 1
        if key not in self._facts:
            is_old = self._now - self._states.begun <= BEGINNING
            self._facts[key] = (0.0 if is_old else self._now) if is_good else None
        elif is_good == (self._facts[key] is not None):
            return
        else:
            self._facts[key] = self._now if is_good else None
        self._touched.add(key)

    def _put(self, rule: Rule, target: str, before: Alert | None, after: Alert | None) -> None:
        if after is before:
            return
        if after is None:
            del self._alerts[rule.name, target]
        else:
            self._alerts[after.key] = after
        self._touched.add((rule.metric, target))

    def _announce(self, rule: Rule, alert: Alert, reason: str) -> None:
        if reason != alert.silent:
            held = alert.held if reason else self._now + (rule.for_s if alert.silent in EXPLAINED else 0.0)
            changed = replace(alert, silent=reason, held=held)
            self._put(rule, alert.target, alert, changed)
            alert = changed
        if reason or alert.phase != "firing" or self._now < max(alert.fired, alert.held) + SETTLE:
            return
        times = self._rules.flapping.times
        told: Literal["firing", "flapping"] = "flapping" if times and len(alert.fires) >= times else "firing"
        count = len(alert.fires) if told == "flapping" else 0
        self._say(told, alert, count=count)
        self._put(rule, alert.target, alert, replace(alert, told=told, told_at=self._now, count=count))

    def _remind(self, rule: Rule, alert: Alert) -> None:
        """What people know of, and what was read now: it may have become steady, or it may be time to repeat it."""
        if alert.told == "flapping" and self._now - alert.since >= self._rules.flapping.stable:
            self._say("steady", alert, count=alert.count)
            self._put(rule, alert.target, alert, replace(alert, told="firing", told_at=self._now, count=0, fires=()))
        elif alert.told == "firing" and rule.repeat_s and self._now - alert.told_at >= rule.repeat_s:
            if of_people(rule.name, alert.target, rule.quiet, self._quiet):
                return
            self._say("repeat", alert)
            self._put(rule, alert.target, alert, replace(alert, told_at=self._now))

    def _end(self, rule: Rule | None, alert: Alert) -> None:
        flaps = alert.told == "flapping" and alert.why == "well"
        if flaps and self._now - alert.since < self._rules.flapping.stable:
            return
        if alert.told and of_people(alert.rule, alert.target, rule is not None and rule.quiet, self._quiet):
            return
        if alert.told:
            self._say("resolved", alert, count=alert.count, why=alert.why)
        if rule is None:
            del self._alerts[alert.key]
            self._touched.add(("", alert.target))
            return
        rested = replace(
            alert, phase="ok", told="", count=0, silent="", frozen=None, fires=() if flaps else alert.fires
        )
        self._put(rule, alert.target, alert, rested)

    def _forget(self, rule: Rule, alert: Alert) -> None:
        """What fired long ago."""
        if self._now - alert.since > max(LINGER, self._rules.flapping.within):
            self._put(rule, alert.target, alert, None)

    def _say(self, kind: Kind, alert: Alert, *, count: int = 0, why: str = "") -> None:
        until = alert.since if kind == "resolved" else self._now
        at, began = self._moment.at, clock.from_iso(alert.fired_at)
        seconds = until - alert.fired
        if alert.boot != self._moment.boot:  # only the calendar spans a reboot
            seconds = (at - began).total_seconds() - (self._now - until)
        said = max(0.0, seconds), alert.value, alert.note, count, why
        self._changes.append(
            Change(kind, alert.rule, alert.target, alert.severity, clock.iso(at), alert.fired_at, *said)
        )
