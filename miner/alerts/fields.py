"""The fields of a rule, each from JSON to what `Rule` holds. Each raises ValueError saying what it expected."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from miner.alerts.rule import SEVERITIES
from miner.alerts.windows import DAYS, Window, minutes
from runtime import clock

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?")
_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
LONGEST = 366 * 86_400.0


class OwnField(ValueError):
    """What is wrong is one field of the thing, not the whole."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.field = name


@dataclass
class Problems:
    """What is wrong, one line each, in the order it was found."""

    lines: list[str] = field(default_factory=list)

    def add(self, rule: str, field: str, reason: str) -> None:
        self.lines.append(": ".join(filter(None, [rule, field, reason])))


def seconds(value: Any) -> float:
    """A number of seconds, or `30s`, `5m`, `2h`, `1d`."""
    found = _DURATION.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    length = float(found[1]) * _UNITS[found[2] or "s"] if found else math.inf
    if length > LONGEST:
        raise ValueError(f"{value!r}: expected a duration up to a year, such as 30s, 5m, 2h or 1d")
    return length


def number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r}: expected a number")
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 200:
        raise ValueError(f"{value!r}: expected a name")
    return value


def texts(value: Any) -> tuple[str, ...]:
    return tuple(text(one) for one in (value if isinstance(value, list) else [value]))


def choice(value: Any, known: tuple[str, ...]) -> str:
    if value not in known:
        close = get_close_matches(str(value), known, 1, 0.5)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{value!r}: expected {', '.join(known[:-1])} or {known[-1]}{hint}")
    return str(value)


def switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r}: expected true or false")
    return value


def after(value: Any) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, dict):
        raise ValueError('expected for each metric a duration, such as {"stick.present": "10m"}')
    return tuple((str(name), seconds(one)) for name, one in value.items())


RULE: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "metric": lambda value: {"metric": text(value)},
    "compare": lambda value: {"compare": choice(value, ("<", "<=", ">", ">="))},
    "threshold": lambda value: {"threshold": number(value)},
    "below": lambda value: {"compare": "<", "threshold": number(value)},
    "above": lambda value: {"compare": ">", "threshold": number(value)},
    "clear": lambda value: {"clear": number(value)},
    "for": lambda value: {"for_s": seconds(value)},
    "clear_for": lambda value: {"clear_for_s": seconds(value)},
    "severity": lambda value: {"severity": choice(value, SEVERITIES)},
    "repeat": lambda value: {"repeat_s": seconds(value or 0)},
    "quiet": lambda value: {"quiet": switch(value)},
    "grace": lambda value: {"grace_s": seconds(value)},
    "after": lambda value: {"after": after(value)},
    "inhibited_by": lambda value: {"inhibited_by": texts(value)},
    "targets": lambda value: {"targets": texts(value)},
}
"""What a rule may say. `below` and `above` are `compare` and `threshold` in one."""


def window(value: Any) -> Window:
    """`{"from": "22:00", "to": "07:00", "days": ["sat"], "scope": "*"}`, or a span with ISO dates. Raises OwnField."""
    if not isinstance(value, dict):
        raise ValueError('expected {"from": "22:00", "to": "07:00"}')
    known = ("from", "to", "days", "scope")
    for name in value:
        if name not in known:
            close = get_close_matches(str(name), known, 1, 0.4)
            raise OwnField(str(name), f"no such field; {'did you mean ' + repr(close[0]) if close else known}")
    begin, end = (str(value.get(name, "")) for name in ("from", "to"))
    scope = _own("scope", text, value.get("scope", "*"))
    if "-" in begin or "-" in end:
        first, last = _own("from", _moment, begin), _own("to", _moment, end)
        if last <= first:
            raise OwnField("to", "must come after `from`")
        return Window(first=first, last=last, scope=scope)
    days = _own("days", _days, value.get("days", list(DAYS)))
    span = _own("from", minutes, begin), _own("to", minutes, end)
    return Window(*span, days, scope=scope)


def flapping(value: Any) -> dict[str, Any]:
    """`times` 0: nothing is ever said to flap. Raises OwnField."""
    if value is None:
        return {"times": 0}
    if not isinstance(value, dict):
        raise ValueError('expected {"times": 3, "within": "10m", "stable": "5m"}, or null for none')
    known: Mapping[str, Callable[[Any], Any]] = {"times": _times, "within": seconds, "stable": seconds}
    for name in value:
        if name not in known:
            raise OwnField(str(name), f"no such field; there are {', '.join(known)}")
    return {name: _own(name, known[name], one) for name, one in value.items()}


def daily(value: Any) -> int | None:
    return None if value is None else minutes(str(value))


def _times(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not (value == 0 or 2 <= value <= 100):
        raise ValueError(f"{value!r}: expected a whole number from 2 to 100, or 0 for never")
    return value


def _days(value: Any) -> tuple[str, ...]:
    return tuple(choice(one, DAYS) for one in (value if isinstance(value, list) else [value]))


def _moment(value: str) -> Any:
    try:
        return clock.from_iso(value)
    except ValueError:
        raise ValueError(f"{value!r}: expected a time with its offset, such as 2026-12-01T22:00:00+01:00") from None


def _own(name: str, convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except ValueError as error:
        raise OwnField(name, str(error)) from None
