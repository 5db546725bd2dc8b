"""Which groups a trade belongs to. Sessions, hours and weekdays are those of its opening, in UTC. Pure."""

from __future__ import annotations

from datetime import datetime

ALL = ("all", "")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# The whole day is shared out, so that no trade falls between two: Asia 21:00-06:59 (Wellington's opening to London's),
# London 07:00-12:59, New York 13:00-20:59. The hours are fixed: summer time moves the exchanges, not these.
SESSIONS = ("Asia", "London", "New York")
_LONDON, _NEW_YORK, _ASIA = 7, 13, 21


def session(hour: int) -> str:
    """The trading session of a UTC hour (0 to 23)."""
    if _LONDON <= hour < _NEW_YORK:
        return "London"
    return "New York" if _NEW_YORK <= hour < _ASIA else "Asia"


def of(engine: str, symbol: str, opened_ts: str) -> list[tuple[str, str]]:
    """(dimension, name) of every group of a trade; the first is the whole ledger."""
    opened = datetime.fromisoformat(opened_ts)
    return [
        ALL,
        ("engine", engine),
        ("symbol", symbol),
        ("session", session(opened.hour)),
        ("hour", f"{opened.hour:02}"),
        ("weekday", WEEKDAYS[opened.weekday()]),
    ]


def order(name: str) -> tuple[int, str]:
    """Sorts names as people read them: sessions from the east, weekdays from Monday, all else by the alphabet."""
    known = (*SESSIONS, *WEEKDAYS)
    return (known.index(name) if name in known else -1, name)
