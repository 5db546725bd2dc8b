"""A finished bar, and whether an open virtual trade ended in it. Pure.

What a bar hides is taken for the worse: when stop and target both lie within it, the stop came first; a bar that opens
beyond the stop fills at its open, one that opens beyond the target fills at the target.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from runtime import clock
from runtime.payload import Invalid
from runtime.risk import Side
from runtime.router.decision import Decision, Lock, Trade

LATENCY = timedelta(seconds=10)
"""A trade that opened this soon after a bar began has seen all of it: it was the bar before that raised the alert."""

_TF = re.compile(r"(\d{0,5})([smhdw]?)|([smhdw])(\d{1,5})", re.IGNORECASE | re.ASCII)
_SECONDS = {"s": 1, "": 60, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices in the symbol's quote currency. `ts` is when it began, None: unknown, `tf` how long it lasts.

    Raises Invalid naming the field when its prices contradict each other.
    """

    high: float
    low: float
    close: float
    open: float | None = None
    ts: datetime | None = None
    tf: timedelta | None = None

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise Invalid("low", f"{self.low:g} is above the high {self.high:g}")
        for name in ("open", "close"):
            level = getattr(self, name)
            if level is not None and not self.low <= level <= self.high:
                raise Invalid(name, f"{level:g} is not between the low {self.low:g} and the high {self.high:g}")


@dataclass(frozen=True, slots=True)
class Levels:
    """What a bar is held against. `stop` and `tp` None or 0: there is none; `opened` None: long ago."""

    side: Side
    stop: float | None
    tp: float | None
    opened: datetime | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """The trade ended, at this price."""

    price: float
    why: Literal["stop", "target"]


@dataclass(frozen=True, slots=True)
class Mark:
    """The trade goes on, and stands at this price."""

    price: float


def settle(bar: Bar, trade: Levels) -> Fill | Mark | None:
    """What the bar did to the trade; None: nothing, the trade is younger."""
    seen = _seen(bar, trade.opened)
    if seen is None:
        return None
    return _stopped(seen, trade) or _reached(seen, trade) or Mark(bar.close)


@dataclass(frozen=True, slots=True)
class Settled:
    """What a bar did to all open trades: the decision, and where each of those it closes ended."""

    decision: Decision
    fills: Mapping[str, Fill]


def decide(bar: Bar, concerned: Sequence[Trade], held: Sequence[Trade], lock: Lock | None) -> Settled:
    """The trades that are `concerned` end or are marked. A bar never takes the lock.

    `held`: the open trades of the lock's holder; the last of them that has it gives it back.
    """
    found = [(trade, settle(bar, _levels(trade))) for trade in concerned]
    fills = {trade.trade_id: result for trade, result in found if isinstance(result, Fill)}
    closes = tuple(trade for trade, result in found if isinstance(result, Fill))
    marks = tuple(trade for trade, result in found if isinstance(result, Mark))
    still = any(trade.locked and trade.trade_id not in fills for trade in held)
    gives_back = not still and any(trade.locked and trade.trade_id in fills for trade in held)
    outcome: Literal["closed", "updated", "ignored"] = "closed" if closes else "updated" if marks else "ignored"
    reason = _words(len(concerned), [fill.why for fill in fills.values()], len(marks))
    return Settled(Decision(outcome, 200, reason, None if gives_back else lock, closes, marks), fills)


def _words(concerned: int, whys: list[str], marks: int) -> str:
    done = [f"{whys.count(why)} at the {why}" for why in ("stop", "target") if why in whys]
    said = [f"closed {' and '.join(done)}"] if done else []
    said += [f"marked {marks}"] if marks else []
    nothing = "every trade it concerns is younger" if concerned else "no trade that it concerns is open"
    return ", ".join(said) or nothing


def _levels(trade: Trade) -> Levels:
    opened = clock.from_iso(trade.opened_ts) if trade.opened_ts else None
    return Levels(trade.side, trade.stop, trade.tp, opened)


def length(tf: str) -> timedelta | None:
    """How long a time frame is: `15` (minutes), `1H`, `M5`, `D`, `30S`; None when it cannot be told (months)."""
    found = _TF.fullmatch(tf.strip())
    if found is None or not tf.strip():
        return None
    count, unit = (found[1], found[2]) if found[3] is None else (found[4], found[3])
    if unit == "M" and found[3] is None:
        return None  # TradingView's `1M` is a month; a minute is `1`
    return timedelta(seconds=int(count or 1) * _SECONDS[unit.lower()]) or None


def _seen(bar: Bar, opened: datetime | None) -> Bar | None:
    """The part of the bar that the trade has lived through.

    Of a bar during which it opened, only the close is known to come after; the range may be older than the trade.
    """
    if opened is None or bar.ts is None or bar.ts + LATENCY >= opened:
        return bar
    if bar.tf is None or bar.ts + bar.tf <= opened:
        return None
    return Bar(bar.close, bar.close, bar.close)


def _stopped(bar: Bar, trade: Levels) -> Fill | None:
    long, stop, tp = trade.side == "LONG", trade.stop, trade.tp
    if not stop or (bar.low > stop if long else bar.high < stop):
        return None
    if bar.open is None:
        return Fill(stop, "stop")
    if tp and (bar.open >= tp if long else bar.open <= tp):
        return None  # it opened beyond the target, so that came first
    return Fill(min(bar.open, stop) if long else max(bar.open, stop), "stop")


def _reached(bar: Bar, trade: Levels) -> Fill | None:
    if not trade.tp or (bar.high < trade.tp if trade.side == "LONG" else bar.low > trade.tp):
        return None
    return Fill(trade.tp, "target")
