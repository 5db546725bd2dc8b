"""Series to try strategies on: seeded random walks in whole ticks, and candles drawn by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quant.candles import Candles
from quant.timeframe import Timeframe

BEGIN = 1_704_067_200_000  # 2024-01-01, a Monday


def walk(bars: int, *, seed: int = 0, timeframe: str = "15m", gaps: bool = False) -> Candles:
    """A driftless walk; `gaps` takes a tenth of the bars out, some of them in a row."""
    random = np.random.default_rng(seed)
    ticks = np.rint(200_000 * np.exp(np.cumsum(random.normal(0, 0.002, bars + 1))))
    close, open_ = ticks[1:], ticks[:-1]
    up, down = np.rint(np.abs(random.normal(0, 150, (2, bars))))
    high, low = np.maximum(open_, close) + up, np.minimum(open_, close) - down
    frame = Timeframe.of(timeframe)
    keep = np.ones(bars, bool)
    if gaps:
        keep = random.random(bars) > 0.05
        keep[bars // 3 : bars // 3 + bars // 20] = False
    columns = (BEGIN + frame.ms * np.arange(bars), open_ / 10, high / 10, low / 10, close / 10, np.ones(bars))
    return Candles("walk", "BTC/USDT", frame, *(column[keep] for column in columns))


def drawn(rows: Sequence[tuple[float, float, float, float]], *, timeframe: str = "1h", begin: int = BEGIN) -> Candles:
    """Of (open, high, low, close), one after the other."""
    frame = Timeframe.of(timeframe)
    columns = np.array(rows, float).reshape(-1, 4).T
    time = begin + frame.ms * np.arange(len(rows))
    return Candles("drawn", "BTC/USDT", frame, time, *columns, np.ones(len(rows)))


def flat(closes: Sequence[float], **how: object) -> Candles:
    """Bars that open, peak and close at one price each."""
    return drawn([(close, close, close, close) for close in closes], **how)  # type: ignore[arg-type]
