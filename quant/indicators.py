"""What strategies look at: each value at bar t is made of bars up to t. Worked out once for each series and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from quant.candles import F64, I8, I64, Candles
from quant.compiled import compiled_lean, part
from quant.errors import BadData

if TYPE_CHECKING:
    from quant.higher import Higher

U = np.uint64
T = TypeVar("T")
Column = TypeVar("Column", F64, I8, I64)
ROOM = 192 * 1024 * 1024
"""Bytes of what is kept: a sweep over hundreds of lengths must not fill the memory."""
EXACT = 2**62


@dataclass
class View:
    """Candles, and what was worked out from them so far. `tick_size`: what prices are whole multiples of.

    What it gives is shared from one combination to the next, so it is read-only.
    """

    candles: Candles
    tick_size: float
    room: int = ROOM
    _kept: OrderedDict[object, object] = field(default_factory=OrderedDict, repr=False)
    _held: int = field(default=0, repr=False)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """`make()` at the first call with this key, the same thing afterwards; what was not asked for the longest goes
        first when there is no room."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]  # type: ignore[return-value]
        found = make()
        if isinstance(found, np.ndarray):
            found.flags.writeable = False  # shared; and kernels are compiled for one type of array
        self._kept[key] = found
        self._held += _bytes(found)
        while self._held > self.room and len(self._kept) > 1:
            self._held -= _bytes(self._kept.popitem(last=False)[1])
        return found

    def ticks(self) -> I64:
        """Closes in whole ticks. Raises BadData where they are too large to add up exactly."""
        self._refuse_inexact(len(self.candles))
        return self.once("ticks", lambda: np.rint(self.candles.close / self.tick_size).astype(np.int64))

    def sums(self) -> I64:
        """Of closes in ticks before each bar, shape (n + 1,): exact, so that equal averages are equal."""
        return self.once("sums", lambda: _sums(self.ticks()))

    def averages_side(self, fast: int, slow: int) -> I8:
        """1 where the average of `fast` closes is above that of `slow`, -1 below, as before where they are equal; 0
        before bar slow - 1. Not kept: each combination has its own. `fast` 1 is the close itself."""
        self._refuse_inexact(fast * slow)
        side = np.zeros(len(self.candles), np.int8)
        _averages_side(self.sums(), fast, slow, side)
        return side

    def ema(self, length: int) -> F64:
        """Exponential average of closes with weight 2 / (length + 1), begun with the plain average of the first
        `length`, as TA-Lib does; nan before bar `length` - 1."""
        return self.once(("ema", length), lambda: unknown(_ema, len(self.candles), self.candles.close, length))

    def emas_side(self, fast: int, slow: int) -> I8:
        """1 where the exponential average `fast` is above `slow`, -1 below; 0 where they are equal or not yet there."""
        return self.once(("emas", fast, slow), lambda: side_of(self.ema(fast), self.ema(slow)))

    def atr(self, length: int) -> F64:
        """Wilder's average true range in prices; nan before bar `length` - 1."""
        c = self.candles
        return self.once(("atr", length), lambda: unknown(_atr, len(c), c.high, c.low, c.close, length))

    def atrs(self, length: int, times: float) -> F64:
        """So many of them: distances of stops."""
        return self.once(("atrs", length, times), lambda: np.multiply(self.atr(length), times))

    def atrs_known(self, length: int, times: float) -> I8:
        """1 where there is such a distance, else 0."""
        return self.once(("atrs_known", length, times), lambda: (self.atrs(length, times) > 0).view(np.int8))

    def highest(self, length: int) -> F64:
        """The highest high of `length` bars, the bar itself among them; nan before bar `length` - 1."""
        return self.once(("highest", length), lambda: _extremes(self.candles.high, length, 1.0))

    def lowest(self, length: int) -> F64:
        """The lowest low of `length` bars, the bar itself among them; nan before bar `length` - 1."""
        return self.once(("lowest", length), lambda: _extremes(self.candles.low, length, -1.0))

    def breakouts(self, length: int) -> I8:
        """1 where the close is above the highest high of the `length` bars before it, -1 below their lowest low.

        Of the bars before it: a close cannot be above a high that it is part of.
        """
        high, low = self.highest(length), self.lowest(length)
        return self.once(("breakouts", length), lambda: _breakouts(self.candles.close, high, low))

    def hours(self, begin: int, end: int) -> I8:
        """1 where a bar opens at or after hour `begin` and before hour `end` of its day in UTC; past midnight when
        `end` is not above `begin`."""
        return self.once(("hours", begin, end), lambda: _hours(self.candles.time, begin, end))

    def higher(self, timeframe: str) -> Higher:
        """The same series in longer bars, each used only once it has closed. Raises UsageError."""
        from quant.higher import of

        return self.once(("higher", timeframe), lambda: of(self, timeframe))

    def _refuse_inexact(self, times: int) -> None:
        """Closes in ticks, so many times over, must fit into int64."""
        highest = self.once("highest close", lambda: float(self.candles.close.max(initial=0)))
        if not highest / self.tick_size * times < EXACT:
            raise BadData(
                f"{self.candles.name}: prices up to {highest:g} are too many ticks of {self.tick_size:g} to add up "
                "exactly",
                hint="set instrument.tick_size to the exchange's",
            )


def side_of(above: F64, below: F64) -> I8:
    """1 where `above` is the larger, -1 where it is the smaller, 0 where they are equal or one is nan."""
    return (above > below).view(np.int8) - (above < below).view(np.int8)


def unknown(kernel: Callable[..., None], n: int, *arguments: object) -> F64:
    """What the kernel fills in of n values that are nan before."""
    found = np.full(n, np.nan)
    kernel(*arguments, found)
    return found


def read_only(array: Column) -> Column:
    """In one piece, and as kernels are compiled for: those that may be written to are another type to them."""
    found = np.ascontiguousarray(array).view()
    found.flags.writeable = False
    return found


def _extremes(values: F64, length: int, sign: float) -> F64:
    return unknown(_highest, len(values), values, length, sign, np.empty(len(values), np.int64))


def _bytes(found: object) -> int:
    return found.nbytes if isinstance(found, np.ndarray) else 0


def _sums(ticks: I64) -> I64:
    found = np.zeros(len(ticks) + 1, np.int64)
    np.cumsum(ticks, out=found[1:])
    return found


def _breakouts(close: F64, high: F64, low: F64) -> I8:
    found = np.zeros(len(close), np.int8)
    found[1:] = (close[1:] > high[:-1]).view(np.int8) - (close[1:] < low[:-1]).view(np.int8)
    return found


def _hours(time: I64, begin: int, end: int) -> I8:
    hour = time // 3_600_000 % 24
    inside = (hour >= begin) & (hour < end) if begin < end else (hour >= begin) | (hour < end)
    return inside.view(np.int8)


@compiled_lean
def _averages_side(sums: I64, fast: int, slow: int, side: I8) -> None:
    """Both averages are multiplied by fast x slow: whole numbers, compared exactly. Places are unsigned, and equal ones
    are seen to afterwards: then it is a loop that the processor does several bars of at a time."""
    n = len(sums) - 1
    if n < slow:
        return
    first, ago, equal = U(slow - 1), U(slow - fast), False
    for i in range(U(n - slow + 1)):
        now = sums[first + i + U(1)]
        one, other = (now - sums[ago + i]) * slow, (now - sums[i]) * fast
        side[first + i] = np.int8(one > other) * np.int8(2) - np.int8(1)
        equal |= one == other
    if equal:
        _carry_equal(sums, fast, slow, side)


@part
def _carry_equal(sums: I64, fast: int, slow: int, side: I8) -> None:
    """Where they are equal it is as the bar before."""
    now = np.int8(0)
    for t in range(slow - 1, len(side)):
        if (sums[t + 1] - sums[t + 1 - fast]) * slow == (sums[t + 1] - sums[t + 1 - slow]) * fast:
            side[t] = now
        now = side[t]


@compiled_lean
def _ema(close: F64, length: int, found: F64) -> None:
    n = len(close)
    weight = 2.0 / (length + 1.0)
    total = 0.0
    for t in range(n):
        if t < length:
            total += close[t]
            if t == length - 1:
                found[t] = total / length
        else:
            found[t] = found[t - 1] + weight * (close[t] - found[t - 1])


@compiled_lean
def _atr(high: F64, low: F64, close: F64, length: int, found: F64) -> None:
    n = len(close)
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


@compiled_lean
def _highest(values: F64, length: int, sign: float, queue: I64, found: F64) -> None:
    """Lowest with sign -1. `queue` holds the bars that may still become the highest, the highest first."""
    n = len(values)
    first = last = 0
    for t in range(n):
        while last > first and sign * values[queue[last - 1]] <= sign * values[t]:
            last -= 1
        queue[last] = t
        last += 1
        if queue[first] <= t - length:
            first += 1
        if t >= length - 1:
            found[t] = values[queue[first]]
