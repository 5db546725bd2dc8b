"""What is silenced at a moment: by people (mutes), by the rules' windows. And why an alert is not told now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf

from miner.alerts.rule import Rule, Rules
from miner.alerts.states import Alert, Key, States
from miner.alerts.windows import covers

LINGER = 30.0
"""Seconds that a cause explains its consequences after it is over: a hub is back before its sticks are."""
PATIENCE = 10.0
"""Seconds that an alert waits for a pending cause beyond the cause's own `for`."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """`muted`, `maintenance`: the scopes that hold now (see `windows.covers`); `hours`: it is a quiet hour."""

    muted: tuple[str, ...] = ()
    maintenance: tuple[str, ...] = ()
    hours: bool = False


NOTHING = Quiet()


def of_people(rule: str, target: str, held_in_quiet: bool, quiet: Quiet) -> str:
    """`maintenance`, `muted`, `quiet`, or nothing."""
    if any(covers(scope, rule, target) for scope in quiet.maintenance):
        return "maintenance"
    if any(covers(scope, rule, target) for scope in quiet.muted):
        return "muted"
    return "quiet" if quiet.hours and held_in_quiet else ""


class Causes:
    """What fires, is pending, or was over a moment ago, by rule: looked up, never searched."""

    def __init__(self, rules: Rules, states: States, alerts: Mapping[Key, Alert], now: float) -> None:
        self._rules = rules
        self._states = states
        self._now = now
        self._by_rule: dict[str, dict[str, Alert]] = {}
        for alert in alerts.values():
            if alert.phase not in ("ok", "over") or alert.since > now - LINGER:
                self._by_rule.setdefault(alert.rule, {})[alert.target] = alert

    def why_not(self, rule: Rule, alert: Alert, quiet: Quiet) -> str:
        """Why this alert, which fires, is not told now; empty: tell it."""
        return (
            of_people(rule.name, alert.target, rule.quiet, quiet)
            or self._explained(rule, alert)
            or self._young(rule, alert)
        )

    def _explained(self, rule: Rule, alert: Alert) -> str:
        found = ""
        for cause in self._causes(rule, alert):
            if cause.fires_now:
                return "inhibited"
            if cause.phase != "pending" or self._now - alert.fired <= self._rules.rules[cause.rule].for_s + PATIENCE:
                found = "waiting"
        return found

    def _causes(self, rule: Rule, alert: Alert) -> Iterator[Alert]:
        for one in rule.inhibited_by:
            name, at, place = one.partition("@")
            for known in [name] if "*" not in name else [other for other in self._by_rule if fnmatchcase(other, name)]:
                found = self._by_rule.get(known)
                if found is None:
                    continue
                wanted = self._matching(found, place) if at else self._near(alert.target)
                yield from (found[target] for target in wanted if target in found and (known, target) != alert.key)

    def _matching(self, found: Mapping[str, Alert], place: str) -> Iterable[str]:
        if "*" not in place:
            return (place,)
        return list(found)[:1] if place == "*" else [target for target in found if fnmatchcase(target, place)]

    def _near(self, target: str) -> Iterator[str]:
        """The host, the target itself, and what it is part of."""
        yield ""
        for _ in range(8):  # hubs are seven deep at most; and a circle must not hang us
            yield target
            if target not in self._states.within:
                break
            target = self._states.within[target]

    def _young(self, rule: Rule, alert: Alert) -> str:
        if self._now < rule.grace_s:
            return "grace"
        for metric, length in rule.after:
            if any(self._now - since < length for since in self._begun(metric, alert.target)):
                return "grace"
        return ""

    def _begun(self, metric: str, target: str) -> list[float]:
        """Since when the thing itself and the host are well. For the host it is enough that one of many things is."""
        facts = self._states.facts
        own = [facts[metric, one] for one in dict.fromkeys((target, "")) if (metric, one) in facts]
        if target == "" and not own:
            many = [since for (name, _), since in facts.items() if name == metric]
            well = [since for since in many if since is not None]
            return [min(well)] if well else [inf] if many else []
        return [since for since in own if since is not None]
