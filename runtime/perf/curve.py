"""An equity curve seen one closing at a time: where it stands, and how it has fallen. Pure, and flat in memory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runtime.payload import Json


@dataclass
class Curve:
    """Equity is `start` plus all that was realised. Made step by step, or read back with the fields it was kept with.

    A fall is measured from the highest equity before it, `start` included. `amount` and `percent` (of that peak) are
    the deepest of each and may differ in place; the three times belong to `amount`.
    """

    start: float
    total: float = 0.0
    peak: float = 0.0
    since: str | None = None  # when the peak was made; the first closing when that was the start
    under: bool = False
    amount: float = 0.0
    percent: float = 0.0
    from_ts: str | None = None
    trough_ts: str | None = None
    recovered_ts: str | None = None
    longest: float = 0.0

    def __post_init__(self) -> None:
        self.peak = max(self.peak, self.start)

    @property
    def equity(self) -> float:
        return self.start + self.total

    def step(self, ts: str, pnl: float) -> None:
        """One closing: `pnl` realised at `ts` (ISO 8601)."""
        self.total += pnl
        self.since = self.since or ts
        if self.equity < self.peak:
            self.longest = max(self.longest, _seconds(self.since, ts))
            self.under = True
            self._fall(ts)
        else:
            self._rise(ts)

    def drawdown(self) -> Json:
        """What a person asks of a fall.

        `amount`, `percent`: the deepest, >= 0. `from_ts`, `trough_ts`, `recovered_ts`: its peak, its lowest closing,
        and the first closing back at the peak (null: not yet). `fall_s`, `recovery_s`, `duration_s`: seconds from peak
        to trough, from trough to recovery, and both. `longest_s`: the longest time below a peak, up to the last
        closing. `current`, `current_pct`: how far below the peak it is now.
        """
        falling, rising = _seconds(self.from_ts, self.trough_ts), _seconds(self.trough_ts, self.recovered_ts)
        recovered, current = self.recovered_ts is not None, self.peak - self.equity
        return {
            "amount": self.amount,
            "percent": self.percent,
            "from_ts": self.from_ts,
            "trough_ts": self.trough_ts,
            "recovered_ts": self.recovered_ts,
            "fall_s": falling if self.amount else None,
            "recovery_s": rising if recovered else None,
            "duration_s": falling + rising if recovered else None,
            "longest_s": self.longest,
            "current": current,
            "current_pct": current / self.peak * 100.0,
        }

    def _fall(self, ts: str) -> None:
        depth = self.peak - self.equity
        self.percent = max(self.percent, depth / self.peak * 100.0)
        if depth > self.amount:
            self.amount, self.from_ts, self.trough_ts, self.recovered_ts = depth, self.since, ts, None

    def _rise(self, ts: str) -> None:
        if self.under:
            self.longest = max(self.longest, _seconds(self.since, ts))
        if self.amount and self.recovered_ts is None:
            self.recovered_ts = ts
        self.peak, self.since, self.under = self.equity, ts, False


def _seconds(start: str | None, end: str | None) -> float:
    """0 when either is unknown, and when the sender's clock went back."""
    if start is None or end is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
