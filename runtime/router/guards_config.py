"""The section `guards` of the engines file, to typed rules. Pure: the shipped presets are given as data.

    {"mode": "warn", "timezone": "America/Montreal", "day_start": "00:00",
     "account": {"max_trades_day": 5},
     "engines": {"GOLD_CFD_LONG": {"preset": "xauusd-v2.1", "losing_streak": 2, "checklist": null}}}

A preset is laid under what stands beside its name: objects are merged, anything else is replaced, null turns a guard
off.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import time
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo

from runtime import payload
from runtime.payload import Invalid, Json
from runtime.router import guards_times as times
from runtime.router.guards_rules import Guards, Mode, Rules
from runtime.router.guards_standing import KEPT, Calendar
from runtime.router.guards_times import known, object_

Presets = Mapping[str, Json]
Equities = Mapping[str, float | None]
"""The engines that there are, each with its equity in USD; None: not sized, so it never opens anything."""

_SHARED = ("mode", "timezone", "day_start")
_TOP = frozenset({*_SHARED, "preset", "account", "engines"})
_COUNTS = {"max_trades_day": 0, "open_trades_max": 0, "losing_streak": 1, "winrate_window": 1}  # the least of each
_AMOUNTS = frozenset(f"day_stop_{way}_{unit}" for way in ("loss", "gain") for unit in ("r", "usd"))
_PERCENTS = frozenset({"day_stop_loss_pct", "day_stop_gain_pct", "max_drawdown_pct", "min_winrate_pct", "max_risk_pct"})
_CHOICES = {"day_pct_of": ("day", "initial"), "drawdown_from": ("peak", "initial")}
_TABLES = frozenset({"symbols", "news", "sessions", "checklist", "modes"})
GUARDS = frozenset({*_COUNTS, *_AMOUNTS, *_PERCENTS, "symbols", "news", "sessions", "checklist"}) - {"winrate_window"}
"""What may have a mode of its own."""
SCOPE = frozenset({*_SHARED, "preset", "equity", *_COUNTS, *_AMOUNTS, *_PERCENTS, *_CHOICES, *_TABLES})


def read(data: object, equities: Equities, presets: Presets, zone: ZoneInfo) -> Guards:
    """Typed guards; `zone` is where days begin unless the section says otherwise. Raises Invalid with the place."""
    top = object_(data, "guards")
    known(top, _TOP, "guards")
    shared: Json = {"timezone": zone.key} | {name: top[name] for name in _SHARED if top.get(name) is not None}
    account = _account(top)
    total = sum(equity or 0.0 for equity in equities.values())
    engines = object_(top.get("engines", {}), "guards.engines")
    known(engines, [name for name, equity in equities.items() if equity], "guards.engines", "not an engine with equity")
    return Guards(
        None if account is None else _rules(account, shared, total, presets, "guards.account"),
        {
            name: _rules(object_(given, place), shared, equities[name] or 0.0, presets, place)
            for name, given in engines.items()
            for place in (f"guards.engines.{name}",)
        },
    )


def _account(top: Json) -> Json | None:
    """A preset at the top is the account's."""
    account, preset = top.get("account"), top.get("preset")
    if account is None and preset is None:
        return None
    found = dict(object_({} if account is None else account, "guards.account"))
    if preset is not None and found.setdefault("preset", preset) != preset:
        raise Invalid("guards.preset", "stands in guards.account too, and says something else")
    return found


def _rules(given: Json, shared: Json, equity: float, presets: Presets, place: str) -> Rules:
    """What the top says counts less than the preset's own calendar, and both less than the scope's own words."""
    known(given, SCOPE, place)
    own = {name: value for name, value in given.items() if name != "preset"}
    data = merged(shared | _preset(given, presets, place), own)
    try:
        return _typed(data, equity)
    except Invalid as error:
        raise Invalid(f"{place}.{error.field}", error.reason) from None


def _preset(given: Json, presets: Presets, place: str) -> Json:
    name = given.get("preset")
    if name is None:
        return {}
    if not isinstance(name, str) or name not in presets:
        near = difflib.get_close_matches(str(name), list(presets), 1)
        said = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(presets))}"
        raise Invalid(f"{place}.preset", f"{name!r} is not shipped; {said}")
    return cast(Json, presets[name]["rules"])


def merged(under: Json, over: Json) -> Json:
    """Objects are merged, anything else is replaced."""
    both = {name: merged(under[name], over[name]) for name in over if _are_objects(under.get(name), over[name])}
    return under | over | both


def _are_objects(one: object, other: object) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)


def _typed(data: Json, equity: float) -> Rules:
    given = {name: value for name, value in data.items() if value is not None}
    zone = times.zone(given, "timezone")
    start = times.wall(given["day_start"], "day_start") if "day_start" in given else time()
    found: dict[str, Any] = {"calendar": Calendar(zone, start), "equity": _equity(given, equity)}
    if "mode" in given:
        found["mode"] = _mode(given, "mode")
    found |= {name: _count(given, name, least) for name, least in _COUNTS.items() if name in given}
    found |= {name: _above_zero(given, name) for name in _AMOUNTS & given.keys()}
    found |= {name: _above_zero(given, name, 100) for name in _PERCENTS & given.keys()}
    found |= {name: _choice(given, name, _CHOICES[name]) for name in _CHOICES if name in given}
    return Rules(**found, **_tables(given, zone))


def _tables(given: Json, zone: ZoneInfo) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "modes" in given:
        modes = object_(given["modes"], "modes")
        known(modes, GUARDS, "modes", "not a guard")
        found["modes"] = {name: _mode(modes, name, "modes.") for name in modes}
    if "symbols" in given:
        found["symbols"] = _names(given["symbols"], "symbols")
    if "news" in given:
        found["news"] = times.news(object_(given["news"], "news"), zone)
    if "sessions" in given:
        found["sessions"] = times.sessions(given["sessions"], zone)
    return found | (_checklist(given["checklist"]) if "checklist" in given else {})


def _checklist(value: object) -> dict[str, Any]:
    """A list of names, or `{"items": [...], "within_hours": 12}`."""
    if isinstance(value, list):
        return {"checklist": _names(value, "checklist")}
    data = object_(value, "checklist")
    known(data, ("items", "within_hours"), "checklist")
    hours = data.get("within_hours")
    found: dict[str, Any] = {"checklist": _names(data.get("items"), "checklist.items")}
    if hours is not None:
        found["checklist_hours"] = _above_zero(data, "within_hours", 24 * 31, "checklist.")
    return found


def _names(value: object, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise Invalid(place, "expected a list of names")
    names = tuple(payload.label({f"{place}.{at}": name}, f"{place}.{at}") for at, name in enumerate(value))
    if len(set(names)) != len(names):
        raise Invalid(place, "has a name twice")
    return names


def _equity(given: Json, default: float) -> float:
    if "equity" in given:
        return _above_zero(given, "equity")
    if default <= 0:
        raise Invalid("equity", "is missing, and no engine has any")
    return default


def _count(given: Json, name: str, least: int) -> int:
    value = payload.number(given, name, required=True)
    most = KEPT if name == "winrate_window" else 10_000
    if value is None or value != int(value) or not least <= value <= most:
        raise Invalid(name, f"expected a whole number from {least} to {most}")
    return int(value)


def _above_zero(given: Json, name: str, most: float = 1e12, place: str = "") -> float:
    try:
        value = payload.number(given, name, required=True)
    except Invalid as error:
        raise Invalid(place + name, error.reason) from None
    if value is None or not 0 < value <= most:
        raise Invalid(place + name, f"expected a number above 0 and at most {most:g}, without a sign")
    return value


def _choice(given: Json, name: str, allowed: tuple[str, ...]) -> str:
    if given[name] not in allowed:
        raise Invalid(name, f"expected {' or '.join(allowed)}")
    return str(given[name])


def _mode(given: Json, name: str, place: str = "") -> Mode:
    if given[name] not in ("enforce", "warn"):
        raise Invalid(place + name, "expected enforce or warn")
    return cast(Literal["enforce", "warn"], given[name])
