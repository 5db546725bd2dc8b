"""What a rule is, and the set of them that a monitor works with. Pure data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Literal

from miner.alerts.windows import Window

Severity = Literal["info", "warning", "critical"]
Compare = Literal["<", "<=", ">", ">="]

SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
RANK: Mapping[str, int] = {name: rank for rank, name in enumerate(SEVERITIES)}


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert fires when `metric` `compare` `threshold` has held for `for_s`, and ends when it was beyond `clear` for
    `clear_for_s`. All durations in seconds.

    `repeat_s`: told again so often while it lasts (0: never). `quiet`: held back in quiet hours. `grace_s`: not told
    sooner than this after the machine's start; `after`: the same for a thing: for each metric, of the same target or of
    the host, how long it must have been good (`bool`) or how large it must be (`seconds`); a rule about the host
    asks that of any one target. `inhibited_by`: rules that
    explain this one, each `rule` or `rule@target`, with `*` in either. `targets`: patterns; it looks at no others.
    """

    name: str
    metric: str
    compare: Compare
    threshold: float
    clear: float
    for_s: float = 0.0
    clear_for_s: float = 0.0
    severity: Severity = "warning"
    repeat_s: float = 0.0
    quiet: bool = True
    grace_s: float = 0.0
    after: tuple[tuple[str, float], ...] = ()
    inhibited_by: tuple[str, ...] = ()
    targets: tuple[str, ...] = ("*",)

    @property
    def rises(self) -> bool:
        """Whether large values are bad."""
        return self.compare[0] == ">"

    @property
    def is_inclusive(self) -> bool:
        return self.compare[1:] == "="

    def is_bad(self, value: float) -> bool:
        if value == self.threshold:
            return self.is_inclusive
        return (value > self.threshold) is self.rises

    def is_well(self, value: float) -> bool:
        """Beyond `clear`. With `clear` at the threshold: whatever is not bad."""
        if self.clear == self.threshold:
            return not self.is_bad(value)
        return value <= self.clear if self.rises else value >= self.clear

    def concerns(self, target: str) -> bool:
        return self.targets == ("*",) or any(fnmatchcase(target, pattern) for pattern in self.targets)


@dataclass(frozen=True, slots=True)
class Flapping:
    """What fires `times` times `within` seconds is told as flapping, until it was `stable` for so many seconds."""

    times: int = 3
    within: float = 600.0
    stable: float = 300.0


@dataclass(frozen=True)
class Rules:
    """`daily`: minutes after midnight at which the day is summed up; None: never. `windows`: maintenance."""

    rules: Mapping[str, Rule]
    quiet_hours: tuple[Window, ...] = ()
    maintenance: tuple[Window, ...] = ()
    flapping: Flapping = field(default_factory=Flapping)
    daily: int | None = 8 * 60

    @cached_property
    def by_metric(self) -> Mapping[str, tuple[Rule, ...]]:
        found: dict[str, list[Rule]] = defaultdict(list)
        for rule in self.rules.values():
            found[rule.metric].append(rule)
        return {metric: tuple(rules) for metric, rules in found.items()}

    @cached_property
    def facts(self) -> frozenset[str]:
        """Metrics that some rule's `after` asks of."""
        return frozenset(metric for rule in self.rules.values() for metric, _ in rule.after)
