"""Loops over a block of bars that the compiler turns into vector instructions: one kind of number, no decisions.

Sums are kept in LANES parts, written out: nothing need be reordered for speed, so the bits are the same on every
processor. Slices are taken outside: an index that could be negative would stop the vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from quant.candles import F64
from quant.compiled import part

LANES = 32
BELOW, ABOVE, NOTHING = 0, 1, 2
"""Which side of the slow average the fast one is on; NOTHING before both are known."""
EACH = np.uint64(0x0101010101010101)
"""Times a byte: eight of it."""


@part
def compared(now: Any, fast_ago: Any, slow_ago: Any, fast: Any, slow: Any, above: Any) -> int:
    """Fill `above` by the sums of closes now, `fast` and `slow` bars ago; returns how many averages are equal.

    Both averages are multiplied by fast x slow: whole numbers, compared exactly.
    """
    equal = 0
    for i in range(len(above)):
        one = (now[i] - fast_ago[i]) * slow
        other = (now[i] - slow_ago[i]) * fast
        above[i] = one > other
        equal += one == other
    return equal


@part
def carried(now: Any, fast_ago: Any, slow_ago: Any, fast: Any, slow: Any, above: Any, before: int) -> None:
    """The same where some are equal: these are as the bar before them, the first as `before`."""
    for i in range(len(above)):
        one = (now[i] - fast_ago[i]) * slow
        other = (now[i] - slow_ago[i]) * fast
        if one != other:
            before = ABOVE if one > other else BELOW
        above[i] = before


@part
def changed(above: Any, words: Any, state: int, i: int, end: int) -> int:
    """The first of [i, end) that is not `state`, or `end`. `words` is `above`, eight at a time."""
    same = EACH * np.uint64(state)
    while i < end:
        if not i & 7 and i + 8 <= end and words[i >> 3] == same:
            i += 8
        elif above[i] == state:
            i += 1
        else:
            break
    return i


@part
def marked(equity: F64, worth: F64, cash: float, size: float, entry: float) -> None:
    """The equity at closes of these worths with a position of this signed size, as the engine marks it."""
    for i in range(len(equity)):
        equity[i] = cash + size * (worth[i] - entry)


@part
def summed(before: F64, now: F64, total: F64, squares: F64, below: F64) -> None:
    """Add returns, their squares, and the squares of losses; lengths are multiples of LANES."""
    for begin in range(0, len(now), LANES):
        x, y = before[begin : begin + LANES], now[begin : begin + LANES]
        for lane in range(LANES):
            change = y[lane] / x[lane] - 1.0
            total[lane] += change
            squares[lane] += change * change
            loss = change if change < 0.0 else 0.0
            below[lane] += loss * loss


@part
def at_least(equity: F64, peak: float) -> int:
    """How many are not below the peak."""
    found = 0
    for i in range(len(equity)):
        found += equity[i] >= peak
    return found


@part
def lowered(equity: F64, low: F64) -> None:
    """Keep the lowest in `low`, shape (LANES,); the length is a multiple of LANES."""
    for begin in range(0, len(equity), LANES):
        x = equity[begin : begin + LANES]
        for lane in range(LANES):
            low[lane] = x[lane] if x[lane] < low[lane] else low[lane]


@part
def reached(prices: F64, side: int, level: float) -> int:
    """How many are at `level` or beyond it, on the losing side of a position."""
    found = 0
    for i in range(len(prices)):
        found += side * prices[i] <= side * level
    return found
