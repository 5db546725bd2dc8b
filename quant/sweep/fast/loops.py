"""Loops over a block of bars that the compiler turns into vector instructions: one kind of number, no decisions.

Sums are kept in LANES parts, written out: nothing need be reordered for speed, so the bits are the same on every
processor. Places are unsigned: numba would ask of each signed one whether it counts from the end, and give up vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from quant.candles import F64
from quant.compiled import part, part_inlined

LANES = 32
BELOW, ABOVE, NOTHING = 0, 1, 2
"""Which side of the slow average the fast one is on; NOTHING before both are known."""
EACH = np.uint64(0x0101010101010101)
"""Times a byte: eight of it."""
U = np.uint64


@part
def compared(sums: Any, fast: int, slow: int, first: int, last: int, above: Any) -> int:
    """Fill `above` for bars [first, last), and return at how many the averages are equal.

    Both averages are multiplied by fast x slow: whole numbers, compared exactly.
    """
    now, ago, long_ago = U(first + 1), U(first + 1 - fast), U(first + 1 - slow)
    f, s = sums.dtype.type(fast), sums.dtype.type(slow)
    equal = 0
    for i in range(U(last - first)):
        one = (sums[now + i] - sums[ago + i]) * s
        other = (sums[now + i] - sums[long_ago + i]) * f
        above[i] = one > other
        equal += one == other
    return equal


@part
def carried(sums: Any, fast: int, slow: int, first: int, last: int, above: Any, before: int) -> None:
    """The same where some are equal: these are as the bar before them, the first as `before`."""
    for t in range(first, last):
        one = (sums[t + 1] - sums[t + 1 - fast]) * slow
        other = (sums[t + 1] - sums[t + 1 - slow]) * fast
        if one != other:
            before = ABOVE if one > other else BELOW
        above[t - first] = before


@part_inlined
def changed(above: Any, words: Any, state: int, begin: int, end: int) -> int:
    """The first of [begin, end) that is not `state`, or `end`. `words` is `above`, eight at a time."""
    i, same = begin, EACH * U(state)
    while i < end and i & 7 and above[i] == state:
        i += 1
    if i & 7:
        return i
    while i + 8 <= end and words[i >> 3] == same:
        i += 8
    while i < end and above[i] == state:
        i += 1
    return i


@part_inlined
def marked(begin: int, end: int, first: int, worth: F64, equity: F64, cash: float, scale: float) -> None:
    """The equity at the closes of bars [begin, end), as the engine marks it; `equity[1]` is bar `first`'s."""
    here, there = U(begin), U(begin - first + 1)
    for i in range(U(end - begin)):
        equity[there + i] = cash + scale * worth[here + i]


@part_inlined
def filled(equity: F64, begin: int, end: int, value: float) -> None:
    for i in range(U(begin), U(end)):
        equity[i] = value


@part
def summed(equity: F64, end: int, total: F64, squares: F64, below: F64, low: F64) -> None:
    """Add the returns of equity[1..end], their squares, and those of losses, and keep the lowest of it in `low`; `end`
    is a multiple of LANES."""
    for begin in range(U(0), U(end), U(LANES)):
        for lane in range(U(LANES)):
            now, lowest = equity[begin + lane + U(1)], low[lane]
            change = now / equity[begin + lane] - 1.0
            total[lane] += change
            squares[lane] += change * change
            loss = change if change < 0.0 else 0.0
            below[lane] += loss * loss
            low[lane] = now if now < lowest else lowest


@part
def at_least(equity: F64, begin: int, end: int, peak: float) -> int:
    """How many of equity[begin..end) are not below the peak."""
    found = 0
    for i in range(U(begin), U(end)):
        found += equity[i] >= peak
    return found


@part
def reached(prices: F64, begin: int, end: int, side: int, level: float) -> int:
    """How many of prices[begin..end) are at `level` or beyond it, on the losing side of a position."""
    found = 0
    for i in range(U(begin), U(end)):
        found += side * prices[i] <= side * level
    return found
