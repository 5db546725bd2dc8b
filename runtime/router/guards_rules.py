"""What each guard allows: the configuration, read and typed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from runtime.payload import Json
from runtime.router.guards_standing import Calendar

Mode = Literal["enforce", "warn"]

ACCOUNT = "*"
_UTC = ZoneInfo("UTC")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Session:
    """Hours in which openings are allowed, on the `days` they start on; `end` at or before `start` is a day later.

    By the clocks of `zone`: 08:00 stays 08:00 when summer time begins.
    """

    days: frozenset[int]
    start: time
    end: time
    zone: ZoneInfo

    def holds(self, moment: datetime) -> bool:
        local = moment.astimezone(self.zone)
        now, today = local.time(), local.weekday()
        if self.start < self.end:
            return today in self.days and self.start <= now < self.end
        return (today in self.days and now >= self.start) or ((today - 1) % 7 in self.days and now < self.end)

    def __str__(self) -> str:
        days = "every day" if len(self.days) == 7 else " ".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {self.start:%H:%M}-{self.end:%H:%M} {self.zone.key}"


@dataclass(frozen=True, slots=True)
class Blackout:
    """No openings from `start` to `end`, widened by minutes `before` and `after`.

    With a `day` (0 is Monday) it comes every week and both are times of that day; otherwise both are moments. A moment
    without an offset is by the clocks of `zone`; where those show it twice or
    skip it, the blackout holds for both readings.
    """

    start: datetime | time
    end: datetime | time
    zone: ZoneInfo
    before: float
    after: float
    day: int | None = None
    what: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it never holds: it ends before it begins, or has no length at all."""
        some = datetime(2026, 2, 2, tzinfo=_UTC)
        start, end = self._spans(some)[0] if self.day is None else self._on(some.date())
        return end < start or (end - start + timedelta(minutes=self.before + self.after)) <= timedelta()

    def holds(self, moment: datetime) -> bool:
        early, late = timedelta(minutes=self.before), timedelta(minutes=self.after)
        return any(start - early <= moment < end + late for start, end in self._spans(moment))

    def _spans(self, moment: datetime) -> list[tuple[datetime, datetime]]:
        """The times it comes round near `moment`, as moments."""
        if isinstance(self.start, datetime) and isinstance(self.end, datetime):
            return [(min(self._moments(self.start)), max(self._moments(self.end)))]
        today = moment.astimezone(self.zone).date()
        near = (today + timedelta(days=offset) for offset in (-2, -1, 0, 1))
        return [self._on(day) for day in near if day.weekday() == self.day]

    def _on(self, day: date) -> tuple[datetime, datetime]:
        assert isinstance(self.start, time) and isinstance(self.end, time)  # noqa: S101 - a weekly one
        last = day if self.end >= self.start else day + timedelta(days=1)
        start, end = datetime.combine(day, self.start), datetime.combine(last, self.end)
        return min(self._moments(start)), max(self._moments(end))

    def _moments(self, at: datetime) -> list[datetime]:
        """What the clocks' `at` can mean, in UTC: both hours when they are put back, either side when put forward."""
        folds = [at] if at.tzinfo else [at.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1)]
        return [local.astimezone(_UTC) for local in folds]

    def __str__(self) -> str:
        form = "%H:%M" if self.day is not None else "%Y-%m-%d %H:%M"
        span = f"{self.start:{form}}" + (f"-{self.end:{form}}" if self.end != self.start else "")
        day = f"{DAYS[self.day]} " if self.day is not None else ""
        margin = f", {self.before:g} min before to {self.after:g} min after" if self.before or self.after else ""
        return f"{self.what or 'news'} {day}{span} {self.zone.key}{margin}"


@dataclass(frozen=True, slots=True)
class Rules:
    """The guards of one scope; None or empty: that guard is off. Percentages are of `equity` unless said otherwise.

    `equity` in USD is what counting begins with. `day_pct_of` and `drawdown_from` say what those are measured against.
    `checklist_hours` None: an item must have been confirmed on the same trading day.
    """

    equity: float
    calendar: Calendar
    mode: Mode = "enforce"
    modes: Mapping[str, Mode] = field(default_factory=dict)
    max_trades_day: int | None = None
    open_trades_max: int | None = None
    day_stop_loss_r: float | None = None
    day_stop_gain_r: float | None = None
    day_stop_loss_usd: float | None = None
    day_stop_gain_usd: float | None = None
    day_stop_loss_pct: float | None = None
    day_stop_gain_pct: float | None = None
    day_pct_of: Literal["day", "initial"] = "day"
    max_drawdown_pct: float | None = None
    drawdown_from: Literal["peak", "initial"] = "peak"
    min_winrate_pct: float | None = None
    winrate_window: int = 20
    losing_streak: int | None = None
    max_risk_pct: float | None = None
    symbols: tuple[str, ...] = ()
    news: tuple[Blackout, ...] = ()
    sessions: tuple[Session, ...] = ()
    checklist: tuple[str, ...] = ()
    checklist_hours: float | None = None

    def shown(self) -> Json:
        """What is in force, for pages: guards that are off are left out, windows and hours are in words."""
        found: Json = {"timezone": self.calendar.zone.key, "day_start": f"{self.calendar.start:%H:%M}"}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name == "calendar" or value is None or value == () or value == {}:
                continue
            is_list = isinstance(value, tuple)
            found[one.name] = (
                [str(each) for each in value] if is_list else dict(value) if one.name == "modes" else value
            )
        return found

    def mode_of(self, guard: str) -> Mode:
        return self.modes.get(guard, self.mode)


@dataclass(frozen=True, slots=True)
class Guards:
    """All guards: of the `account`, and of engines by name."""

    account: Rules | None = None
    engines: Mapping[str, Rules] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.account is not None or bool(self.engines)

    def of(self, engine: str) -> list[tuple[str, Rules]]:
        """The scopes that an opening by `engine` counts for, with their rules."""
        found = ((ACCOUNT, self.account), (engine, self.engines.get(engine)))
        return [(scope, rules) for scope, rules in found if rules is not None]

    def scopes(self) -> dict[str, Rules]:
        account = {} if self.account is None else {ACCOUNT: self.account}
        return account | dict(self.engines)
