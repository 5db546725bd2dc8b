"""Higher timeframes, each bar used only when it has closed.

A bar of the higher timeframe that opens at H closes at H + its length; a bar that opens at T knows at its own close,
T + its length, what closed by then. So H is known at T where H + higher length - own length <= T. Whoever joins by the
open alone looks up to a whole higher bar into the future: `./inv quant.check` shows what that is worth.

Where bars are missing a higher bar is made of those there are, and is known at the next bar there is. The first one is
left out when the series begins amid it, the last one until it has closed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from quant.candles import F64, I8, I64, Candles
from quant.compiled import compiled_lean
from quant.errors import UsageError
from quant.indicators import View, read_only, unknown
from quant.timeframe import UNITS, Timeframe

Column = TypeVar("Column", F64, I8)
MONDAY = 4 * UNITS["d"]
"""1970 began on a Thursday."""


@dataclass(frozen=True)
class Higher:
    """`view`: the closed higher bars. `known`, shape (n,): for each bar of `base` the number of the last higher bar
    that closed by its own close, -1 before the first."""

    base: View
    view: View
    known: I64

    def spread(self, values: F64) -> F64:
        """A value for each higher bar, shape (m,), as each bar of the base knows it, shape (n,); nan before the
        first."""
        return unknown(_spread, len(self.known), read_only(values), self.known)

    def spread_side(self, side: I8) -> I8:
        """The same for sides; 0 before the first."""
        found = np.zeros(len(self.known), np.int8)
        _spread(read_only(side), self.known, found)
        return found

    def trend(self, fast: int, slow: int) -> I8:
        """`View.averages_side` of the higher bars, as each bar of the base knows it."""
        return self.base.once(
            ("trend", str(self.view.candles.timeframe), fast, slow),
            lambda: self.spread_side(self.view.averages_side(fast, slow)),
        )

    def close_side(self, length: int) -> I8:
        """1 where the base's close is above the average of the last `length` closed higher bars, -1 below, as before
        where they are equal; 0 before there is one."""
        return self.base.once(
            ("close_side", str(self.view.candles.timeframe), length),
            lambda: self._close_side(length),
        )

    def _close_side(self, length: int) -> I8:
        found = np.zeros(len(self.known), np.int8)
        _close_side(self.base.ticks(), self.view.sums(), self.known, length, found)
        return found


def of(base: View, text: str) -> Higher:
    """Raises UsageError: not a timeframe, or its bars are not made of whole bars of the base."""
    timeframe, own = Timeframe.of(text), base.candles.timeframe
    if timeframe.ms % own.ms or (_anchor(timeframe) - _anchor(own)) % own.ms:
        raise UsageError(
            f"{timeframe} bars cannot be made of {own} bars", hint=f"take a multiple of {own}, such as 4 or 16 of them"
        )
    return _of(base, timeframe)


def _of(base: View, timeframe: Timeframe) -> Higher:
    c = base.candles
    opens = (c.time - _anchor(timeframe)) // timeframe.ms * timeframe.ms + _anchor(timeframe)
    begins = np.diff(opens, prepend=opens[:1] - 1) > 0
    amid = int(len(c) > 0 and c.time[0] > opens[0])
    unclosed = c.time + c.timeframe.ms < opens + timeframe.ms
    known = np.cumsum(begins) - 1 - unclosed - amid
    known[known < 0] = -1
    known.flags.writeable = False
    closed = int(known[-1]) + 1 if len(c) else 0
    first = np.flatnonzero(begins)[amid : amid + closed + 1]
    return Higher(base, View(_made(c, timeframe, opens, first, closed), base.tick_size, base.room), known)


def _made(c: Candles, timeframe: Timeframe, opens: I64, first: I64, closed: int) -> Candles:
    """`first`: where each of the `closed` bars begins, and where the one after them does, if there is one."""
    if not closed:
        return replace(c.part(0, 0), timeframe=timeframe)
    end = first[closed] if len(first) > closed else len(c)
    first = first[:closed]
    last = np.append(first[1:], end) - 1
    return Candles(
        c.source,
        c.symbol,
        timeframe,
        opens[first],
        c.open[first],
        np.maximum.reduceat(c.high[:end], first),
        np.minimum.reduceat(c.low[:end], first),
        c.close[last],
        np.add.reduceat(c.volume[:end], first),
    )


def _anchor(timeframe: Timeframe) -> int:
    """Where bars are counted from, in ms since 1970."""
    return MONDAY if timeframe.text.endswith("w") else 0


@compiled_lean
def _spread(values: Column, known: I64, found: Column) -> None:
    for t in range(len(known)):
        if known[t] >= 0:
            found[t] = values[known[t]]


@compiled_lean
def _close_side(ticks: I64, sums: I64, known: I64, length: int, side: I8) -> None:
    """Exact: the average is never divided."""
    now = np.int8(0)
    for t in range(len(ticks)):
        end = known[t] + 1
        if end >= length:
            difference = ticks[t] * length - (sums[end] - sums[end - length])
            if difference > 0:
                now = np.int8(1)
            elif difference < 0:
                now = np.int8(-1)
        side[t] = now
