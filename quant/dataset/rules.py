"""What every row must be before it is stored, and after it was read back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
from numpy.typing import NDArray

from quant.candles import LARGEST, Candles
from quant.errors import BadData
from quant.timeframe import UNITS, Timeframe
from quant.times import milliseconds, shown
from quant.words import many

MONDAY = 4 * UNITS["d"]
"""1970 began on a Thursday."""
CALENDAR = (milliseconds(date(1900, 1, 1)), milliseconds(date(2200, 1, 1)))
"""A bar outside of it has a time in another unit than milliseconds."""
PRICES = ("open", "high", "low", "close")


def opens(time: NDArray[np.int64], timeframe: Timeframe) -> NDArray[np.bool_]:
    """Where a bar of the timeframe begins: whole weeks from a Monday, all others at multiples since 1970."""
    start = MONDAY if timeframe.text.endswith("w") else 0
    found: NDArray[np.bool_] = (time - start) % timeframe.ms == 0
    return found


def broken(candles: Candles) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """(what is wrong, the rows' indices), only for rules that some row breaks."""
    for words, bad in _rules(candles):
        if bad.any():
            yield words, np.flatnonzero(bad)


def require(candles: Candles) -> None:
    """Raises BadData that tells each broken rule, how often, and where first."""
    total = many(len(candles), "bar")
    lines = [
        f"{candles.name}: {words}: {len(bad):,} of {total}, the first is {row(candles, int(bad[0]))}"
        for words, bad in broken(candles)
    ]
    if lines:
        raise BadData("\n".join(lines), hint="nothing was stored; correct these rows at their source")


def row(candles: Candles, index: int) -> str:
    """One bar, as a person reads it."""
    prices = " ".join(f"{name} {getattr(candles, name)[index]:.15g}" for name in (*PRICES, "volume"))
    return f"{shown(int(candles.time[index]))} {prices}"


def _rules(c: Candles) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    with np.errstate(invalid="ignore"):
        columns = [getattr(c, name) for name in PRICES]
        yield "a price is no number above 0", ~np.logical_and.reduce([(x > 0) & (x <= LARGEST) for x in columns])
        yield "high is below another price", c.high < np.maximum(np.maximum(c.open, c.close), c.low)
        yield "low is above another price", c.low > np.minimum(np.minimum(c.open, c.close), c.high)
        yield "volume is no number from 0", ~((c.volume >= 0) & (c.volume <= LARGEST))
    yield "not between 1900 and 2200", (c.time < CALENDAR[0]) | (c.time >= CALENDAR[1])
    yield "not later than the bar before", np.diff(c.time, prepend=c.time[:1] - 1) <= 0
    yield f"no bar of {c.timeframe} begins then", ~opens(c.time, c.timeframe)
