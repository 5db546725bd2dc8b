"""What is counted for one scope: an engine's name, or `*` for the account. Pure, and of bounded size.

Only trades opened and closed while guards were configured are counted; money is what was realised, in USD.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runtime.payload import Json

KEPT = 200
"""Results that are kept: the longest window that a win rate can be judged over."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a trading day begins: at `start` by the clocks of `zone`. A day is named by the date it begins on."""

    zone: ZoneInfo
    start: time = time()

    def day(self, moment: datetime) -> str:
        """The trading day of `moment`, as YYYY-MM-DD. By wall clock, so a day of 23 or 25 hours stays one day."""
        local = moment.astimezone(self.zone).replace(tzinfo=None)
        return (local - timedelta(hours=self.start.hour, minutes=self.start.minute)).date().isoformat()


@dataclass(frozen=True, slots=True)
class Standing:
    """Counters of `day`, and what outlives it. `total` and `peak` are USD realised since counting began.

    `results` are the newest closed trades in R, oldest first; `streak` is how many were lost since the last win.
    """

    day: str = ""
    trades: int = 0
    r: float = 0.0
    usd: float = 0.0
    total: float = 0.0
    peak: float = 0.0
    streak: int = 0
    results: tuple[float, ...] = ()

    def on(self, day: str) -> Standing:
        """As seen on `day`: a new day starts from zero, and a clock that jumped back does not give the day back."""
        return replace(self, day=day, trades=0, r=0.0, usd=0.0) if day > self.day else self

    def opened(self, day: str) -> Standing:
        today = self.on(day)
        return replace(today, trades=today.trades + 1)

    def closed(self, r: float, usd: float, day: str) -> Standing:
        """With one trade's result. What earned nothing neither ends a losing streak nor lengthens it."""
        today, total = self.on(day), self.total + usd
        streak = today.streak + 1 if r < 0 else 0 if r > 0 else today.streak
        return replace(
            today,
            r=today.r + r,
            usd=today.usd + usd,
            total=total,
            peak=max(self.peak, total),
            streak=streak,
            results=(*today.results, r)[-KEPT:],
        )

    def winrate(self, window: int) -> float | None:
        """Percent of the last `window` trades that earned something; None before there are that many."""
        last = self.results[-window:]
        return 100 * sum(r > 0 for r in last) / window if len(last) == window else None

    def drawdown(self, equity: float, *, initial: bool) -> float:
        """Percent below the highest equity, or below the `initial` one; `equity` is what counting began with."""
        top = 0.0 if initial else self.peak
        return max(0.0, 100 * (top - self.total) / (equity + top))

    def to_json(self) -> str:
        return json.dumps(asdict(self), allow_nan=False)

    def shown(self) -> Json:
        """For people and pages: how many results instead of all of them, amounts rounded to cents."""
        wins = sum(r > 0 for r in self.results)
        shown: Json = {"day": self.day, "trades_today": self.trades, "r_today": round(self.r, 4)}
        shown |= {"usd_today": round(self.usd, 2), "usd_total": round(self.total, 2), "usd_peak": round(self.peak, 2)}
        return shown | {"losing_streak": self.streak, "closed": len(self.results), "won": wins}


def from_json(text: str) -> Standing:
    """A stored standing. What is missing or cannot be what it should be counts as never counted."""
    try:
        data = json.loads(text)
    except ValueError:
        return Standing()
    if not isinstance(data, dict):
        return Standing()
    results = data.get("results")
    return Standing(
        day=_date(data.get("day")),
        trades=max(0, int(_amount(data.get("trades")))),
        r=_amount(data.get("r")),
        usd=_amount(data.get("usd")),
        total=_amount(data.get("total")),
        peak=max(0.0, _amount(data.get("peak"))),
        streak=max(0, int(_amount(data.get("streak")))),
        results=tuple(_amount(r) for r in results[-KEPT:]) if isinstance(results, list) else (),
    )


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        return ""


def _amount(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if number else 0.0
