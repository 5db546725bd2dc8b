"""What a fill is worth: prices, slippage, fees, and both kinds of contract by one formula.

A position's profit is side x size x (worth(exit) - worth(entry)), where the worth of a price p is p for linear
contracts and -1/p for inverse ones, and `size` is the quantity in units of the underlying, or in USD. So the value of a
position in the account's currency is size x |worth(p)| in either case. Source: exchanges' specifications of linear
(USDT-M) and inverse (COIN-M) contracts; `runtime.risk.pnl` has the same.
"""

from __future__ import annotations

import numpy as np

from quant.compiled import part
from quant.engine.spec import Rules


@part
def worth(price: float, rules: Rules) -> float:
    return -1.0 / price if rules.inverse else price


@part
def price_of(worth: float, rules: Rules) -> float:
    """What has this worth; inf where no price has."""
    if rules.inverse:
        return -1.0 / worth if worth < 0 else np.inf
    return worth


@part
def market(price: float, direction: int, rules: Rules) -> float:
    """A fill at market: buying (`direction` 1) a bit above the price, selling (-1) a bit below."""
    return price + direction * (price * rules.slip + rules.slip_price)


@part
def down(value: float, step: float) -> float:
    """To a multiple of `step`, exactly as decimals would be: 3 steps of 0.1 are 0.3. 0: any value."""
    if step == 0:
        return value
    per_one: float = np.rint(1 / step)
    whole = per_one > 0 and abs(per_one * step - 1) < NEARLY
    steps = value * per_one if whole else value / step
    nearest: float = np.rint(steps)
    steps = nearest if abs(steps - nearest) <= NEARLY * abs(nearest) else np.floor(steps)
    return steps / per_one if whole else steps * step


@part
def gap(price: float, level: float, tick: float) -> float:
    """Between two prices. Of two on the ticks it is on them too, which a difference of floats is not."""
    found = abs(price - level)
    steps = found / tick
    return down(found + CLOSE * tick, tick) if abs(steps - np.floor(steps + 0.5)) < CLOSE else found


CLOSE = 1e-6
"""Of a tick: far above what floats make of it, far below what anything costs."""
NEARLY = 4e-15
"""Of a number: what a few roundings of floats make of a whole one."""
