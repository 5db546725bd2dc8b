"""Hours and news windows as people write them, to typed ones. Pure.

"sessions": [{"days": "mon-fri", "from": "08:00", "to": "17:00", "timezone": "Europe/London"}]
"news": {"before_min": 15, "after_min": 15, "windows": [
    {"what": "FOMC", "at": "2026-03-18 14:00", "timezone": "America/New_York"},
    {"what": "jobless claims", "day": "thu", "at": "08:30", "timezone": "America/New_York"},
    {"what": "holidays", "from": "2026-12-24 00:00", "to": "2026-12-27 00:00"}]}
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from runtime import payload
from runtime.payload import Invalid, Json
from runtime.router.guards_rules import DAYS, Blackout, Session

MOST_MINUTES = 720
_WINDOW = ("what", "day", "at", "from", "to", "timezone", "before_min", "after_min")


def known(given: Iterable[str], names: Iterable[str], place: str, what: str = "not known") -> None:
    """Raises Invalid for the first name that is none of `names`, with the nearest one."""
    names = list(names)
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            raise Invalid(f"{place}.{name}", f"is {what}{f'; did you mean {near[0]}?' if near else ''}")


def object_(value: object, place: str) -> Json:
    if not isinstance(value, dict):
        raise Invalid(place, "expected an object")
    return value


def zone(given: Json, name: str, default: ZoneInfo | None = None) -> ZoneInfo:
    value = given.get(name)
    if value is None and default is not None:
        return default
    try:
        return ZoneInfo(value)  # type: ignore[arg-type]
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        raise Invalid(name, f"{value!r} is not a time zone; write one such as America/Montreal") from None


def wall(value: object, place: str) -> time:
    """08:30, by the clock on the wall."""
    try:
        found = time.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Invalid(place, f"{value!r} is not a time of day; write it as 08:30") from None
    if found.tzinfo is not None or found.second or found.microsecond:
        raise Invalid(place, "expected hours and minutes only, such as 08:30")
    return found


def sessions(value: object, default: ZoneInfo) -> tuple[Session, ...]:
    return tuple(_session(each, f"sessions.{at}", default) for at, each in enumerate(_list(value, "sessions")))


def news(given: Json, default: ZoneInfo) -> tuple[Blackout, ...]:
    """Every window has the section's minutes before and after, unless it says its own."""
    known(given, ("before_min", "after_min", "timezone", "windows"), "news")
    here = _placed("news", zone, given, "timezone", default)
    margins = (_minutes(given, "before_min", 0, "news"), _minutes(given, "after_min", 0, "news"))
    windows = _list(given.get("windows") or [], "news.windows", empty=True)
    return tuple(_blackout(each, f"news.windows.{at}", here, margins) for at, each in enumerate(windows))


def _session(value: object, place: str, default: ZoneInfo) -> Session:
    given = object_(value, place)
    known(given, ("days", "from", "to", "timezone"), place)
    start, end = (wall(given.get(name), f"{place}.{name}") for name in ("from", "to"))
    return Session(_days(given, place), start, end, _placed(place, zone, given, "timezone", default))


def _days(given: Json, place: str) -> frozenset[int]:
    """`"mon-fri"`, `"sat"`, `["mon", "wed"]`; every day when not said."""
    value = given.get("days")
    if value is None:
        return frozenset(range(7))
    if isinstance(value, str) and "-" in value:
        first, last = (_day(part, f"{place}.days") for part in value.split("-", 1))
        return frozenset((first + step) % 7 for step in range((last - first) % 7 + 1))
    named = value if isinstance(value, list) and value else [value]
    return frozenset(_day(name, f"{place}.days") for name in named)


def _day(value: object, place: str) -> int:
    name = value.strip().lower() if isinstance(value, str) else ""
    if name not in DAYS:
        near = difflib.get_close_matches(name[:3], DAYS, 1)
        said = f"did you mean {near[0]}?" if near else f"expected {' '.join(DAYS)}"
        raise Invalid(place, f"{value!r} is not a day; {said}")
    return DAYS.index(name)


def _blackout(value: object, place: str, default: ZoneInfo, margins: tuple[float, float]) -> Blackout:
    given = object_(value, place)
    known(given, _WINDOW, place)
    if ("at" in given) == ("from" in given) or ("from" in given) != ("to" in given):
        raise Invalid(place, "expected either `at`, or `from` and `to`")
    names = ("at", "at") if "at" in given else ("from", "to")
    weekly = given.get("day") is not None
    start, end = (_point(given[name], f"{place}.{name}", weekly=weekly) for name in names)
    what = payload.text(given, "what") if isinstance(given.get("what", ""), str) else None
    if what is None or len(what) > 64 or not what.isprintable():
        raise Invalid(f"{place}.what", "expected at most 64 printable characters")
    here = _placed(place, zone, given, "timezone", default)
    before, after = (_minutes(given, name, margins[at], place) for at, name in enumerate(("before_min", "after_min")))
    found = Blackout(start, end, here, before, after, _day(given["day"], f"{place}.day") if weekly else None, what)
    if found.is_empty:
        raise Invalid(place, "ends before it begins, or has no length: give before_min and after_min, or from and to")
    return found


def _point(value: object, place: str, *, weekly: bool) -> datetime | time:
    if weekly:
        return wall(value, place)
    try:
        found = datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Invalid(place, f"{value!r} is not a moment; write it as 2026-03-18 14:00, or give `day`") from None
    return found


def _minutes(given: Json, name: str, default: float, place: str) -> float:
    value = _placed(place, payload.number, given, name)
    if value is None:
        return default
    if not 0 <= value <= MOST_MINUTES:
        raise Invalid(f"{place}.{name}", f"expected minutes from 0 to {MOST_MINUTES}")
    return float(value)


def _placed(place: str, reader: Any, *given: Any) -> Any:
    """What `reader` reads; its errors with their place."""
    try:
        return reader(*given)
    except Invalid as error:
        raise Invalid(f"{place}.{error.field}", error.reason) from None


def _list(value: object, place: str, *, empty: bool = False) -> list[Any]:
    if not isinstance(value, list) or not (value or empty):
        raise Invalid(place, "expected a list")
    return value
