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
from quant.compiled import compiled
from quant.indicators import View

DAY_MS = 86_400_000


def hold(view: View, entry: I8, reason: I8, stop: F64, target: F64, *, per_day: int = 0, day_r: float = math.inf) -> I8:
    """The wanted side, shape (n,): entered where `entry` is not 0 and nothing is held, left where `reason` is no longer
    the side that is held.

    `stop` and `target` are distances from the fill, in prices, as in Signals; where `stop` is nan nothing is entered.
    At most `per_day` entries a day in UTC (0: any number), and none once the day has made or lost `day_r` times what is
    risked.
    """
    c = view.candles
    return _hold(c.time, c.open, c.high, c.low, c.close, entry, reason, stop, target, per_day, day_r)


def pullbacks(view: View, trend: I8, line: F64) -> I8:
    """1 where in an up-trend the bar reached down to `line` and closed above it and above its open; -1 mirrored."""
    c = view.candles
    return _pullbacks(c.open, c.high, c.low, c.close, trend, line)


@compiled
def _hold(
    time: I64, open_: F64, high: F64, low: F64, close: F64,
    entry: I8, reason: I8, stop: F64, target: F64, per_day: int, day_r: float,
) -> I8:  # fmt: skip
    side = np.zeros(len(entry), np.int8)
    now = np.int8(0)
    begin, day, entries, result = 0, -1, 0, 0.0
    for t in range(len(entry)):
        if now == 0 and entry[t] == 0:
            continue
        if time[t] // DAY_MS != day:
            day, entries, result = time[t] // DAY_MS, 0, 0.0
        if now != 0:
            fill = open_[begin + 1]
            against = fill - low[t] if now > 0 else high[t] - fill
            towards = high[t] - fill if now > 0 else fill - low[t]
            if against >= stop[begin] or towards >= target[begin]:
                result += -1.0 if against >= stop[begin] else target[begin] / stop[begin]
                now = np.int8(0)
                continue  # flat at this bar, so that a new entry is a new position
            if reason[t] != now:
                result += (close[t] - fill) * now / stop[begin]
                now = np.int8(0)
        allowed = (per_day == 0 or entries < per_day) and abs(result) < day_r
        if now == 0 and entry[t] != 0 and stop[t] > 0 and allowed:
            now, begin = entry[t], t
            entries += 1
        side[t] = now
    return side


@compiled
def _pullbacks(open_: F64, high: F64, low: F64, close: F64, trend: I8, line: F64) -> I8:
    found = np.zeros(len(close), np.int8)
    for t in range(len(close)):
        if trend[t] > 0:
            found[t] = low[t] <= line[t] and close[t] > line[t] and close[t] > open_[t]
        elif trend[t] < 0:
            found[t] = -(high[t] >= line[t] and close[t] < line[t] and close[t] < open_[t])
    return found
