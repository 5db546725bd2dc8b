"""Times of the day and spans of the calendar, in the user's own zone: quiet hours and maintenance. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = 24 * 60
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` to `end`, minutes after midnight (over midnight when it ends first), on `days` (of its beginning).

    With `first` and `last` it is that one span instead. `scope`: what it silences, see `covers`.
    """

    begin: int = 0
    end: int = 0
    days: tuple[str, ...] = DAYS
    first: datetime | None = None
    last: datetime | None = None
    scope: str = "*"

    def holds(self, at: datetime, zone: ZoneInfo) -> bool:
        if self.first is not None and self.last is not None:
            return self.first <= at < self.last
        here = at.astimezone(zone)
        minute = here.hour * 60 + here.minute
        if self.begin < self.end:
            return self.begin <= minute < self.end and DAYS[here.weekday()] in self.days
        if minute >= self.begin:
            return DAYS[here.weekday()] in self.days
        return minute < self.end and DAYS[(here - timedelta(days=1)).weekday()] in self.days


def covers(scope: str, rule: str, target: str) -> bool:
    """Whether a mute or a window silences this alert: `*`, a rule, a target, or `rule@target`, with `*` in each."""
    name, at, place = scope.partition("@")
    if at and fnmatchcase(rule, name) and fnmatchcase(target, place):
        return True
    return fnmatchcase(rule, scope) or (target != "" and fnmatchcase(target, scope))


def minutes(text: str) -> int:
    """`22:30` as minutes after midnight. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("expected a time of the day such as 22:30")
    return int(found[1]) * 60 + int(found[2])
