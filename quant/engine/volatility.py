"""How much a series moved lately: what volatility targeting sizes by."""

from __future__ import annotations

import numpy as np

from quant.candles import F64
from quant.compiled import compiled_lean
from quant.indicators import View, unknown


def volatility(view: View, lookback: int) -> F64:
    """A year's, as a fraction: the standard deviation (ddof 1) of the last `lookback` closes' returns times
    sqrt(bars a year). Shape (n,), nan before bar `lookback`.
    """
    candles = view.candles
    per_year = candles.timeframe.per_year
    return view.once(
        ("volatility", lookback), lambda: unknown(_volatility, len(candles), candles.close, lookback, per_year)
    )


@compiled_lean
def _volatility(close: F64, lookback: int, per_year: float, found: F64) -> None:
    """Each window's mean and squares follow from the last one's (Welford's update with one in, one out)."""
    n = len(close)
    mean = squares = 0.0
    for t in range(1, n):
        new = close[t] / close[t - 1] - 1
        if t <= lookback:
            before, mean = mean, mean + (new - mean) / t
            squares += (new - before) * (new - mean)
        else:
            old = close[t - lookback] / close[t - lookback - 1] - 1
            before, mean = mean, mean + (new - old) / lookback
            squares += (new - old) * (new - mean + old - before)
        if t >= lookback:
            found[t] = np.sqrt(max(squares, 0.0) / (lookback - 1) * per_year)
