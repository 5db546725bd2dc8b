"""What strategies look at: each value at bar t is made of bars up to t. Worked out once for each series and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from quant.candles import F64, I8, I64, Candles
from quant.compiled import compiled

T = TypeVar("T")


@dataclass
class View:
    """Candles, and what was worked out from them so far. `tick_size`: what prices are whole multiples of."""

    candles: Candles
    tick_size: float
    _kept: dict[object, object] = field(default_factory=dict, repr=False)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """`make()` at the first call with this key, the same thing afterwards."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]  # type: ignore[return-value]

    def sums(self) -> I64:
        """Of closes in ticks before each bar, shape (n + 1,): exact, so that equal averages are equal."""
        return self.once("sums", lambda: _sums(self.candles.close, self.tick_size))

    def averages_side(self, fast: int, slow: int) -> I8:
        """1 where the average of `fast` closes is above that of `slow`, -1 below, as before where they are equal; 0
        before bar slow - 1."""
        return _averages_side(self.sums(), fast, slow)

    def atr(self, length: int) -> F64:
        """Wilder's average true range in prices; nan before bar `length` - 1."""
        c = self.candles
        return self.once(("atr", length), lambda: _atr(c.high, c.low, c.close, length))


def _sums(close: F64, tick: float) -> I64:
    found = np.zeros(len(close) + 1, np.int64)
    np.cumsum(np.rint(close / tick).astype(np.int64), out=found[1:])
    return found


@compiled
def _averages_side(sums: I64, fast: int, slow: int) -> I8:
    n = len(sums) - 1
    side = np.zeros(n, np.int8)
    now = np.int8(0)
    for t in range(slow - 1, n):
        difference = (sums[t + 1] - sums[t + 1 - fast]) * slow - (sums[t + 1] - sums[t + 1 - slow]) * fast
        if difference > 0:
            now = np.int8(1)
        elif difference < 0:
            now = np.int8(-1)
        side[t] = now
    return side


@compiled
def _atr(high: F64, low: F64, close: F64, length: int) -> F64:
    n = len(close)
    found = np.full(n, np.nan)
    total = 0.0
    for t in range(n):
        before = close[t - 1] if t else close[t]
        span = max(high[t] - low[t], abs(high[t] - before), abs(low[t] - before))
        if t < length:
            total += span
            if t == length - 1:
                found[t] = total / length
        else:
            found[t] = found[t - 1] + (span - found[t - 1]) / length
    return found
