"""Random walks without drift: on them nothing can be earned, so whoever earns looks into the future.

Close to close they are geometric Brownian motion whose price is a martingale. A bar's high and low are drawn from the
extremes that such a motion has between its open and its close (Brownian bridge; Karatzas and Shreve, 2.8): so stops and
targets within a bar are as fair as its close is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from quant.candles import F64, Candles
from quant.timeframe import Timeframe

BEGIN = 1_704_067_200_000
"""2024-01-01, a Monday."""
PRICE, TICKS = 20_000.0, 100
STEP = 0.6 / 35_040**0.5
"""Of a bar's return, whatever its length: 60 % in a year of quarters of an hour; centuries of days stay in sight."""


def walk(seed: int, timeframe: Timeframe, bars: int) -> Candles:
    """The same for the same seed."""
    random = np.random.default_rng(seed)
    path = np.concatenate(([0.0], np.cumsum(random.normal(-(STEP**2) / 2, STEP, bars))))
    open_, close = path[:-1], path[1:]
    reach = np.sqrt((close - open_) ** 2 - 2 * STEP**2 * np.log1p(-random.random((2, bars))))
    high, low = (open_ + close + reach[0]) / 2, (open_ + close - reach[1]) / 2
    time = BEGIN + timeframe.ms * np.arange(bars)
    open_, high, low, close = (_price(one) for one in (open_, high, low, close))
    return Candles("walk", f"SEED{seed}", timeframe, time, open_, high, low, close, np.ones(bars))


def _price(logarithm: F64) -> F64:
    """In whole ticks; a division, as decimal text would give it."""
    found: F64 = np.rint(PRICE * TICKS * np.exp(logarithm)) / TICKS
    return found


class Walks:
    """`count` of them, seeds 0, 1, ...; each is made again when it is asked for, so memory holds one."""

    def __init__(self, count: int, timeframe: Timeframe, bars: int, make: Callable[..., Candles] = walk) -> None:
        self.count, self.timeframe, self.bars, self._make = count, timeframe, bars, make

    @property
    def years(self) -> float:
        return self.bars / self.timeframe.per_year

    def __iter__(self) -> Iterator[Candles]:
        return (self._make(seed, self.timeframe, self.bars) for seed in range(self.count))
