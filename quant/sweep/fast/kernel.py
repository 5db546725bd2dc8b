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
from quant.compiled import compiled_lean, part_inlined
from quant.engine.spec import Rules
from quant.sweep.fast.loops import (
    LANES,
    NOTHING,
    at_least,
    carried,
    changed,
    compared,
    filled,
    marked,
    reached,
    summed,
)  # fmt: skip
from quant.sweep.fast.position import Found, State, answer, leave

BLOCK = 1024
"""Bars at a time: what is worked on stays in the processor's first caches."""
TILE = 16
"""Pairs that go through a block together, so that it is read from memory once for all of them."""
GLANCE = 64
"""Bars of which one look tells whether they hold a new peak."""
EVEN = 1e-3
"""As in quant.metrics: a variance below this part of the squares needs a second pass."""
TOTAL, SQUARES, BELOW, LOW, SPARE = range(5)
"""Sums of returns, of their squares, of those below 0; the lowest equity since the peak; what nobody asks for."""


class Series(NamedTuple):
    """`sums`: of closes in ticks before each bar, shape (n + 1,): float64 where every product below stays under 2^53,
    else int64. `worth`: of each close (`quant.engine.fills`). `highest`, `lowest`: of each BLOCK.
    """

    sums: Any
    worth: F64
    open: F64
    high: F64
    low: F64
    close: F64
    highest: F64
    lowest: F64


class Buffers(NamedTuple):
    """`above` and `words` are the same memory. `equity` begins with the last bar of the block before. `lanes`: for each
    pair of a tile LANES parts of its TOTAL ... SPARE, shape (TILE, 5, LANES).
    """

    above: Any
    words: Any
    equity: F64
    lanes: F64


@compiled_lean
def crosses(
    series: Series, all_rules: Any, initial: float, allowed: I64, pairs: I64, buffers: Buffers, states: Any, found: Any
) -> None:
    """Fill `found` (FOUND, zeros) for each row of `pairs` (fast, slow), shape (m, 2).

    `allowed`: the side to hold while the fast average is below, above, and while nothing is known. `states`: TILE of
    STATE.
    """
    n = len(series.worth)
    for tile in range(0, len(pairs), TILE):
        count = min(TILE, len(pairs) - tile)
        for k in range(count):
            begin(initial, states[k], buffers.lanes[k], found[tile + k])
        for first in range(0, n, BLOCK):
            for k in range(count):
                fast, slow = pairs[tile + k]
                block(
                    first,
                    fast,
                    slow,
                    series,
                    all_rules[0],
                    allowed,
                    buffers,
                    buffers.lanes[k],
                    states[k],
                    found[tile + k],
                )
        for k in range(count):
            end(n, states[k], buffers.lanes[k], found[tile + k])


@part_inlined
def begin(initial: float, state: State, lanes: F64, found: Found) -> None:
    state.cash, state.side, state.answered, state.want, state.above = initial, 0, 0, 0, NOTHING
    state.equity, state.peak, state.peaked, state.low = initial, initial, -1, initial
    for lane in range(LANES):
        lanes[TOTAL, lane] = lanes[SQUARES, lane] = lanes[BELOW, lane] = 0.0
        lanes[LOW, lane] = np.inf
    found.lowest, found.best, found.worst = 1.0, np.nan, np.nan


@part_inlined
def block(
    first: int, fast: int, slow: int, series: Series, rules: Rules, allowed: I64, buffers: Buffers, lanes: F64,
    state: State, found: Found,
) -> None:  # fmt: skip
    """One pair's next bars."""
    last = min(first + BLOCK, len(series.worth))
    if not found.left:
        compare(series.sums, fast, slow, first, last, buffers.above, state.above)
        buffers.equity[0] = state.equity
        trade(series, rules, allowed, first, last, buffers, state, found)
        state.equity = buffers.equity[last - first]
        measure(first, last - first, buffers.equity, lanes, state, found)


@part_inlined
def compare(sums: Any, fast: int, slow: int, first: int, last: int, above: Any, before: int) -> None:
    """Which average is above, of bars [first, last)."""
    if first >= slow - 1:
        if compared(sums, fast, slow, first, last, above):
            carried(sums, fast, slow, first, last, above, before)
        return
    known = min(slow - 1, last)
    for t in range(first, known):
        above[t - first] = NOTHING
    carried(sums, fast, slow, known, last, above[known - first :], before)


@part_inlined
def trade(
    series: Series, rules: Rules, allowed: I64, first: int, last: int, buffers: Buffers, state: State, found: Found
) -> None:
    """Positions and equity of bars [first, last): what is wanted at one close is filled at the next open."""
    t, done = first, first
    while t < last and not found.left:
        if state.want != state.answered:
            fill(done, t, first, series, buffers.equity, state, found)
            done = t
            answer(t, series.open[t], rules, state, found)
        t = first + changed(buffers.above, buffers.words, state.above, t - first, last - first)
        if t < last:
            state.above = buffers.above[t - first]
            state.want = allowed[state.above]
            t += 1
    fill(done, last, first, series, buffers.equity, state, found)
    if last == len(series.worth) and state.side:
        leave(last - 1, series.close[last - 1], rules, state, found)
        buffers.equity[last - first] = state.cash


@part_inlined
def fill(begin: int, end: int, first: int, series: Series, equity: F64, state: State, found: Found) -> None:
    """Equity of bars [begin, end), through which the position stays what it is; one that was liquidated in them is
    left to the engine."""
    side, level = state.side, state.level
    if not side:
        filled(equity, begin - first + 1, end - first + 1, state.cash)
        return
    scale = side * state.size
    marked(begin, end, first, series.worth, equity, state.cash - scale * state.entry_value, scale)
    found.held += end - begin
    against = series.lowest[first // BLOCK] if side > 0 else series.highest[first // BLOCK]
    if side * against <= side * level:
        prices = series.low if side > 0 else series.high
        if reached(prices, begin, end, side, level):
            found.left = 1


@part_inlined
def measure(first: int, bars: int, equity: F64, lanes: F64, state: State, found: Found) -> None:
    """Returns and drawdown of a block."""
    whole = -(-bars // LANES) * LANES
    filled(equity, bars + 1, whole + 1, equity[bars])
    if not at_least(equity, 1, bars + 1, state.peak):
        summed(equity, whole, lanes[TOTAL], lanes[SQUARES], lanes[BELOW], lanes[LOW])
        return
    summed(equity, whole, lanes[TOTAL], lanes[SQUARES], lanes[BELOW], lanes[SPARE])
    for begin in range(1, bars + 1, GLANCE):
        end = min(begin + GLANCE, bars + 1)
        if at_least(equity, begin, end, state.peak):
            look(first - 1, begin, end, equity, lanes[LOW], state, found)
        else:
            for i in range(begin, end):
                state.low = min(state.low, equity[i])


@part_inlined
def look(before: int, begin: int, end: int, equity: F64, low: F64, state: State, found: Found) -> None:
    """The drawdown, bar by bar, as quant.metrics has it; equity[0] is bar `before`'s."""
    for i in range(begin, end):
        now = equity[i]
        if now >= state.peak:
            sink(before + i, low, state, found)
            state.peak, state.low, state.peaked = now, now, before + i
        state.low = min(state.low, now)


@part_inlined
def sink(t: int, low: F64, state: State, found: Found) -> None:
    """A peak is left behind: how deep and how long it went below."""
    if t > state.peaked + 1:
        for lane in range(LANES):
            state.low = min(state.low, low[lane])
            low[lane] = np.inf
        found.lowest = min(found.lowest, state.low / state.peak)
        found.longest = max(found.longest, t - state.peaked - 1)


@part_inlined
def end(n: int, state: State, lanes: F64, found: Found) -> None:
    sink(n, lanes[LOW], state, found)
    total, squares, below = 0.0, 0.0, 0.0
    for lane in range(LANES):
        total += lanes[TOTAL, lane]
        squares += lanes[SQUARES, lane]
        below += lanes[BELOW, lane]
    found.mean, found.below, found.final = total / n, below, state.equity
    spread = squares - n * found.mean * found.mean
    found.variance = spread / (n - 1)
    if not spread >= EVEN * squares:
        found.left = 1
