"""Entries and exits of a position that has no stop, no target and no funding: the engine's sizes, fills and fees, and
only what a sweep counts.
"""

from __future__ import annotations

import numpy as np

from quant.compiled import part
from quant.engine.fills import market, worth
from quant.engine.levels import liquidation
from quant.engine.records import layout
from quant.engine.sizes import LARGEST, quantity, unit
from quant.engine.spec import Rules


class Found:
    """What a combination's measures are made of, in quant.metrics' words; `bars`: that its trades lasted.

    `left`: 1 when it is left to the engine, and nothing else here counts.
    """

    mean: float
    variance: float
    below: float
    lowest: float
    longest: int
    held: int
    final: float
    won: float
    lost: float
    wins: int
    losses: int
    best: float
    worst: float
    trades: int
    bars: int
    fees: float
    left: int


class State:
    """The account as the engine has it (`level`: the liquidation's price), which average is `above`, and the side to
    `want`; then the last bar's equity, the highest so far and its bar, and the lowest since."""

    cash: float
    side: int
    size: float
    entry_value: float
    entry_bar: int
    fees: float
    level: float
    answered: int
    want: int
    above: int
    equity: float
    peak: float
    peaked: int
    low: float


FOUND = layout(Found)
STATE = layout(State)


@part
def answer(t: int, price: float, rules: Rules, state: State, found: Found) -> None:
    """Out at this open, then in."""
    if state.side:
        leave(t, price, rules, state, found)
    state.answered = state.want
    if state.want:
        enter(t, price, rules, state, found)


@part
def enter(t: int, price: float, rules: Rules, state: State, found: Found) -> None:
    """As the engine does; an entry that is too small is no position, one that cannot be is left to it."""
    fill = market(price, state.want, rules)
    amount = quantity(fill, np.nan, np.nan, np.nan, state.cash, rules)
    if not fill > 0 or amount > LARGEST:
        found.left = 1
    elif amount > 0:
        state.side, state.entry_bar = state.want, t
        state.size, state.entry_value = amount * unit(fill, rules), worth(fill, rules)
        state.fees = rules.taker * state.size * abs(state.entry_value)
        state.cash -= state.fees
        state.level = liquidation(state, rules)  # type: ignore[arg-type]


@part
def leave(t: int, price: float, rules: Rules, state: State, found: Found) -> None:
    """As the engine does, and counted."""
    fill = market(price, -state.side, rules)
    value = worth(fill, rules)
    fee = rules.taker * state.size * abs(value)
    gain = state.side * state.size * (value - state.entry_value) - fee
    state.cash += gain
    state.side = 0
    if not (fill > 0 and state.cash > 0):
        found.left = 1
    found.fees += state.fees + fee
    found.bars += t - state.entry_bar
    count(gain - state.fees, found)


@part
def count(pnl: float, found: Found) -> None:
    """In the order that quant.metrics sums them."""
    if pnl > 0.0:
        found.won, found.wins = found.won + pnl, found.wins + 1
    elif pnl < 0.0:
        found.lost, found.losses = found.lost - pnl, found.losses + 1
    found.best = max(found.best, pnl) if found.trades else pnl
    found.worst = min(found.worst, pnl) if found.trades else pnl
    found.trades += 1
