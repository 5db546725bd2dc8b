"""Which calendar period of UTC a bar belongs to: what lies in one file, and is hashed by itself.

A year, or a month for bars shorter than five minutes: between some hundreds of rows and a hundred thousand, so an
update rewrites little, and a load opens few files.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from quant.timeframe import UNITS, Timeframe

YEARLY_FROM_MS = 5 * UNITS["m"]


def split(time: NDArray[np.int64], timeframe: Timeframe) -> list[tuple[str, int, int]]:
    """(period, begin, end) for each period that has bars, oldest first: `2024`, or `2024-03`. `time` (ms) must rise."""
    if not len(time):
        return []
    unit = "Y" if timeframe.ms >= YEARLY_FROM_MS else "M"
    first, last = time[[0, -1]].astype("M8[ms]").astype(f"M8[{unit}]")
    periods = np.arange(first, last + 1)
    bounds = np.searchsorted(time, np.append(periods, last + 1).astype("M8[ms]").astype(np.int64))
    parts = zip(periods, bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
    return [(str(period), begin, end) for period, begin, end in parts if end > begin]
