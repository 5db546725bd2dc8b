"""The price step that is in the prices themselves."""

from __future__ import annotations

import numpy as np

from quant.candles import F64, I64, Candles
from quant.compiled import compiled_lean

MOST_DECIMALS = 12
SAMPLE = 1000
"""Bars that are looked at first."""
NICE = ((5, 1), (5, 2), (2, 1), (1, 1))
"""Steps are 1, 2, 2.5 or 5 times a power of ten: 5, 5/2, 2, 1."""
LAST_BIT = 2.0**-52
"""Of a price, at most: no difference of two last bits is that small."""
FINE = 1e-10
"""Of the highest price: the step of prices that are multiples of nothing (adjusted, averaged, or synthetic)."""


def tick_of(candles: Candles) -> float:
    """The largest of 1, 2, 2.5 and 5 times a power of ten that every price is a whole multiple of.

    Where there is none (more than 12 decimals) a power of ten about 1e-10 of the highest price, far below what any
    market quotes, and coarse enough that sums of a billion bars stay exact in int64. No bars: 1.
    """
    columns = (candles.close, candles.open, candles.high, candles.low)
    if not len(candles):
        return 1.0
    for decimals in range(MOST_DECIMALS + 1):
        if _whole(candles.close[:SAMPLE], decimals) and all(_whole(column, decimals) for column in columns):
            return _nice(_common(columns, decimals), decimals)
    return float(10.0 ** np.ceil(np.log10(candles.high.max() * FINE)))


def _units(prices: F64, decimals: int) -> I64:
    found: I64 = np.rint(prices * 10.0**decimals).astype(np.int64)
    return found


def _whole(prices: F64, decimals: int) -> bool:
    found = np.zeros(1)
    _most_units(prices, 10.0**decimals, found)
    return bool(found[0] < 2**53)


@compiled_lean
def _most_units(prices: F64, scale: float, found: F64) -> None:
    """The most units of 1 / `scale` that a price has; inf when one is not a whole number of them.

    Decimal text gives the double nearest to units / scale, and so does this division: equal is equal. One last bit more
    or less is what a sum or a product leaves.
    """
    most = 0.0
    for price in prices:
        units = np.rint(price * scale)
        nearest = units / scale
        if nearest != price and not abs(nearest - price) <= abs(price) * LAST_BIT:
            most = np.inf
            break
        most = max(most, units)
    found[0] = most


def _common(columns: tuple[F64, ...], decimals: int) -> int:
    """The greatest common divisor: a few tell it, the others are only asked whether it is theirs too."""
    found = int(np.gcd.reduce(_units(columns[0][:SAMPLE], decimals)))
    for column in columns:
        if found > 1 and ((units := _units(column, decimals)) % found).any():
            found = int(np.gcd(found, np.gcd.reduce(units)))
    return found


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
