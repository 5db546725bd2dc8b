"""Entries and exits of a position that has no stop, no target and no funding: the engine's sizes, fills and fees, and
only what a sweep counts.
"""

from __future__ import annotations

import numpy as np

from quant.compiled import part
from quant.engine.book import Row
from quant.engine.fills import market, worth
from quant.engine.levels import liquidation
from quant.engine.sizes import LARGEST, quantity, unit
from quant.engine.spec import Rules

FOUND = np.dtype(
    [
        ("mean", "f8"), ("variance", "f8"), ("below", "f8"), ("lowest", "f8"), ("longest", "i8"), ("held", "i8"),
        ("final", "f8"), ("won", "f8"), ("lost", "f8"), ("wins", "i8"), ("losses", "i8"), ("best", "f8"),
        ("worst", "f8"), ("trades", "i8"), ("bars", "i8"), ("fees", "f8"), ("left", "i8"),
    ]
)  # fmt: skip
"""What a combination's measures are made of, in quant.metrics' words; `bars`: that its trades lasted. `left`: 1 when
it is left to the engine, and nothing else counts."""
STATE = np.dtype(
    [
        ("cash", "f8"), ("side", "i8"), ("size", "f8"), ("entry_value", "f8"), ("entry_bar", "i8"), ("fees", "f8"),
        ("level", "f8"), ("answered", "i8"), ("want", "i8"), ("above", "i8"), ("equity", "f8"), ("peak", "f8"),
        ("peaked", "i8"), ("low", "f8"),
    ]
)  # fmt: skip
"""The account as the engine has it (`level`: the liquidation's price), which average is `above`, the side to `want`;
then the last bar's equity, the highest so far and its bar, the lowest since."""


@part
def enter(t: int, side: int, price: float, rules: Rules, state: Row, found: Row) -> None:
    """As the engine does; an entry that is too small is no position, one that cannot be is left to it."""
    fill = market(price, side, rules)
    amount = quantity(fill, np.nan, np.inf, np.nan, state.cash, rules)
    found.left |= not fill > 0 or amount > LARGEST
    if amount > 0:
        state.side, state.entry_bar = side, t
        state.size, state.entry_value = amount * unit(fill, rules), worth(fill, rules)
        state.fees = rules.taker * state.size * abs(state.entry_value)
        state.cash -= state.fees
        state.level = liquidation(state, rules)


@part
def leave(t: int, price: float, rules: Rules, state: Row, found: Row) -> None:
    """As the engine does, and counted."""
    fill = market(price, -state.side, rules)
    value = worth(fill, rules)
    fee = rules.taker * state.size * abs(value)
    gain = state.side * state.size * (value - state.entry_value) - fee
    state.cash += gain
    state.side = 0
    found.left |= not fill > 0 or not state.cash > 0
    found.fees += state.fees + fee
    found.bars += t - state.entry_bar
    count(gain - state.fees, found)


@part
def count(pnl: float, found: Row) -> None:
    """In the order that quant.metrics sums them."""
    if pnl > 0.0:
        found.won, found.wins = found.won + pnl, found.wins + 1
    elif pnl < 0.0:
        found.lost, found.losses = found.lost - pnl, found.losses + 1
    found.best = max(found.best, pnl) if found.trades else pnl
    found.worst = min(found.worst, pnl) if found.trades else pnl
    found.trades += 1
