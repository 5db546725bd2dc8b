"""Which action answers which standing alert, and when it may be taken. Pure: values in, values out.

Nothing is done by itself unless `heal` says so for that kind. A restart hides a bad power supply, so there are few a
day, each further one waits longer, and none is taken while the host starts or somebody has muted the alert.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Literal, Protocol

from miner.readings import Moment

Kind = Literal["miner", "power", "pool"]
Reason = Literal["running", "limit", "too soon", "not installed", "no miner", "not recorded", "unknown"]

DAY = 86_400.0
OPEN_S = 300.0
"""An action without an outcome counts as running for this long, over a restart of the monitor too."""


class PolicyError(ValueError):
    """The policy cannot be used; the message names the place in it."""


class Standing(Protocol):
    """An alert that fires, as the watchman tells it."""

    @property
    def rule(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def since(self) -> datetime: ...
    @property
    def text(self) -> str: ...
    @property
    def muted(self) -> bool: ...
    @property
    def silence(self) -> str: ...


class Pool(Protocol):
    """A pool as cgminer tells it; a smaller `priority` goes first."""

    @property
    def number(self) -> int | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def priority(self) -> int | None: ...
    @property
    def active(self) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """An action that was begun. `outcome` "" : it runs, or its end is not known."""

    id: str
    what: str
    at: datetime
    steady: float
    boot: str
    by: str
    why: str
    healing: bool
    outcome: str = ""
    text: str = ""

    @property
    def kind(self) -> str:
        return kind_of(self.what)


@dataclass(frozen=True, slots=True)
class Bounds:
    """`heal`: the monitor may do it by itself, when a rule of `alerts` has stood for `after_s` seconds.

    `a_day` at most, `between_s` seconds from one to the next, which `backoff` multiplies each further time in a day.
    """

    heal: bool = False
    alerts: tuple[str, ...] = ()
    after_s: float = 600.0
    between_s: float = 1800.0
    backoff: float = 2.0
    a_day: int = 3


ASKED = Bounds(between_s=60.0, backoff=1.0, a_day=12)
"""What people ask for: they have looked, but a button pressed twice is one restart."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Seconds since boot before anything is done by itself (`boot_grace_s`), and each kind's bounds."""

    boot_grace_s: float = 600.0
    miner: Bounds = field(default_factory=lambda: Bounds(alerts=("miner.no_hashrate", "miner.api_down")))
    power: Bounds = field(default_factory=lambda: Bounds(alerts=("stick.no_hashes", "stick.missing"), a_day=2))
    pool: Bounds = field(default_factory=lambda: Bounds(alerts=("miner.rejects",), after_s=300.0))


@dataclass(frozen=True, slots=True)
class Wish:
    """What should be done now, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not now. `wait_s`: how long until it may be asked again; `count`: how many there were today."""

    reason: Reason
    wait_s: float = 0.0
    count: int = 0


def kind_of(what: str) -> str:
    """`miner`, `power` of `power:1-1.4`, `pool` of `pool` and `pool:2`."""
    return what.partition(":")[0]


def bounds_of(policy: Policy, kind: str) -> Bounds:
    return {"miner": policy.miner, "power": policy.power, "pool": policy.pool}[kind]


def choose(
    policy: Policy,
    standing: Iterable[Standing],
    moment: Moment,
    past: Sequence[Taken],
    port_of: Callable[[str], str | None],
) -> Wish | None:
    """The one thing to do now; None: nothing. `port_of`: the port path of a stick's key, once it was seen."""
    if moment.steady < policy.boot_grace_s:
        return None
    for alert in standing:
        for wish in _wishes(policy, alert, moment, port_of):
            if refusal(bounds_of(policy, kind_of(wish.what)), wish.what, moment, past, healing=True) is None:
                return wish
    return None


def _wishes(policy: Policy, alert: Standing, moment: Moment, port_of: Callable[[str], str | None]) -> Iterable[Wish]:
    for kind in ("miner", "power", "pool"):
        bounds = bounds_of(policy, kind)
        stood = (moment.at - alert.since).total_seconds()
        if not bounds.heal or _held(alert) or alert.rule not in bounds.alerts or stood < bounds.after_s:
            continue
        port = port_of(alert.target) if kind == "power" else None
        if kind != "power":
            yield Wish(kind, alert.text)
        elif port:
            yield Wish(f"power:{port}", alert.text)


def _held(alert: Standing) -> bool:
    """Somebody is at it, or another alert explains it. At night people sleep and the monitor does not."""
    return alert.muted and alert.silence != "quiet"


def refusal(bounds: Bounds, what: str, moment: Moment, past: Sequence[Taken], *, healing: bool) -> Refusal | None:
    """Why `what` may not be done now; None: it may. What people ask for counts for healing, but not the reverse."""
    ages = [(age(one, moment), one) for one in past]
    if any(not one.outcome and old < OPEN_S for old, one in ages):
        return Refusal("running")
    same = [(old, one) for old, one in ages if _counts(one, what, healing) and old < DAY]
    if not same:
        return None
    newest, oldest = min(old for old, _ in same), max(old for old, _ in same)
    if len(same) >= bounds.a_day:
        return Refusal("limit", DAY - oldest, len(same))
    wait = bounds.between_s * bounds.backoff ** (len(same) - 1) - newest
    return Refusal("too soon", wait, len(same)) if wait > 0 else None


def _counts(one: Taken, what: str, healing: bool) -> bool:
    return one.kind == kind_of(what) and (healing or not one.healing)


def ended(one: Taken, outcome: str, text: str) -> Taken:
    return replace(one, outcome=outcome, text=text)


def age(one: Taken, moment: Moment) -> float:
    """Seconds since it was begun. Within one boot the clock may be set without any effect."""
    if one.boot == moment.boot:
        return max(0.0, moment.steady - one.steady)
    return max(0.0, (moment.at - one.at).total_seconds())


def next_pool(pools: Iterable[Pool]) -> int | None:
    """The number of the next pool that is alive, in their order, after the one in use; None: there is no other."""
    order = sorted((pool for pool in pools if pool.number is not None), key=_place)
    used = next((place for place, pool in enumerate(order) if pool.active), -1)
    for pool in (*order[used + 1 :], *order[: max(used, 0)]):
        if (pool.status or "").lower() == "alive":
            return pool.number
    return None


def _place(pool: Pool) -> tuple[float, int]:
    return (math.inf if pool.priority is None else pool.priority, pool.number or 0)


def load(text: str) -> Policy:
    """Of JSON, laid over the defaults: `{"boot_grace_s": 600, "miner": {"heal": true, "a_day": 2}}`. "" : the defaults.

    Raises PolicyError.
    """
    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise PolicyError(f"not JSON: {error}") from None
    usual = Policy()
    known = {"boot_grace_s": _number, **{kind: _bounds for kind in ("miner", "power", "pool")}}
    return Policy(**_laid_over(usual, _mapping(given, "the policy"), known, ""))


def _laid_over(usual: Any, given: Mapping[str, Any], known: Mapping[str, Any], place: str) -> dict[str, Any]:
    names = {one.name for one in fields(usual)}
    if strange := sorted(given.keys() - names):
        raise PolicyError(f"{place}{strange[0]} is not known; expected {', '.join(sorted(names))}")
    found = {name: getattr(usual, name) for name in names}
    return found | {name: known[name](value, f"{place}{name}", found[name]) for name, value in given.items()}


def _bounds(value: Any, place: str, usual: Bounds) -> Bounds:
    numbers = dict.fromkeys(("after_s", "between_s", "backoff", "a_day"), _number)
    known = {"heal": _switch, "alerts": _names, **numbers}
    return Bounds(**_laid_over(usual, _mapping(value, place), known, f"{place}."))


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise PolicyError(f"{place}: expected an object")
    return value


def _number(value: Any, place: str, usual: float) -> float:
    lowest = 1.0 if place.endswith("backoff") else 0.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value < math.inf:
        raise PolicyError(f"{place}: expected a number of at least {lowest:g}")
    return int(value) if isinstance(usual, int) else float(value)


def _switch(value: Any, place: str, _: bool) -> bool:
    if not isinstance(value, bool):
        raise PolicyError(f"{place}: expected true or false")
    return value


def _names(value: Any, place: str, _: tuple[str, ...]) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise PolicyError(f"{place}: expected a list of rules' names")
    return tuple(value)
