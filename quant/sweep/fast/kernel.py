"""Many crosses of moving averages over the same candles, by the engine's rules, but a block of bars at a time.

Between two fills nothing is decided: a block's averages are compared in one loop, its equity filled in by stretches of
one position, its returns summed in another; bars are looked at one by one only where a peak is. Sizes, fills and fees
are the engine's own functions. What cannot be said exactly this way (a liquidation, a curve too even for one pass) is
`left` to the engine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from quant.candles import F64, I64
from quant.compiled import compiled, part
from quant.engine.book import Row
from quant.engine.orders import Bars
from quant.engine.spec import Rules
from quant.sweep.fast.loops import (
    LANES, NOTHING, at_least, carried, changed, compared, lowered, marked, reached, summed,
)  # fmt: skip
from quant.sweep.fast.position import STATE, enter, leave

BLOCK = 1024
"""Bars at a time: what is worked on stays in the processor's first caches."""
GLANCE = 64
"""Bars of which one look tells whether they hold a new peak."""
EVEN = 1e-3
"""As in quant.metrics: a variance below this part of the squares needs a second pass."""
TOTAL, SQUARES, BELOW, LOW = range(4)


class Series(NamedTuple):
    """`sums`: of closes in ticks before each bar, shape (n + 1,): float64 where every product below stays under 2^53,
    else int64. `worth`: of each close (`quant.engine.fills`). `highest`, `lowest`: of each BLOCK.
    """

    sums: Any
    worth: F64
    bars: Bars
    highest: F64
    lowest: F64


class Buffers(NamedTuple):
    """`above` and `words` are the same memory. `equity` begins with the last block's last bar. `lanes`: TOTAL ... LOW,
    shape (4, LANES)."""

    above: Any
    words: Any
    equity: F64
    lanes: F64


@compiled
def crosses(
    series: Series, rules: Rules, initial: float, allowed: I64, pairs: I64, found: Any
) -> None:
    """Fill `found` (FOUND, zeros) for each row of `pairs` (fast, slow), shape (m, 2).

    `allowed`: the side to hold while the fast average is below, above, and while nothing is known.
    """
    above = np.zeros(BLOCK, np.uint8)
    buffers = Buffers(above, above.view(np.uint64), np.zeros(BLOCK + 1), np.zeros((4, LANES)))
    state = np.zeros(1, STATE)
    for index in range(len(pairs)):
        begin(initial, state[0], buffers, found[index])
        walk(series, rules, allowed, pairs[index, 0], pairs[index, 1], buffers, state[0], found[index])
        end(len(series.worth), state[0], buffers, found[index])


@part
def begin(initial: float, state: Row, buffers: Buffers, found: Row) -> None:
    state.cash, state.side, state.answered, state.want, state.above = initial, 0, 0, 0, NOTHING
    state.equity, state.peak, state.peaked, state.low = initial, initial, -1, initial
    buffers.lanes[:] = 0.0
    buffers.lanes[LOW] = np.inf
    found.lowest, found.best, found.worst = 1.0, np.nan, np.nan


@part
def walk(
    series: Series, rules: Rules, allowed: I64, fast: int, slow: int, buffers: Buffers, state: Row, found: Row
) -> None:
    n = len(series.worth)
    for first in range(0, n, BLOCK):
        last = min(first + BLOCK, n)
        compare(series.sums, fast, slow, first, last, buffers.above, state.above)
        buffers.equity[0] = state.equity
        trade(series, rules, allowed, first, last, buffers, state, found)
        if found.left:
            return
        state.equity = buffers.equity[last - first]
        measure(first, last - first, buffers, state, found)


@part
def compare(sums: Any, fast: int, slow: int, first: int, last: int, above: Any, before: int) -> None:
    """Which average is above, of bars [first, last)."""
    known = max(first, slow - 1)
    above[: max(0, min(known, last) - first)] = NOTHING
    if known >= last:
        return
    now = sums[known + 1 : last + 1]
    fast_ago, slow_ago = sums[known + 1 - fast : last + 1 - fast], sums[known + 1 - slow : last + 1 - slow]
    f, s = sums.dtype.type(fast), sums.dtype.type(slow)
    into = above[known - first : last - first]
    if compared(now, fast_ago, slow_ago, f, s, into):
        carried(now, fast_ago, slow_ago, f, s, into, before)


@part
def trade(
    series: Series, rules: Rules, allowed: I64, first: int, last: int, buffers: Buffers, state: Row, found: Row
) -> None:
    """Positions and equity of bars [first, last): what is wanted at one close is filled at the next open."""
    t, filled = first, first
    while t < last and not found.left:
        if state.want != state.answered:
            fill(filled, t, first, series, buffers, state, found)
            filled = t
            answer(t, series.bars.open[t], rules, state, found)
        t = first + changed(buffers.above, buffers.words, state.above, t - first, last - first)
        if t < last:
            state.above = buffers.above[t - first]
            state.want = allowed[state.above]
            t += 1
    fill(filled, last, first, series, buffers, state, found)
    if last == len(series.worth) and state.side:
        leave(last - 1, series.bars.close[last - 1], rules, state, found)
        buffers.equity[last - first] = state.cash


@part
def answer(t: int, price: float, rules: Rules, state: Row, found: Row) -> None:
    """Out at this open, then in."""
    if state.side:
        leave(t, price, rules, state, found)
    state.answered = state.want
    if state.want:
        enter(t, state.want, price, rules, state, found)


@part
def fill(begin: int, end: int, first: int, series: Series, buffers: Buffers, state: Row, found: Row) -> None:
    """Equity of bars [begin, end), through which the position stays what it is."""
    equity = buffers.equity[begin - first + 1 : end - first + 1]
    if not state.side:
        equity[:] = state.cash
        return
    marked(equity, series.worth[begin:end], state.cash, state.side * state.size, state.entry_value)
    found.held += end - begin
    block = first // BLOCK
    against = series.lowest[block] if state.side > 0 else series.highest[block]
    if state.side * against <= state.side * state.level:
        prices = series.bars.low if state.side > 0 else series.bars.high
        found.left |= reached(prices[begin:end], state.side, state.level) > 0


@part
def measure(first: int, bars: int, buffers: Buffers, state: Row, found: Row) -> None:
    """Returns and drawdown of a block."""
    whole = -(-bars // LANES) * LANES
    equity, lanes = buffers.equity, buffers.lanes
    equity[bars + 1 : whole + 1] = equity[bars]
    summed(equity[:whole], equity[1 : whole + 1], lanes[TOTAL], lanes[SQUARES], lanes[BELOW])
    for begin in range(0, whole, GLANCE):
        part_of = equity[begin + 1 : min(begin + GLANCE, whole) + 1]
        if at_least(part_of, state.peak):
            look(first + begin, equity[begin + 1 : min(begin + GLANCE, bars) + 1], lanes[LOW], state, found)
        else:
            lowered(part_of, lanes[LOW])


@part
def look(first: int, equity: F64, low: F64, state: Row, found: Row) -> None:
    """The drawdown, bar by bar, as quant.metrics has it."""
    for i in range(len(equity)):
        now = equity[i]
        if now >= state.peak:
            sink(first + i, low, state, found)
            state.peak, state.low, state.peaked = now, now, first + i
        state.low = min(state.low, now)


@part
def sink(t: int, low: F64, state: Row, found: Row) -> None:
    """A peak is left behind: how deep and how long it went below."""
    if t > state.peaked + 1:
        for lane in range(LANES):
            state.low = min(state.low, low[lane])
            low[lane] = np.inf
        found.lowest = min(found.lowest, state.low / state.peak)
        found.longest = max(found.longest, t - state.peaked - 1)


@part
def end(n: int, state: Row, buffers: Buffers, found: Row) -> None:
    lanes = buffers.lanes
    sink(n, lanes[LOW], state, found)
    total, squares, below = 0.0, 0.0, 0.0
    for lane in range(LANES):
        total += lanes[TOTAL, lane]
        squares += lanes[SQUARES, lane]
        below += lanes[BELOW, lane]
    found.mean, found.below, found.final = total / n, below, state.equity
    spread = squares - n * found.mean * found.mean
    found.variance = spread / (n - 1)
    found.left |= not spread >= EVEN * squares
