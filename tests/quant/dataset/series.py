"""Bars to store: a random walk in cents, the same at every call."""

from __future__ import annotations

import numpy as np

from quant.candles import Candles
from quant.timeframe import Timeframe

START = 1_704_067_200_000
"""2024-01-01."""
HOUR = 3_600_000


def bars(
    count: int, *, source: str = "binance", symbol: str = "BTC/USDT", timeframe: str = "1h", start: int = START
) -> Candles:
    """The first bars are the same whatever `count` is."""
    step = np.random.default_rng(7).integers(-200, 201, count)
    close = (4_000_000 + np.cumsum(step)) / 100
    open_ = np.append(close[:1], close[:-1])
    high, low = np.maximum(open_, close) + 0.5, np.minimum(open_, close) - 0.25
    tf = Timeframe.of(timeframe)
    time = start + np.arange(count) * tf.ms
    return Candles(source, symbol, tf, time, open_, high, low, close, np.abs(step) / 8)
