"""Returns by calendar month, UTC."""

from __future__ import annotations

import math

import numpy as np

from quant.candles import F64, I64


def monthly(time: I64, equity: F64, initial: float) -> dict[int, list[float]]:
    """For each year: twelve returns as fractions (nan where there were no bars), then the year's.

    From the last close of the month before (at first the initial equity) to the month's own last.
    """
    months = time.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    lasts = np.append(np.flatnonzero(np.diff(months)), len(months) - 1)
    found: dict[int, list[float]] = {}
    before = year_before = initial
    year = -1
    for index, month in zip(lasts.tolist(), months[lasts].tolist(), strict=True):
        if month // 12 + 1970 != year:
            year, year_before = month // 12 + 1970, before
            found[year] = [math.nan] * 13
        now = float(equity[index])
        found[year][month % 12] = _growth(now, before)
        found[year][12] = _growth(now, year_before)
        before = now
    return found


def _growth(now: float, before: float) -> float:
    return now / before - 1.0 if before > 0 else math.nan
