"""Which bars are trained on, and which are traded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quant.candles import Candles
from quant.config.study import WalkForward
from quant.errors import BadData
from quant.timeframe import UNITS


@dataclass(frozen=True, slots=True)
class Window:
    """Bars [train, test) are trained on, bars [test, end) are traded."""

    train: int
    test: int
    end: int


def windows(candles: Candles, how: WalkForward) -> list[Window]:
    """One after the other until the bars end: each tested bar is tested once, the last test may be shorter.

    `rolling`: as many days before each test; `anchored`: all days before it. Days are the calendar's: where bars are
    missing a window has fewer of them, and one without any is left out. Raises BadData when there is nothing to test.
    """
    train_ms, test_ms = round(how.train_days * UNITS["d"]), round(how.test_days * UNITS["d"])
    first = int(candles.time[0]) if len(candles) else 0
    last = int(candles.time[-1]) if len(candles) else 0
    edges = np.arange(first + train_ms, last + 1, test_ms, dtype=np.int64)
    begins = np.searchsorted(candles.time, edges)
    trains = np.searchsorted(candles.time, edges - train_ms) if how.mode == "rolling" else np.zeros_like(begins)
    ends = np.append(begins, len(candles))[1:]
    triples = zip(trains.tolist(), begins.tolist(), ends.tolist(), strict=True)
    found = [Window(train, test, end) for train, test, end in triples if train < test < end]
    if not found:
        days = (last - first + candles.timeframe.ms) / UNITS["d"]
        raise BadData(
            f"{candles.name} has {days:.1f} days, training alone takes {how.train_days:g}",
            hint="fetch more, or lower walk_forward.train_days",
        )
    return found
