"""What an engine remembers between two cycles, and what it says. Values: nothing here changes, everything is JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from miner.alerts.calm import Calm
from miner.alerts.rule import Severity

Phase = Literal["ok", "pending", "firing", "recovering", "over"]
Told = Literal["", "firing", "flapping"]
Kind = Literal["firing", "flapping", "steady", "repeat", "resolved"]
Key = tuple[str, str]
"""(rule, target)"""


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule about one target; see `miner.alerts`. Moments are seconds on the steady clock of `States.boot`.

    `since`: when the phase began (of `over`: when it became well). `fired`, `fired_at` (ISO), `boot`: when it began to
    fire. `seen`: last read, within a minute. `frozen`: since when its reading is None. `silent`: why it was silenced
    when last looked at; `held`: when that ended. `told_at`: when people last heard of it. `fires`: when it fired
    lately. `count`: how often it fired since they were told. `why`: how it ended, `well`, `gone` (not watched any more)
    or `off` (no such rule any more).
    """

    rule: str
    target: str
    severity: Severity
    phase: Phase
    since: float
    seen: float
    value: float
    note: str = ""
    fired: float = 0.0
    fired_at: str = ""
    boot: str = ""
    frozen: float | None = None
    silent: str = ""
    held: float = 0.0
    told: Told = ""
    told_at: float = 0.0
    fires: tuple[float, ...] = ()
    count: int = 0
    why: str = "well"

    @property
    def key(self) -> Key:
        return self.rule, self.target

    @property
    def fires_now(self) -> bool:
        return self.phase in ("firing", "recovering")


@dataclass(frozen=True, slots=True)
class Change:
    """What people should hear of. `at` and `since` (when it began to fire) are ISO 8601, `seconds` lie between them.

    `kind`: firing; flapping (fires for the `count`-th time in a short while); steady (it flapped, and now fires for
    good); repeat (it still fires); resolved (`why` says how, `count` how often it had come back).
    """

    kind: Kind
    rule: str
    target: str
    severity: Severity
    at: str
    since: str
    seconds: float
    value: float
    note: str = ""
    count: int = 0
    why: str = ""


@dataclass(frozen=True)
class States:
    """`begun`: the first step since the machine's start; `beat`: the last one, within a minute; `last`: the last one
    that had an alert to look at. `facts`: since when a thing that some rule's `after` asks of has been good, or has run
    (None: it is not). `within`: see `Cycle`.
    """

    boot: str = ""
    begun: float = 0.0
    beat: float = 0.0
    alerts: Mapping[Key, Alert] = field(default_factory=dict)
    facts: Mapping[Key, float | None] = field(default_factory=dict)
    within: Mapping[str, str] = field(default_factory=dict)
    last: float = -1.0
    calm: Calm = field(default_factory=Calm, compare=False, repr=False)

    @property
    def due(self) -> float:
        """When a step without readings may have something to say, on the steady clock; infinity: not before a cycle."""
        waiting = (one for one in self.alerts.values() if one.phase == "firing" and not (one.told or one.silent))
        return min((max(one.fired, one.held) + SETTLE for one in waiting), default=float("inf"))

    def to_json(self) -> str:
        alerts = [asdict(one) for one in self.alerts.values()]
        facts = [[*key, since] for key, since in self.facts.items()]
        plain = {
            "boot": self.boot,
            "begun": self.begun,
            "beat": self.beat,
            "last": self.last,
            "within": dict(self.within),
        }
        return json.dumps({**plain, "alerts": alerts, "facts": facts})


SETTLE = 0.4
"""Seconds that an alert waits before it is told: what explains it may be read a moment later."""


def from_json(text: str) -> States:
    """The reverse of `States.to_json`; what a newer release wrote more is left out."""
    found: dict[str, Any] = json.loads(text)
    known = Alert.__dataclass_fields__
    alerts = [Alert(**{name: one[name] for name in one if name in known}) for one in map(_tupled, found["alerts"])]
    facts = {(metric, target): since for metric, target, since in found["facts"]}
    return States(
        found["boot"], found["begun"], found["beat"], {one.key: one for one in alerts}, facts, found["within"]
    )


def _tupled(one: dict[str, Any]) -> dict[str, Any]:
    return one | {"fires": tuple(one.get("fires", ()))}
