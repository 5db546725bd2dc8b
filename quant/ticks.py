"""The price step that is in the prices themselves."""

from __future__ import annotations

import numpy as np

from quant.candles import F64, I64, Candles

MOST_DECIMALS = 12
NICE = ((5, 1), (5, 2), (2, 1), (1, 1))
"""Steps are 1, 2, 2.5 or 5 times a power of ten: 5, 5/2, 2, 1."""
FINE = 1e-10
"""Of the highest price: the step of prices that are multiples of nothing (adjusted, averaged, or synthetic)."""


def tick_of(candles: Candles) -> float:
    """The largest of 1, 2, 2.5 and 5 times a power of ten that every price is a whole multiple of.

    Where there is none (more than 12 decimals) a power of ten about 1e-10 of the highest price, far below what any
    market quotes, and coarse enough that sums of a billion bars stay exact in int64. No bars: 1.
    """
    prices = np.concatenate((candles.open, candles.high, candles.low, candles.close))
    if not len(prices):
        return 1.0
    for decimals in range(MOST_DECIMALS + 1):
        if _whole(prices[:1000], decimals) and _whole(prices, decimals):
            return _nice(int(np.gcd.reduce(_units(prices, decimals))), decimals)
    return float(10.0 ** np.ceil(np.log10(prices.max() * FINE)))


def _units(prices: F64, decimals: int) -> I64:
    found: I64 = np.rint(prices * 10.0**decimals).astype(np.int64)
    return found


def _whole(prices: F64, decimals: int) -> bool:
    """Decimal text gives the double nearest to units / 10^decimals, and so does this division: equal is equal."""
    units = np.rint(prices * 10.0**decimals)
    near = np.abs(units / 10.0**decimals - prices) <= np.spacing(prices)
    return bool((near & (units < 2**53)).all())


def _nice(common: int, decimals: int) -> float:
    """The largest step that divides `common` units of 10^-decimals."""
    power = 10 ** (len(str(common)) - 1)
    while power:
        for top, bottom in NICE:
            step, left = divmod(power * top, bottom)
            if not left and common % step == 0:
                return float(step / 10**decimals)
        power //= 10
    return float(1 / 10**decimals)
