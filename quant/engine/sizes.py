"""How large a position is: the configured way, held to the leverage, then down to the instrument's step."""

from __future__ import annotations

from quant.compiled import part
from quant.engine.fills import down, worth
from quant.engine.spec import QUANTITY, RISK, VOLATILITY, Rules

LARGEST = 1e15
"""As in the ledger: beyond this a price or a quantity is a mistake."""


@part
def quantity(fill: float, distance: float, stop: float, volatility: float, cash: float, rules: Rules) -> float:
    """What is bought or sold at `fill`; 0 when it is too little, or cannot be sized."""
    if not cash > 0:
        return 0.0
    value = abs(worth(fill, rules)) * unit(fill, rules)
    most = rules.max_leverage * cash / value
    wanted = _wanted(fill, distance, stop, volatility, cash, value, rules)
    return _traded(min(wanted, most), fill, rules)


@part
def unit(fill: float, rules: Rules) -> float:
    """What profits of one of the quantity are counted by: units of the underlying, or USD."""
    return rules.unit if rules.unit > 0 else fill


@part
def _wanted(
    fill: float, distance: float, stop: float, volatility: float, cash: float, value: float, rules: Rules
) -> float:
    """Before any limit. A value that is a part of the equity has the entry's fee in it."""
    if rules.mode == QUANTITY:
        return rules.amount
    if rules.mode == RISK:
        return _risked(fill, distance, stop, cash, rules)
    part_of_equity = rules.amount / volatility if rules.mode == VOLATILITY else rules.amount
    return min(part_of_equity, rules.max_leverage) * cash / (value * (1 + max(rules.taker, 0.0)))


@part
def _risked(fill: float, distance: float, stop: float, cash: float, rules: Rules) -> float:
    """So much that the stop costs `amount` of the equity (`runtime.risk.quote`); 0 without a stop, or with one inside
    any spread."""
    if not distance >= max(rules.nearest_price, rules.nearest * fill) or not stop > 0:
        return 0.0
    loss = unit(fill, rules) * distance
    if rules.inverse:
        loss /= fill * stop
    return rules.amount * cash / loss


@part
def _traded(wanted: float, fill: float, rules: Rules) -> float:
    """Down to the step; 0 below the least quantity or the least value (in the quote currency)."""
    found = down(wanted, rules.qty_step)
    price = 1.0 if rules.inverse else fill
    enough = found >= rules.min_qty and found * unit(fill, rules) * price >= rules.min_notional
    return found if enough else 0.0
