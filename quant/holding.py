"""How long a position that was entered is wanted: until its stop or its target was touched, or its reason is gone.

A strategy that enters on an event (a pullback, a reclaim) says where; this says what it wants at each bar. Touches are
counted from the fill, the next bar's open, as the engine does; what is known of them is known at that bar's close. When
config.yaml has exits of its own, the engine uses those, and this goes on by the strategy's: a position may then be
wanted for longer or shorter than it is held.
"""

from __future__ import annotations

import math

import numpy as np

from quant.candles import F64, I8, I64
from quant.compiled import compiled_lean, part
from quant.indicators import View, read_only

DAY_MS = 86_400_000


def hold(view: View, entry: I8, reason: I8, stop: F64, target: F64, *, per_day: int = 0, day_r: float = math.inf) -> I8:
    """The wanted side, shape (n,): entered where `entry` is not 0 and nothing is held, left where `reason` is no longer
    the side that is held.

    `stop` and `target` are distances from the fill, in prices, as in Signals; where `stop` is nan nothing is entered.
    At most `per_day` entries a day in UTC (0: any number), and none once the day has made or lost `day_r` times what is
    risked.
    """
    c = view.candles
    entries: I64 = np.flatnonzero(entry != 0).astype(np.int64, copy=False)
    side = np.zeros(len(entry), np.int8)
    _hold(
        c.time, c.open, c.high, c.low, c.close, read_only(entries), read_only(entry), read_only(reason),
        read_only(stop), read_only(target), per_day, day_r, side,
    )  # fmt: skip
    return side


def pullbacks(view: View, trend: I8, line: F64) -> I8:
    """1 where in an up-trend the bar reached down to `line` and closed above it and above its open; -1 mirrored."""
    c = view.candles
    found = np.zeros(len(c), np.int8)
    _pullbacks(c.open, c.high, c.low, c.close, read_only(trend), read_only(line), found)
    return found


@compiled_lean
def _hold(
    time: I64, open_: F64, high: F64, low: F64, close: F64,
    entries: I64, entry: I8, reason: I8, stop: F64, target: F64, per_day: int, day_r: float, side: I8,
) -> None:  # fmt: skip
    """From one entry to the next that can be: what lies between is not looked at."""
    free, day, count, result = 0, -1, 0, 0.0
    for t in entries:
        if t < free or not stop[t] > 0:
            continue
        if time[t] // DAY_MS != day:
            day, count, result = time[t] // DAY_MS, 0, 0.0
        if (per_day and count >= per_day) or abs(result) >= day_r:
            continue
        end, free, made = _until(t, entry[t], open_, high, low, close, reason, stop[t], target[t])
        side[t:end] = entry[t]
        count += 1
        if end < len(time):
            same = time[end] // DAY_MS == day
            day, count, result = time[end] // DAY_MS, count if same else 0, (result if same else 0.0) + made


@part
def _until(
    t: int, side: int, open_: F64, high: F64, low: F64, close: F64, reason: I8, stop: float, target: float
) -> tuple[int, int, float]:
    """The first bar at which what was entered at bar t is not wanted any more, the first at which an entry may follow,
    and what was made, in R. A touch leaves a flat bar, so that the next entry is another position."""
    n, u = len(reason), t + 1
    if u == n:
        return n, n, 0.0
    fill, far = open_[u], (target if target > 0 else np.inf)
    lower, upper = (fill - stop, fill + far) if side > 0 else (fill - far, fill + stop)
    while u < n and low[u] > lower and high[u] < upper and reason[u] == side:
        u += 1
    if u == n:
        return n, n, 0.0
    if (low[u] <= lower) if side > 0 else (high[u] >= upper):
        return u, u + 1, -1.0
    if (high[u] >= upper) if side > 0 else (low[u] <= lower):
        return u, u + 1, far / stop
    return u, u, side * (close[u] - fill) / stop


@compiled_lean
def _pullbacks(open_: F64, high: F64, low: F64, close: F64, trend: I8, line: F64, found: I8) -> None:
    for t in range(len(close)):
        if trend[t] > 0:
            found[t] = low[t] <= line[t] and close[t] > line[t] and close[t] > open_[t]
        elif trend[t] < 0:
            found[t] = -(high[t] >= line[t] and close[t] < line[t] and close[t] < open_[t])
